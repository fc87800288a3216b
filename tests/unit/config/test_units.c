#include "config/units.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void sizes_are_read_in_both_kinds_of_units(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t size;
    } rows[] = {
        {"0", 0},
        {"4096", 4096},
        {"7B", 7},
        {"64 KiB", 65536},
        {"64\tkib", 65536},
        {"1K", 1024},
        {"1kb", 1000},
        {"50MiB", 52428800},
        {"1GB", 1000000000},
        {"2TiB", UINT64_C(2199023255552)},
        {"18446744073709551615", UINT64_MAX},
        {"16777215TiB", UINT64_C(16777215) << 40},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        uint64_t size = 0;
        if (!text_size(str_from_cstr(rows[i].text), &size) || size != rows[i].size) {
            fail_msg("%s: %llu", rows[i].text, (unsigned long long)size);
        }
    }
}

static void what_is_no_size_or_too_large_is_refused(void **state)
{
    (void)state;
    static const char *const rows[] = {"",
                                       "K",
                                       "-1",
                                       "+1",
                                       "1.5M",
                                       "5 apples",
                                       "1 K B",
                                       "0x10",
                                       " 1",
                                       "1MiB ",
                                       "1EiB",
                                       "1KK",
                                       "1,000",
                                       "18446744073709551616",
                                       "16777216TiB",
                                       "18446744073709551615B B"};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        uint64_t size = 77;
        if (text_size(str_from_cstr(rows[i]), &size) || size != 77) {
            fail_msg("took \"%s\"", rows[i]);
        }
    }
}

static void times_are_sums_from_the_largest_unit_down(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t us;
    } rows[] = {
        {"0", 0},
        {"0s", 0},
        {"250ms", 250000},
        {"5us", 5},
        {"5m", 300000000},
        {"1h30m", INT64_C(5400000000)},
        {"1 h 30 m", INT64_C(5400000000)},
        {"5d", INT64_C(432000000000)},
        {"1w1d1h1m1s1ms1us", INT64_C(694861001001)},
        {"9223372036854775807us", INT64_MAX},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct span span = {-1};
        if (!text_span(str_from_cstr(rows[i].text), &span) || span.us != rows[i].us) {
            fail_msg("%s: %lld", rows[i].text, (long long)span.us);
        }
    }
}

static void what_is_no_time_is_refused(void **state)
{
    (void)state;
    static const char *const rows[] = {"",
                                       "5",
                                       "m",
                                       "5M",
                                       "30m1h",
                                       "1h1h",
                                       "-1h",
                                       "1.5h",
                                       "1h ",
                                       " 1h",
                                       "1h,1m",
                                       "1y",
                                       "00",
                                       "1hm",
                                       "9223372036854775808us",
                                       "9223372036854775807us1us",
                                       "15250285w",
                                       "9223372036854775807w"};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct span span = {77};
        if (text_span(str_from_cstr(rows[i]), &span) || span.us != 77) {
            fail_msg("took \"%s\"", rows[i]);
        }
    }
}

static void what_is_printed_means_the_same_and_is_short(void **state)
{
    (void)state;
    static const struct {
        uint64_t size;
        const char *text;
    } sizes[] = {{0, "0"},
                 {1, "1"},
                 {1024, "1KiB"},
                 {52428800, "50MiB"},
                 {1000000000, "1GB"},
                 {1025, "1025"},
                 {UINT64_MAX, "18446744073709551615"}};
    static const struct {
        int64_t us;
        const char *text;
    } spans[] = {{0, "0"},
                 {1, "1us"},
                 {-60000000, "-1m"},
                 {INT64_C(5400000000), "1h30m"},
                 {INT64_C(604800000000), "7d"}};
    struct buf out = {0};
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        buf_clear(&out);
        size_format(&out, sizes[i].size);
        assert_true(str_eq(buf_str(&out), str_from_cstr(sizes[i].text)));
    }
    for (size_t i = 0; i < ARRAY_LEN(spans); i++) {
        buf_clear(&out);
        span_format(&out, (struct span){spans[i].us});
        assert_true(str_eq(buf_str(&out), str_from_cstr(spans[i].text)));
    }
    for (uint64_t random = 1, i = 0; i < 20000; i++) {
        random = random * 6364136223846793005U + 1442695040888963407U;
        uint64_t size = 0;
        struct span span = {0};
        uint64_t value = random >> (random & 63);
        buf_clear(&out);
        size_format(&out, value);
        assert_true(text_size(buf_str(&out), &size) && size == value);
        buf_clear(&out);
        span_format(&out, (struct span){(int64_t)(value >> 1)});
        assert_true(text_span(buf_str(&out), &span) && span.us == (int64_t)(value >> 1));
    }
    buf_done(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_are_read_in_both_kinds_of_units),
        cmocka_unit_test(what_is_no_size_or_too_large_is_refused),
        cmocka_unit_test(times_are_sums_from_the_largest_unit_down),
        cmocka_unit_test(what_is_no_time_is_refused),
        cmocka_unit_test(what_is_printed_means_the_same_and_is_short),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
