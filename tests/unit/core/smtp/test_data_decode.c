#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "core/base/buf.h"
#include "core/smtp/data_decode.h"
#include "core/smtp/data_encode.h"

struct decoded {
    struct buf text;
    struct data_decoder d;
    size_t used;
};

/* Feeds `in` in pieces of `step` octets, the first one of `first`. */
static struct decoded run(struct str in, enum data_mode mode, bool normalise, size_t first,
                          size_t step)
{
    struct decoded r = {.d = data_decoder_begin(mode, normalise)};
    struct str all = in;
    for (size_t size = first; in.len > 0 && !r.d.ended; size = step) {
        struct str part = str_head(in, size);
        size_t given = part.len;
        struct str piece;
        while (data_decode(&r.d, &part, &piece)) {
            buf_add(&r.text, piece);
        }
        assert_true(r.d.ended || part.len == 0);
        in = str_tail(in, given - part.len);
    }
    r.used = all.len - in.len;
    struct str piece;
    if (mode != DATA_DOTS && data_decode_end(&r.d, &piece)) {
        buf_add(&r.text, piece);
    }
    assert_int_equal(r.d.size, r.text.len);
    return r;
}

struct row {
    const char *name;
    struct str in;
    struct str out; /* by DATA */
    bool ended, bare;
    size_t rest; /* octets after the end */
};

/* clang-format off */
#define N(s) STR_INIT(s)
static const struct row rows[] = {
    {"an empty message", N(".\r\n"), N(""), true, false, 0},
    {"a line", N("a\r\n.\r\n"), N("a\r\n"), true, false, 0},
    {"a command after the end stays", N("a\r\n.\r\nQUIT\r\n"), N("a\r\n"), true, false, 6},
    {"a stuffed dot", N("..\r\n.\r\n"), N(".\r\n"), true, false, 0},
    {"a dot that nobody stuffed", N(".a\r\n.\r\n"), N("a\r\n"), true, false, 0},
    {"a dot within a line", N("a.\r\n.b\r\n.\r\n"), N("a.\r\nb\r\n"), true, false, 0},
    {"LF.LF", N("a\n.\nb\r\n.\r\n"), N("a\n.\nb\r\n"), true, true, 0},
    {"LF.CRLF", N("a\n.\r\nb\r\n.\r\n"), N("a\n.\r\nb\r\n"), true, true, 0},
    {"CRLF.LF", N("a\r\n.\nb\r\n.\r\n"), N("a\r\n\nb\r\n"), true, true, 0},
    {"CR.CR", N("a\r.\rb\r\n.\r\n"), N("a\r.\rb\r\n"), true, true, 0},
    {"CR.CRLF", N("a\r.\r\nb\r\n.\r\n"), N("a\r.\r\nb\r\n"), true, true, 0},
    {"CRLF.CR", N("a\r\n.\rb\r\n.\r\n"), N("a\r\n\rb\r\n"), true, true, 0},
    {"CRLF.CRCRLF", N("a\r\n.\r\r\nb\r\n.\r\n"), N("a\r\n\r\r\nb\r\n"), true, true, 0},
    {"CRCRLF.CRLF", N("a\r\r\n.\r\n"), N("a\r\r\n"), true, true, 0},
    {"NUL between CR and LF", N("a\r\n.\r\0\nb\r\n.\r\n"), N("a\r\n\r\0\nb\r\n"), true, true, 0},
    {"NUL before the dot", N("a\r\n\0.\r\nb\r\n.\r\n"), N("a\r\n\0.\r\nb\r\n"), true, false, 0},
    {"no end yet", N("a\r\n."), N("a\r\n"), false, false, 0},
    {"half an end", N("a\r\n.\r"), N("a\r\n"), false, false, 0},
};
/* clang-format on */

static void the_end_of_data_is_crlf_dot_crlf_and_nothing_else(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct decoded r = run(rows[i].in, DATA_DOTS, false, rows[i].in.len, 1);
        if (!str_eq(buf_str(&r.text), rows[i].out) || r.d.ended != rows[i].ended ||
            r.d.bare_line_end != rows[i].bare || rows[i].in.len - r.used != rows[i].rest) {
            fail_msg("%s: got \"%.*s\"", rows[i].name, STR_ARG(buf_str(&r.text)));
        }
        buf_done(&r.text);
    }
}

static void every_cut_gives_the_same(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        for (int way = 0; way < 6; way++) {
            enum data_mode mode = (enum data_mode)(way / 2);
            bool normalise = way % 2 == 1;
            struct decoded whole = run(rows[i].in, mode, normalise, rows[i].in.len, 1);
            for (size_t first = 1; first <= rows[i].in.len; first++) {
                for (size_t step = 1; step < 3; step++) {
                    struct decoded cut = run(rows[i].in, mode, normalise, first, step);
                    assert_int_equal(cut.used, whole.used);
                    assert_int_equal(cut.d.ended, whole.d.ended);
                    assert_int_equal(cut.d.bare_line_end, whole.d.bare_line_end);
                    assert_true(str_eq(buf_str(&cut.text), buf_str(&whole.text)));
                    buf_done(&cut.text);
                }
            }
            buf_done(&whole.text);
        }
    }
}

static void normalising_mends_line_ends_and_never_ends_the_data(void **state)
{
    (void)state;
    struct decoded r = run(STR("a\n.\nb\rc\r\n.\nd\r\n.\r\n"), DATA_DOTS, true, 100, 1);
    assert_true(str_eq(buf_str(&r.text), STR("a\r\n.\r\nb\r\nc\r\n\r\nd\r\n")));
    assert_true(r.d.ended);
    buf_done(&r.text);
}

static void a_long_line_is_found_at_1001_octets(void **state)
{
    (void)state;
    for (size_t len = 998; len <= 999; len++) {
        struct buf in = {0};
        for (size_t i = 0; i < len; i++) {
            buf_add_char(&in, 'x');
        }
        buf_add(&in, STR("\r\n.\r\n"));
        for (size_t step = 1; step < 1200; step += 499) {
            struct decoded r = run(buf_str(&in), DATA_DOTS, false, step, step);
            assert_int_equal(r.d.long_line, len > 998);
            buf_done(&r.text);
        }
        buf_done(&in);
    }
}

static void an_octet_over_127_is_seen_wherever_it_stands(void **state)
{
    (void)state;
    char text[20];
    for (size_t at = 0; at < sizeof text; at++) {
        for (size_t i = 0; i < sizeof text; i++) {
            text[i] = i == at ? '\x80' : '\x7f';
        }
        struct decoded r = run(str_from(text, sizeof text), DATA_LINES, false, 100, 1);
        assert_true(r.d.eight_bit);
        buf_done(&r.text);
    }
}

static void what_the_encoder_writes_comes_back(void **state)
{
    (void)state;
    static const struct str bodies[] = {STR_INIT(""), STR_INIT(".\r\n"),
                                        STR_INIT("..\r\n.a\r\n\r\n"), STR_INIT("a\r\n.\r\nb\r\n"),
                                        STR_INIT("\r\n")};
    for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
        struct buf sent = {0};
        struct data_encoder e = data_encoder_begin(true);
        data_encode(&e, bodies[i], &sent);
        data_encode_end(&e, &sent);
        struct decoded r = run(buf_str(&sent), DATA_DOTS, false, 3, 1);
        assert_true(r.d.ended && !r.d.bare_line_end);
        assert_int_equal(r.used, sent.len);
        assert_true(str_eq(buf_str(&r.text), bodies[i]));
        buf_done(&r.text);
        buf_done(&sent);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_end_of_data_is_crlf_dot_crlf_and_nothing_else),
        cmocka_unit_test(every_cut_gives_the_same),
        cmocka_unit_test(normalising_mends_line_ends_and_never_ends_the_data),
        cmocka_unit_test(a_long_line_is_found_at_1001_octets),
        cmocka_unit_test(an_octet_over_127_is_seen_wherever_it_stands),
        cmocka_unit_test(what_the_encoder_writes_comes_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
