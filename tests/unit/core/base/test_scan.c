#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/scan.h"

static void a_grammar_reads_in_order_and_checks_once(void **state)
{
    (void)state;
    struct scan sc = {.rest = STR("From:  <12> tail")};
    scan_word(&sc, STR("FROM:"));
    scan_spaces(&sc);
    scan_char(&sc, '<');
    assert_int_equal(scan_u64(&sc, 99), 12);
    assert_true(scan_try_char(&sc, '>'));
    assert_false(scan_try_char(&sc, '>'));
    scan_spaces(&sc);
    assert_true(str_eq(scan_take(&sc, 4), STR("tail")));
    assert_true(scan_done(&sc) && scan_at_end(&sc));
}

static void the_first_failure_sticks_and_takes_nothing(void **state)
{
    (void)state;
    struct scan sc = {.rest = STR("abc")};
    scan_char(&sc, 'x');
    assert_false(scan_ok(&sc));
    scan_char(&sc, 'a');
    assert_int_equal(scan_peek(&sc), '\0');
    assert_int_equal(scan_take(&sc, 1).len, 0);
    assert_false(scan_try_char(&sc, 'a') || scan_try_word(&sc, STR("ab")) || scan_done(&sc));
    assert_int_equal(scan_get_u32(&sc), 0);
}

static void numbers_stop_at_their_limit(void **state)
{
    (void)state;
    struct scan fits = {.rest = STR("255x")}, over = {.rest = STR("256")},
                none = {.rest = STR("x")};
    assert_int_equal(scan_u64(&fits, 255), 255);
    assert_true(scan_ok(&fits) && scan_peek(&fits) == 'x');
    (void)scan_u64(&over, 255);
    (void)scan_u64(&none, 255);
    assert_false(scan_ok(&over) || scan_ok(&none));
}

static void runs_of_characters(void **state)
{
    (void)state;
    struct scan sc = {.rest = STR("12ab;c")};
    assert_true(str_eq(scan_while(&sc, ascii_is_digit), STR("12")));
    assert_int_equal(scan_while(&sc, ascii_is_digit).len, 0);
    assert_true(scan_ok(&sc));
    assert_true(str_eq(scan_until(&sc, ';'), STR("ab")));
    assert_int_equal(scan_peek(&sc), ';');
    (void)scan_while1(&sc, ascii_is_alpha);
    assert_false(scan_ok(&sc));
    struct scan rest = {.rest = STR("abc")};
    assert_true(str_eq(scan_until(&rest, ';'), STR("abc")));
    assert_true(scan_done(&rest));
}

static void more_than_there_is_fails(void **state)
{
    (void)state;
    struct scan sc = {.rest = STR("ab")};
    (void)scan_take(&sc, 3);
    assert_false(scan_ok(&sc));
    struct scan word = {.rest = STR("ma")};
    assert_false(scan_try_word(&word, STR("mail")));
    assert_true(scan_ok(&word));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_grammar_reads_in_order_and_checks_once),
        cmocka_unit_test(the_first_failure_sticks_and_takes_nothing),
        cmocka_unit_test(numbers_stop_at_their_limit),
        cmocka_unit_test(runs_of_characters),
        cmocka_unit_test(more_than_there_is_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
