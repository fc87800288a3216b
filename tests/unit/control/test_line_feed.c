#include "control/line_feed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void expect_line(struct line_feed *f, const char *text)
{
    struct str line;
    assert_int_equal(line_feed_next(f, &line), LINE_FEED_LINE);
    assert_int_equal(line.len, strlen(text));
    assert_memory_equal(line.ptr ? line.ptr : "", text, line.len);
}

static void expect_none(struct line_feed *f, enum line_feed_result result)
{
    struct str line;
    assert_int_equal(line_feed_next(f, &line), result);
}

static void lines_end_with_lf_or_crlf(void **state)
{
    (void)state;
    struct line_feed f = {.limit = 10};
    assert_true(line_feed_add(&f, STR("one\ntwo\r\n\nrest")));
    expect_line(&f, "one");
    expect_line(&f, "two");
    expect_line(&f, "");
    expect_none(&f, LINE_FEED_MORE);
    assert_int_equal(line_feed_waiting(&f), 4);
    assert_true(line_feed_add(&f, STR("!\n")));
    expect_line(&f, "rest!");
    line_feed_done(&f);
}

static void bytes_may_come_one_by_one(void **state)
{
    (void)state;
    struct line_feed f = {.limit = 10};
    struct str bytes = STR("{\"a\":1}\r\n{}\n");
    size_t seen = 0;
    for (size_t i = 0; i < bytes.len; i++) {
        struct str line;
        assert_true(line_feed_add(&f, str_from(bytes.ptr + i, 1)));
        if (line_feed_next(&f, &line) == LINE_FEED_LINE) {
            assert_true(str_eq(line, seen++ == 0 ? STR("{\"a\":1}") : STR("{}")));
        }
    }
    assert_int_equal(seen, 2);
    assert_int_equal(line_feed_waiting(&f), 0);
    line_feed_done(&f);
}

static void a_line_may_be_as_long_as_the_limit_and_no_longer(void **state)
{
    (void)state;
    struct line_feed fits = {.limit = 5};
    struct line_feed over = {.limit = 5};
    assert_true(line_feed_add(&fits, STR("12345\r\n")));
    expect_line(&fits, "12345");
    assert_true(line_feed_add(&over, STR("123456\n")));
    expect_none(&over, LINE_FEED_TOO_LONG);
    line_feed_done(&fits);
    line_feed_done(&over);
}

static void a_line_without_an_end_is_too_long_as_soon_as_it_must_be(void **state)
{
    (void)state;
    struct line_feed f = {.limit = 5};
    assert_true(line_feed_add(&f, STR("12345\r")));
    expect_none(&f, LINE_FEED_MORE); /* the CR may be of its end */
    assert_true(line_feed_add(&f, STR("x")));
    expect_none(&f, LINE_FEED_TOO_LONG);
    line_feed_done(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_end_with_lf_or_crlf),
        cmocka_unit_test(bytes_may_come_one_by_one),
        cmocka_unit_test(a_line_may_be_as_long_as_the_limit_and_no_longer),
        cmocka_unit_test(a_line_without_an_end_is_too_long_as_soon_as_it_must_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
