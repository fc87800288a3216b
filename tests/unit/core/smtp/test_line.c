#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "core/smtp/line.h"

/* What comes of the bytes, one letter a result, lines in full: "[EHLO a]!L". */
static void read_all(struct str in, size_t step, struct buf *out)
{
    struct line_reader r = {0};
    while (in.len > 0) {
        struct str part = str_head(in, step);
        in = str_tail(in, part.len);
        enum line_result result;
        struct str line;
        while ((result = line_take(&r, &part, &line)) != LINE_MORE) {
            if (result == LINE_WHOLE) {
                buf_add_char(out, '[');
                buf_add(out, line);
                buf_add_char(out, ']');
            } else {
                buf_add_char(out, result == LINE_BARE ? '!' : 'L');
            }
        }
    }
    line_done(&r);
}

static void only_crlf_ends_a_line_and_a_bare_end_spoils_it(void **state)
{
    (void)state;
    static const struct {
        struct str in, out;
    } rows[] = {
        {STR_INIT("a\r\nb\r\n"), STR_INIT("[a][b]")},
        {STR_INIT("a\nb\r\nc\r\n"), STR_INIT("!![c]")},
        {STR_INIT("a\rb\r\nc\r\n"), STR_INIT("![c]")},
        {STR_INIT("a\r\r\nc\r\n"), STR_INIT("![c]")},
        {STR_INIT("\r\n\r\n"), STR_INIT("[][]")},
        {STR_INIT("\n\r\nx\r\n"), STR_INIT("!![x]")},
        {STR_INIT("EHLO a\nMAIL FROM:<>\nRCPT TO:<b@c>\r\nQUIT\r\n"), STR_INIT("!!![QUIT]")},
        {STR_INIT("a\0b\r\n"), STR_INIT("[a\0b]")},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        for (size_t step = 1; step <= rows[i].in.len; step++) {
            struct buf out = {0};
            read_all(rows[i].in, step, &out);
            if (!str_eq(buf_str(&out), rows[i].out)) {
                fail_msg("row %zu, step %zu: %.*s", i, step, STR_ARG(buf_str(&out)));
            }
            buf_done(&out);
        }
    }
}

static void a_line_may_have_so_many_octets_and_no_more(void **state)
{
    (void)state;
    for (size_t len = LINE_MAX_OCTETS - 2; len <= LINE_MAX_OCTETS - 1; len++) {
        struct buf in = {0};
        for (size_t i = 0; i < len; i++) {
            buf_add_char(&in, 'x');
        }
        buf_add(&in, STR("\r\ny\r\n"));
        for (size_t step = 1; step < 1300; step += 7) {
            struct buf out = {0};
            read_all(buf_str(&in), step, &out);
            assert_true(str_ends(buf_str(&out), STR("[y]")));
            assert_int_equal(str_starts(buf_str(&out), STR("L")), len > LINE_MAX_OCTETS - 2);
            buf_done(&out);
        }
        buf_done(&in);
    }
}

static void nothing_is_held_between_lines(void **state)
{
    (void)state;
    struct line_reader r = {0};
    struct str in = STR("NOOP\r");
    struct str line;
    assert_int_equal(line_take(&r, &in, &line), LINE_MORE);
    assert_false(line_idle(&r));
    in = STR("\n");
    assert_int_equal(line_take(&r, &in, &line), LINE_WHOLE);
    assert_int_equal(line_take(&r, &in, &line), LINE_MORE);
    assert_true(line_idle(&r));
    assert_null(r.kept.ptr);
    line_done(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_crlf_ends_a_line_and_a_bare_end_spoils_it),
        cmocka_unit_test(a_line_may_have_so_many_octets_and_no_more),
        cmocka_unit_test(nothing_is_held_between_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
