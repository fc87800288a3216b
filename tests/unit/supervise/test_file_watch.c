/* Files that change, are switched by links, vanish, or do not come to rest. */
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include "supervise/file_watch.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static const int64_t settle_us = WATCH_SETTLE_MS * INT64_C(1000);
static char top[] = "/tmp/postrider-watch-XXXXXX";
static int64_t now_us;
static unsigned length; /* of what was written last: each state has another size */

static void put(const char *name)
{
    FILE *file = fopen(name, "w");
    assert_non_null(file);
    length++;
    for (unsigned i = 0; i < length; i++) {
        fputc('x', file);
    }
    assert_int_equal(fclose(file), 0);
}

static int begin(void **state)
{
    (void)state;
    assert_non_null(mkdtemp(top));
    assert_int_equal(chdir(top), 0);
    return mkdir("live", 0700) || mkdir("archive", 0700);
}

static int end(void **state)
{
    (void)state;
    static const char *const files[] = {"live/a", "live/b", "live/new", "archive/1", "archive/2"};
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        unlink(files[i]);
    }
    return rmdir("live") || rmdir("archive") || chdir("/") || rmdir(top);
}

static void watch_both(struct file_watch *watch)
{
    char a[64], b[64];
    (void)snprintf(a, sizeof a, "%s/live/a", top);
    (void)snprintf(b, sizeof b, "%s/live/b", top);
    const struct str paths[] = {str_from_cstr(a), str_from_cstr(b)};
    *watch = (struct file_watch){0};
    assert_true(file_watch_set(watch, paths, ARRAY_LEN(paths), now_us));
}

/* Does the system report something? Then the watch looks soon. */
static bool reported(struct file_watch *watch)
{
    struct pollfd wait = {.fd = watch->reports, .events = POLLIN};
    if (poll(&wait, 1, 0) != 1) {
        return false;
    }
    file_watch_reported(watch, now_us);
    return true;
}

static bool looks(struct file_watch *watch)
{
    now_us = watch->look_at_us;
    return file_watch_look(watch, now_us);
}

static void test_a_change_is_told_once_and_when_it_is_at_rest(void **state)
{
    (void)state;
    struct file_watch watch;
    put("live/a");
    put("live/b");
    watch_both(&watch);
    assert_false(reported(&watch));
    for (int i = 0; i < 3; i++) {
        put("live/a");
        assert_true(reported(&watch) || i > 0);
        assert_true(watch.look_at_us <= now_us + settle_us);
        assert_false(looks(&watch));
    }
    assert_true(looks(&watch));
    assert_true(watch.look_at_us > now_us + settle_us);
    assert_false(looks(&watch));
    file_watch_done(&watch);
}

static void test_what_no_report_tells_is_seen_within_a_minute(void **state)
{
    (void)state;
    struct file_watch watch;
    watch_both(&watch);
    int64_t before_us = now_us;
    put("live/b");
    assert_false(looks(&watch));
    assert_true(looks(&watch));
    assert_true(now_us - before_us <= (WATCH_PERIOD_MS + WATCH_SETTLE_MS) * INT64_C(1000));
    file_watch_done(&watch);
}

static void test_a_file_that_vanishes_and_comes_back_changes_twice(void **state)
{
    (void)state;
    struct file_watch watch;
    watch_both(&watch);
    assert_int_equal(unlink("live/b"), 0);
    assert_true(reported(&watch));
    assert_false(looks(&watch));
    assert_true(looks(&watch));
    put("live/b");
    assert_true(reported(&watch));
    assert_false(looks(&watch));
    assert_true(looks(&watch));
    file_watch_done(&watch);
}

static void test_what_a_link_leads_to_is_watched_too_and_so_is_the_link(void **state)
{
    (void)state;
    struct file_watch watch;
    put("archive/1");
    put("archive/2");
    unlink("live/a");
    assert_int_equal(symlink("../archive/1", "live/a"), 0);
    watch_both(&watch);
    assert_int_equal(symlink("../archive/2", "live/new"), 0);
    assert_int_equal(rename("live/new", "live/a"), 0);
    assert_true(reported(&watch));
    assert_false(looks(&watch));
    assert_true(looks(&watch));
    put("archive/2"); /* which the link did not lead to before */
    assert_true(reported(&watch));
    assert_false(looks(&watch));
    assert_true(looks(&watch));
    file_watch_done(&watch);
}

static void test_a_change_of_another_file_in_the_folder_is_none(void **state)
{
    (void)state;
    struct file_watch watch;
    watch_both(&watch);
    put("live/new");
    assert_true(reported(&watch));
    assert_false(looks(&watch));
    assert_false(looks(&watch));
    file_watch_done(&watch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_change_is_told_once_and_when_it_is_at_rest),
        cmocka_unit_test(test_what_no_report_tells_is_seen_within_a_minute),
        cmocka_unit_test(test_a_file_that_vanishes_and_comes_back_changes_twice),
        cmocka_unit_test(test_what_a_link_leads_to_is_watched_too_and_so_is_the_link),
        cmocka_unit_test(test_a_change_of_another_file_in_the_folder_is_none),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
