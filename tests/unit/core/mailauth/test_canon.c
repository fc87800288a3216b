#include "core/mailauth/canon_body.h"
#include "core/mailauth/canon_header.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* The canonical body, given in two pieces, cut at `at`, taken `cap` octets at a time. */
static void canon(struct buf *out, struct canon_body c, struct str body, size_t at, size_t cap)
{
    char piece[64];
    struct str parts[2] = {str_head(body, at), str_tail(body, at)};
    for (size_t i = 0; i < 2; i++) {
        while (parts[i].len > 0) {
            size_t n = canon_body_take(&c, &parts[i], piece, cap);
            assert_true(n <= cap);
            buf_add(out, str_from(piece, n));
        }
    }
    for (size_t n; (n = canon_body_end(&c, piece, cap)) > 0;) {
        buf_add(out, str_from(piece, n));
    }
    assert_true(c.has_limit || c.length == out->len);
}

static const struct {
    const char *body, *simple, *relaxed;
} bodies[] = {
    /* RFC 6376 3.4.5 */
    {" C \r\nD \t E\r\n\r\n\r\n", " C \r\nD \t E\r\n", " C\r\nD E\r\n"},
    {"", "\r\n", ""},
    {"\r\n", "\r\n", ""},
    {"\r\n\r\n\r\n", "\r\n", ""},
    {" \t\r\n \r\n", " \t\r\n \r\n", ""},
    {"a", "a\r\n", "a\r\n"},
    {"a \t", "a \t\r\n", "a\r\n"},
    {"a\r\n\r\nb\r\n", "a\r\n\r\nb\r\n", "a\r\n\r\nb\r\n"},
    {"a\r\n \r\nb", "a\r\n \r\nb\r\n", "a\r\n\r\nb\r\n"},
    {"\r\n\r\na\r\n \r\n", "\r\n\r\na\r\n \r\n", "\r\n\r\na\r\n"},
    {"a\nb\n\n", "a\r\nb\r\n", "a\r\nb\r\n"},
    {"a\rb\r", "a\rb\r\r\n", "a\rb\r\r\n"},
    {"a\r\r\nb \r c", "a\r\r\nb \r c\r\n", "a\r\r\nb \r c\r\n"},
    {"a \r\n\r b", "a \r\n\r b\r\n", "a\r\n\r b\r\n"},
};

static void a_body_is_canonical_whatever_the_pieces_it_comes_in(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
        struct str body = str_from_cstr(bodies[i].body);
        for (size_t at = 0; at <= body.len; at++) {
            for (size_t cap = CANON_ROOM; cap <= 64; cap = cap * 2 - 1) {
                struct buf simple = {0};
                struct buf relaxed = {0};
                canon(&simple, (struct canon_body){0}, body, at, cap);
                canon(&relaxed, (struct canon_body){.relaxed = true}, body, at, cap);
                assert_true(str_eq(buf_str(&simple), str_from_cstr(bodies[i].simple)));
                assert_true(str_eq(buf_str(&relaxed), str_from_cstr(bodies[i].relaxed)));
                buf_done(&simple);
                buf_done(&relaxed);
            }
        }
    }
}

static void a_limit_cuts_the_canonical_body_and_not_its_length(void **state)
{
    struct str body = STR("ab  c\r\n\r\n\r\nd");
    struct str whole = STR("ab c\r\n\r\n\r\nd\r\n");
    (void)state;
    for (size_t limit = 0; limit <= whole.len + 1; limit++) {
        for (size_t at = 0; at <= body.len; at++) {
            struct buf out = {0};
            struct canon_body c = {.relaxed = true, .has_limit = true, .limit = limit};
            canon(&out, c, body, at, 3);
            assert_true(str_eq(buf_str(&out), str_head(whole, limit)));
            buf_done(&out);
        }
    }
}

/* The header of RFC 6376 3.4.5, and lines that end in LF. */
static void a_field_is_canonical_in_both_ways(void **state)
{
    static const struct {
        const char *field, *simple, *relaxed;
    } rows[] = {
        {"A: X\r\n", "A: X", "a:X"},
        {"B : Y\t\r\n\tZ  \r\n", "B : Y\t\r\n\tZ  ", "b:Y Z"},
        {"B : Y\t\n\tZ  \n", "B : Y\t\r\n\tZ  ", "b:Y Z"},
        {"Empty:\r\n", "Empty:", "empty:"},
        {"Empty: \r\n\t \r\n", "Empty: \r\n\t ", "empty:"},
        {"Last: no end", "Last: no end", "last:no end"},
        {"CR: a\rb\r\n", "CR: a\rb", "cr:a\rb"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct header_iter it = header_begin(str_from_cstr(rows[i].field));
        struct header_field field;
        struct buf simple = {0};
        struct buf relaxed = {0};
        assert_true(header_next(&it, &field));
        canon_field(&simple, &field, false, (struct str){0});
        canon_field(&relaxed, &field, true, (struct str){0});
        assert_true(str_eq(buf_str(&simple), str_from_cstr(rows[i].simple)));
        assert_true(str_eq(buf_str(&relaxed), str_from_cstr(rows[i].relaxed)));
        buf_done(&simple);
        buf_done(&relaxed);
    }
}

static void fields_of_one_name_are_used_up_from_the_bottom(void **state)
{
    struct arena arena = {0};
    struct canon_index index;
    struct buf out = {0};
    (void)state;
    assert_true(canon_index_make(&index, &arena, STR("a: 1\r\nB: 2\r\nA: 3\r\nAB: 4\r\n\r\nA: 5")));
    for (int again = 0; again < 2; again++) { /* each signature begins anew */
        buf_clear(&out);
        canon_fields(&out, &index, STR("A : b:gone:a:\r\n A:a"), true);
        assert_true(str_eq(buf_str(&out), STR("a:3\r\nb:2\r\na:1\r\n")));
    }
    buf_done(&out);
    arena_done(&arena);
}

static void ten_thousand_fields_are_looked_at_and_one_more_is_not(void **state)
{
    (void)state;
    for (size_t over = 0; over <= 1; over++) {
        struct arena arena = {0};
        struct canon_index index;
        struct buf header = {0};
        for (size_t i = 0; i < CANON_FIELDS_MAX + over; i++) {
            buf_add(&header, STR("A:\n"));
        }
        assert_true(canon_index_make(&index, &arena, buf_str(&header)));
        assert_int_equal(index.too_many, over);
        assert_int_equal(index.count, over ? 0 : CANON_FIELDS_MAX);
        buf_done(&header);
        arena_done(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_body_is_canonical_whatever_the_pieces_it_comes_in),
        cmocka_unit_test(a_limit_cuts_the_canonical_body_and_not_its_length),
        cmocka_unit_test(a_field_is_canonical_in_both_ways),
        cmocka_unit_test(fields_of_one_name_are_used_up_from_the_bottom),
        cmocka_unit_test(ten_thousand_fields_are_looked_at_and_one_more_is_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
