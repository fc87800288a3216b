#include "core/base/bucket.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define SECOND INT64_C(1000000)
#define HOUR (3600 * SECOND)
#define ARRAY_LEN(array) (sizeof(array) / sizeof((array)[0]))

static void a_limit_may_be_used_at_once_and_no_more(void **state)
{
    (void)state;
    struct bucket b = {0};
    for (unsigned i = 0; i < 10; i++) {
        assert_true(bucket_fits(&b, 10, 1));
        bucket_add(&b, 1);
    }
    assert_false(bucket_fits(&b, 10, 1));
    assert_true(bucket_fits(&b, 10, 0));
    assert_int_equal(bucket_units(&b), 10);
    bucket_drain(&b, 10, HOUR);
    assert_int_equal(b.used, 0);
}

static void the_wait_that_is_told_is_exact_to_the_microsecond(void **state)
{
    (void)state;
    static const uint32_t limits[] = {1, 2, 3, 7, 999, 3600, 1000000, BUCKET_LIMIT_MAX};
    for (size_t i = 0; i < ARRAY_LEN(limits); i++) {
        uint32_t limit = limits[i];
        struct bucket b = {0}, early, late;
        bucket_drain(&b, limit, 5 * SECOND);
        bucket_add(&b, limit);
        int64_t wait = bucket_wait(&b, limit, 1);
        assert_int_equal(wait, (HOUR + limit - 1) / limit);
        early = late = b;
        bucket_drain(&early, limit, 5 * SECOND + wait - 1);
        assert_false(bucket_fits(&early, limit, 1));
        bucket_drain(&late, limit, 5 * SECOND + wait);
        assert_true(bucket_fits(&late, limit, 1));
        assert_int_equal(bucket_wait(&late, limit, 1), 0);
    }
}

static void looking_often_wins_and_loses_nothing(void **state)
{
    (void)state;
    struct bucket often = {0}, once;
    bucket_add(&often, 7);
    once = often;
    int64_t now = 0;
    for (int64_t step = 1; now < 100 * SECOND; step = step * 3 % 9973 + 1) {
        now += step;
        bucket_drain(&often, 7, now);
    }
    bucket_drain(&once, 7, now);
    assert_true(often.used == once.used && once.used == 7 * (BUCKET_UNIT - (uint64_t)now));
}

static void a_clock_that_steps_back_drains_nothing(void **state)
{
    (void)state;
    struct bucket b = {0};
    bucket_drain(&b, 60, 10 * HOUR);
    bucket_add(&b, 60);
    bucket_drain(&b, 60, 2 * HOUR);
    assert_int_equal(bucket_units(&b), 60);
    bucket_drain(&b, 60, 10 * HOUR);
    assert_int_equal(bucket_units(&b), 60);
    bucket_drain(&b, 60, 10 * HOUR + 60 * SECOND);
    assert_int_equal(bucket_units(&b), 59);
    bucket_drain(&b, 60, INT64_MIN);
    assert_int_equal(bucket_units(&b), 59);
}

static void nothing_overflows(void **state)
{
    (void)state;
    struct bucket b = {.at_us = INT64_MIN};
    for (unsigned i = 0; i < 5; i++) {
        bucket_add(&b, UINT32_MAX);
    }
    assert_int_equal(bucket_units(&b), BUCKET_LIMIT_MAX);
    assert_false(bucket_fits(&b, BUCKET_LIMIT_MAX, 1));
    assert_false(bucket_fits(&b, 1, UINT32_MAX));
    assert_int_equal(bucket_wait(&b, 1, UINT32_MAX), HOUR);
    bucket_drain(&b, BUCKET_LIMIT_MAX, INT64_MAX);
    assert_int_equal(b.used, 0);
}

static void a_lowered_limit_is_full_and_waited_for_like_any(void **state)
{
    (void)state;
    struct bucket b = {0};
    bucket_add(&b, 1000);
    bucket_drain(&b, 10, 0);
    assert_int_equal(bucket_units(&b), 10);
    assert_int_equal(bucket_wait(&b, 10, 1), HOUR / 10);
}

static void no_limit_is_never_used(void **state)
{
    (void)state;
    struct bucket b = {0};
    assert_true(bucket_fits(&b, 0, UINT32_MAX));
    bucket_add(&b, 1000);
    bucket_drain(&b, 0, 1);
    assert_int_equal(b.used, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_limit_may_be_used_at_once_and_no_more),
        cmocka_unit_test(the_wait_that_is_told_is_exact_to_the_microsecond),
        cmocka_unit_test(looking_often_wins_and_loses_nothing),
        cmocka_unit_test(a_clock_that_steps_back_drains_nothing),
        cmocka_unit_test(nothing_overflows),
        cmocka_unit_test(a_lowered_limit_is_full_and_waited_for_like_any),
        cmocka_unit_test(no_limit_is_never_used),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
