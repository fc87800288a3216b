// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include "runner/order.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void test_an_order_arrives_as_it_was_given(void **state)
{
    (void)state;
    const struct str argv[] = {STR("/bin/sort"), STR(""), STR("a b")}, environment[] = {STR("A=1")};
    struct program_order wanted = {
        .argv = argv, .argc = 3, .environment = environment, .environment_count = 1};
    struct buf bytes = {0};
    struct order got;
    assert_int_equal(order_format(&bytes, &wanted), 0);
    assert_true(order_parse(buf_str(&bytes), &got));
    assert_int_equal(got.argc, 3);
    assert_string_equal(got.argv[1], "");
    assert_string_equal(got.argv[2], "a b");
    assert_null(got.argv[3]);
    assert_string_equal(got.environment[0], "A=1");
    assert_null(got.environment[1]);
    for (size_t len = 0; len < bytes.len; len++) {
        assert_false(order_parse(str_head(buf_str(&bytes), len), &got));
    }
    buf_add_char(&bytes, '\0');
    assert_false(order_parse(buf_str(&bytes), &got));
    buf_done(&bytes);
}

static void test_what_cannot_be_an_order_is_not_made_one(void **state)
{
    (void)state;
    struct str argv[ORDER_WORDS_MAX + 1];
    char *long_word = malloc(ORDER_BYTES_MAX);
    assert_non_null(long_word);
    memset(long_word, 'a', ORDER_BYTES_MAX);
    const struct str long_words[] = {STR("/x"), str_from(long_word, ORDER_BYTES_MAX - 8), STR("")};
    for (size_t i = 0; i < ARRAY_LEN(argv); i++) {
        argv[i] = STR("/x");
    }
    const struct str with_nul[] = {str_from("/\0x", 3)};
    const struct {
        const char *name;
        struct program_order order;
        int result;
    } rows[] = {
        {"nothing", {.argv = argv}, -EINVAL},
        {"a NUL", {.argv = with_nul, .argc = 1}, -EINVAL},
        {"as many words as may be", {.argv = argv, .argc = ORDER_WORDS_MAX}, 0},
        {"one more", {.argv = argv, .argc = ORDER_WORDS_MAX + 1}, -E2BIG},
        {"as many bytes as may be", {.argv = long_words, .argc = 2}, 0},
        {"one more", {.argv = long_words, .argc = 3}, -E2BIG},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct buf bytes = {0};
        if (order_format(&bytes, &rows[i].order) != rows[i].result) {
            fail_msg("%s", rows[i].name);
        }
        buf_done(&bytes);
    }
    free(long_word);
}

static void test_an_order_has_a_word(void **state)
{
    (void)state;
    struct order got;
    assert_true(order_parse(str_from("\0\1\0\0/x\0", 7), &got));
    assert_false(order_parse(str_from("\0\0\0\0", 4), &got));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_order_arrives_as_it_was_given),
        cmocka_unit_test(test_what_cannot_be_an_order_is_not_made_one),
        cmocka_unit_test(test_an_order_has_a_word),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
