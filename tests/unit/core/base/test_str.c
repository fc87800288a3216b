#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <string.h>

#include <cmocka.h>

#include "core/base/str.h"

static void parts_of_a_text_stay_inside_it(void **state)
{
    (void)state;
    struct str s = STR("hello");
    assert_true(str_eq(str_head(s, 2), STR("he")));
    assert_true(str_eq(str_head(s, 5), s) && str_eq(str_head(s, 6), s));
    assert_true(str_eq(str_tail(s, 2), STR("llo")));
    assert_int_equal(str_tail(s, 5).len, 0);
    assert_int_equal(str_tail(s, 6).len, 0);
    assert_int_equal(str_head((struct str){0}, 3).len, 0);
    assert_int_equal(str_from_cstr(NULL).len, 0);
}

static void comparison_is_bytewise_and_case_is_ascii_only(void **state)
{
    (void)state;
    assert_true(str_eq(STR(""), (struct str){0}));
    assert_false(str_eq(STR("a"), STR("A")));
    assert_true(str_eq_nocase(STR("aZ[`"), STR("Az[`")));
    assert_false(str_eq_nocase(STR("["), STR("{"))); /* 0x5b and 0x7b: not letters */
    assert_false(str_eq_nocase(STR("\xc3\xa9"), STR("\xc3\x89")));
    assert_true(str_cmp(STR("a"), STR("ab")) < 0 && str_cmp(STR("b"), STR("ab")) > 0);
    assert_true(str_cmp(STR("\xff"), STR("a")) > 0);
    assert_int_equal(str_cmp(STR("x"), STR("x")), 0);
    assert_true(str_starts(STR("abc"), STR("ab")) && str_starts(STR("abc"), STR("")));
    assert_false(str_starts(STR("a"), STR("ab")));
    assert_true(str_ends(STR("abc"), STR("bc")) && !str_ends(STR("c"), STR("bc")));
    assert_true(str_starts_nocase(STR("ABc"), STR("ab")) && str_ends_nocase(STR("aBC"), STR("bc")));
}

static void things_are_found_or_not(void **state)
{
    (void)state;
    assert_int_equal(str_find(STR("a.b.c"), '.'), 1);
    assert_int_equal(str_rfind(STR("a.b.c"), '.'), 3);
    assert_true(str_find(STR("abc"), '.') == STR_NONE && str_rfind(STR(""), '.') == STR_NONE);
    assert_int_equal(str_find_str(STR("aab"), STR("ab")), 1);
    assert_int_equal(str_find_str(STR("aab"), STR("")), 0);
    assert_true(str_find_str(STR("ab"), STR("abc")) == STR_NONE);
    assert_int_equal(str_find(STR("a\0b"), '\0'), 1);
}

static void trimming_and_splitting(void **state)
{
    (void)state;
    assert_true(str_eq(str_trim(STR(" \t\r\n a b \r\n")), STR("a b")));
    assert_int_equal(str_trim(STR(" \t")).len, 0);
    struct str rest = STR("a,,b");
    assert_true(str_eq(str_split(&rest, ','), STR("a")));
    assert_true(str_eq(str_split(&rest, ','), STR("")));
    assert_true(str_eq(str_split(&rest, ','), STR("b")));
    assert_int_equal(rest.len, 0);
    assert_true(str_eq(str_split(&rest, ','), STR("")));
}

static void numbers_keep_to_their_limit(void **state)
{
    (void)state;
    uint64_t n = 7;
    assert_true(str_to_u64(STR("0"), 9, &n) && n == 0);
    assert_true(str_to_u64(STR("007"), 9, &n) && n == 7);
    assert_true(str_to_u64(STR("65535"), UINT16_MAX, &n) && n == 65535);
    assert_false(str_to_u64(STR("65536"), UINT16_MAX, &n));
    assert_true(str_to_u64(STR("18446744073709551615"), UINT64_MAX, &n) && n == UINT64_MAX);
    assert_false(str_to_u64(STR("18446744073709551616"), UINT64_MAX, &n));
    assert_false(str_to_u64(STR("99999999999999999999999"), UINT64_MAX, &n));
    assert_false(str_to_u64(STR(""), 9, &n) || str_to_u64(STR("-1"), 9, &n));
    assert_false(str_to_u64(STR("1 "), 9, &n) || str_to_u64(STR("0x1"), 99, &n));
}

static void letters_are_ascii_whatever_the_sign_of_char(void **state)
{
    (void)state;
    for (int c = 0; c < 256; c++) {
        char ch = (char)c;
        bool upper = c >= 'A' && c <= 'Z', lower = c >= 'a' && c <= 'z';
        bool digit = c >= '0' && c <= '9';
        assert_int_equal(ascii_is_alpha(ch), upper || lower);
        assert_int_equal(ascii_is_digit(ch), digit);
        assert_int_equal(ascii_is_alnum(ch), upper || lower || digit);
        assert_int_equal(ascii_is_print(ch), c >= 0x20 && c <= 0x7e);
        assert_int_equal(ascii_lower(ch), upper ? (char)(c + 32) : ch);
        assert_int_equal(ascii_upper(ch), lower ? (char)(c - 32) : ch);
        assert_int_equal(ascii_is_hex(ch),
                         digit || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_of_a_text_stay_inside_it),
        cmocka_unit_test(comparison_is_bytewise_and_case_is_ascii_only),
        cmocka_unit_test(things_are_found_or_not),
        cmocka_unit_test(trimming_and_splitting),
        cmocka_unit_test(numbers_keep_to_their_limit),
        cmocka_unit_test(letters_are_ascii_whatever_the_sign_of_char),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
