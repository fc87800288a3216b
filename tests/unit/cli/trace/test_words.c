#include "cli/trace/words.h"

// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include <string.h>

static void is(struct buf *out, const char *text)
{
    buf_add_char(out, '\0');
    assert_string_equal(out->ptr, text);
    buf_done(out);
}

static void a_span_is_said_in_its_two_greatest_units(void **state)
{
    (void)state;
    static const struct {
        int64_t seconds;
        const char *words;
        unsigned bar;
    } rows[] = {{0, "0 s", 0},
                {1, "1 s", 1},
                {-1, "-1 s", 1},
                {59, "59 s", 4},
                {60, "1 min", 4},
                {61, "1 min 1 s", 4},
                {3600, "1 h", 7},
                {3601, "1 h", 7},
                {3660, "1 h 1 min", 7},
                {90061, "1 d 1 h", 9},
                {604799, "6 d 23 h", 9},
                {604800, "7 d", 10},
                {INT64_MAX, "106751991167300 d 15 h", 10},
                {INT64_MIN, "-106751991167300 d 15 h", 10}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct buf out = {0};
        words_span(&out, rows[i].seconds);
        is(&out, rows[i].words);
        assert_int_equal(words_bar(rows[i].seconds), rows[i].bar);
    }
}

static void a_time_beyond_the_calendar_is_its_end(void **state)
{
    (void)state;
    static const struct {
        int64_t seconds;
        const char *words;
    } rows[] = {{1795504534, "2026-11-24 07:15:34 UTC"},
                {-1, "1970-01-01 00:00:00 UTC"},
                {INT64_MIN, "1970-01-01 00:00:00 UTC"},
                {INT64_MAX, "9999-12-31 23:59:59 UTC"}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct buf out = {0};
        words_time(&out, rows[i].seconds);
        is(&out, rows[i].words);
    }
}

static void a_client_is_named_by_what_is_best_known_of_it(void **state)
{
    (void)state;
    static const struct {
        const char *field, *words;
    } rows[] = {
        {"from a.example (b.example [192.0.2.1]) by c.example", "b.example [192.0.2.1], called "
                                                                "itself a.example"},
        {"from a.example (A.example [192.0.2.1]) by c.example", "A.example [192.0.2.1]"},
        {"from a.example ([192.0.2.1]) by c.example", "a.example [192.0.2.1]"},
        {"from [192.0.2.1] by c.example", "[192.0.2.1]"},
        {"from a.example by c.example", "a.example"},
        {"by c.example; Tue, 24 Nov 2026 08:15:34 +0100", "somebody on the host itself"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct received r;
        struct buf out = {0};
        received_parse(str_from_cstr(rows[i].field), &r);
        words_client(&out, &r);
        is(&out, rows[i].words);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_span_is_said_in_its_two_greatest_units),
        cmocka_unit_test(a_time_beyond_the_calendar_is_its_end),
        cmocka_unit_test(a_client_is_named_by_what_is_best_known_of_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
