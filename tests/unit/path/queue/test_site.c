#include "path/queue/schedule.h"
#include "path/queue/site.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static struct span schedule[] = {{INT64_C(300000000)}, {INT64_C(600000000)}};
static const struct config_queue config = {.retry = schedule, .retry_count = 2};
static uint64_t drawn;

static uint64_t u64(struct entropy *entropy)
{
    (void)entropy;
    return drawn;
}

static struct entropy entropy = {u64};
static struct instant now = {INT64_C(1000000000000)};

static void ended(struct sites *sites, struct site *site, enum site_sign sign)
{
    struct site_result result = {.sign = sign, .started = now, .now = now, .error = STR("oh")};
    now.us++;
    site_start(site);
    site_ended(sites, site, &result, &config, &entropy);
}

static void the_wait_stays_within_a_tenth(void **state)
{
    (void)state;
    static const struct {
        uint32_t failures;
        uint64_t drawn;
        int64_t seconds;
    } rows[] = {{1, 0, 270}, {1, 60000000, 330}, {1, 30000000, 300}, {2, 0, 540}, {9, 0, 540}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        drawn = rows[i].drawn;
        struct instant next = schedule_next(&config, rows[i].failures, now, &entropy);
        assert_int_equal(instant_since(next, now).us, rows[i].seconds * 1000000);
    }
    drawn = 30000000;
}

static void the_window_grows_by_one_and_halves(void **state)
{
    (void)state;
    struct sites sites = {0};
    struct site *site = site_take(&sites, STR("smtp:a:25"), 8, false);
    assert_int_equal(site->window, 5);
    for (unsigned i = 0; i < 10; i++) {
        ended(&sites, site, SITE_FINE);
    }
    assert_int_equal(site->window, 8);
    ended(&sites, site, SITE_BUSY);
    assert_int_equal(site->window, 4);
    ended(&sites, site, SITE_NOTHING);
    assert_int_equal(site->window, 4);
    for (unsigned i = 0; i < 5; i++) {
        ended(&sites, site, SITE_BUSY);
    }
    assert_int_equal(site->window, 1);
    assert_false(site_is_down(site, now));
    site_settle(&sites, site, now);
    assert_null(site_find(&sites, STR("smtp:a:25")));
    sites_done(&sites);
}

static void a_site_that_is_not_reached_is_left_alone_longer_each_time(void **state)
{
    (void)state;
    struct sites sites = {0};
    struct site *site = site_take(&sites, STR("smtp:a:25"), 20, false);
    ended(&sites, site, SITE_DOWN);
    assert_true(site_is_down(site, now));
    assert_int_equal(instant_since(site->retry_at, now).us / 1000000, 299);
    assert_false(site_has_room(site, now));
    now = site->retry_at;
    assert_true(site_has_room(site, now));
    ended(&sites, site, SITE_DOWN);
    assert_int_equal(instant_since(site->retry_at, now).us / 1000000, 569);
    assert_int_equal(sites.down, 1);
    ended(&sites, site, SITE_FINE);
    assert_int_equal(site->failures, 0);
    assert_int_equal(site->window, 6);
    assert_int_equal(sites.down, 0);
    site_settle(&sites, site, now);
    sites_done(&sites);
}

static void failures_of_one_moment_count_once(void **state)
{
    (void)state;
    struct sites sites = {0};
    struct site *site = site_take(&sites, STR("smtp:a:25"), 20, false);
    struct site_result result = {.sign = SITE_DOWN, .started = now};
    now = instant_add(now, SPAN_S(30));
    result.now = now;
    for (unsigned i = 0; i < 5; i++) {
        site_start(site);
    }
    for (unsigned i = 0; i < 5; i++) {
        site_ended(&sites, site, &result, &config, &entropy);
    }
    assert_int_equal(site->failures, 1);
    sites_done(&sites);
}

static void one_broken_connection_is_no_dead_site_but_three_are(void **state)
{
    (void)state;
    struct sites sites = {0};
    struct site *site = site_take(&sites, STR("smtp:a:25"), 20, false);
    ended(&sites, site, SITE_BROKEN);
    ended(&sites, site, SITE_BROKEN);
    assert_false(site_is_down(site, now));
    ended(&sites, site, SITE_FINE);
    ended(&sites, site, SITE_BROKEN);
    ended(&sites, site, SITE_BROKEN);
    assert_false(site_is_down(site, now));
    ended(&sites, site, SITE_BROKEN);
    assert_true(site_is_down(site, now));
    sites_done(&sites);
}

static void the_urgent_come_first_in_line(void **state)
{
    (void)state;
    static const int priorities[] = {0, -9, 9, 0, 9, 1};
    static const size_t order[] = {2, 4, 5, 0, 3, 1};
    struct sites sites = {0};
    struct heap_node waiters[ARRAY_LEN(order)] = {{0}};
    struct site *site = site_take(&sites, STR("smtp:a:25"), 5, false);
    for (size_t i = 0; i < ARRAY_LEN(order); i++) {
        assert_true(site_wait(site, &waiters[i], priorities[i], now));
    }
    for (size_t i = 0; i < ARRAY_LEN(order); i++) {
        assert_ptr_equal(site_next(site, now), &waiters[order[i]]);
        site_promise_back(site);
    }
    sites_done(&sites);
}

static void who_has_waited_long_enough_comes_before_the_urgent(void **state)
{
    (void)state;
    enum { WORTH_S = (PRIORITY_MAX - PRIORITY_MIN) * PRIORITY_STEP_S };
    struct sites sites = {0};
    struct heap_node patient = {0}, early = {0}, late = {0};
    struct site *site = site_take(&sites, STR("smtp:a:25"), 5, false);
    struct instant before = instant_add(now, SPAN_S(WORTH_S - 1));
    struct instant after = instant_add(now, SPAN_S(WORTH_S + 1));
    assert_true(site_wait(site, &patient, PRIORITY_MIN, now));
    assert_true(site_wait(site, &early, PRIORITY_MAX, before));
    assert_true(site_wait(site, &late, PRIORITY_MAX, after));
    assert_ptr_equal(site_next(site, now), &early);
    assert_ptr_equal(site_next(site, now), &patient);
    assert_ptr_equal(site_next(site, now), &late);
    sites_done(&sites);
}

static void those_in_line_come_in_order_and_their_places_are_kept(void **state)
{
    (void)state;
    struct sites sites = {0};
    struct heap_node waiters[4] = {{0}};
    struct site *site = site_take(&sites, STR("smtp:a:25"), 2, false);
    site_start(site);
    site_start(site);
    for (size_t i = 0; i < 4; i++) {
        assert_true(site_wait(site, &waiters[i], 0, now));
    }
    assert_null(site_next(site, now));
    site->running--;
    assert_ptr_equal(site_next(site, now), &waiters[0]);
    assert_null(site_next(site, now));
    assert_false(site_has_room(site, now));
    site_promise_back(site);
    site_unwait(site, &waiters[1]);
    assert_ptr_equal(site_next(site, now), &waiters[2]);
    sites_done(&sites);
}

static void a_local_site_begins_with_its_whole_window(void **state)
{
    (void)state;
    struct sites sites = {0};
    assert_int_equal(site_take(&sites, STR("maildir"), 256, true)->window, 256);
    sites_done(&sites);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_wait_stays_within_a_tenth),
        cmocka_unit_test(the_window_grows_by_one_and_halves),
        cmocka_unit_test(a_site_that_is_not_reached_is_left_alone_longer_each_time),
        cmocka_unit_test(failures_of_one_moment_count_once),
        cmocka_unit_test(one_broken_connection_is_no_dead_site_but_three_are),
        cmocka_unit_test(the_urgent_come_first_in_line),
        cmocka_unit_test(who_has_waited_long_enough_comes_before_the_urgent),
        cmocka_unit_test(those_in_line_come_in_order_and_their_places_are_kept),
        cmocka_unit_test(a_local_site_begins_with_its_whole_window),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
