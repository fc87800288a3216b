// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include "login/shares.h"

#include <stdlib.h>

static void who_has_brought_many_questions_comes_after_who_brings_one(void **state)
{
    (void)state;
    struct shares *s = calloc(1, sizeof *s);
    struct share *crowd = shares_of(s, 1), *alone = shares_of(s, 2);
    uint64_t first = shares_turn(s, crowd), last = first;
    for (int i = 0; i < 1000; i++) {
        last = shares_turn(s, crowd);
    }
    assert_int_equal(shares_turn(s, alone), first);
    assert_int_equal(last, first + 1000);
    free(s);
}

static void who_was_away_has_saved_no_turns(void **state)
{
    (void)state;
    struct shares *s = calloc(1, sizeof *s);
    struct share *busy = shares_of(s, 1), *late = shares_of(s, 2);
    for (int i = 0; i < 100; i++) {
        shares_begin(s, shares_turn(s, busy));
    }
    uint64_t next = shares_turn(s, busy);
    assert_int_equal(shares_turn(s, late), next);
    assert_true(shares_turn(s, late) > next);
    shares_begin(s, 5); /* a thread that was slow does not turn time back */
    assert_true(shares_turn(s, shares_of(s, 3)) > 100);
    free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_has_brought_many_questions_comes_after_who_brings_one),
        cmocka_unit_test(who_was_away_has_saved_no_turns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
