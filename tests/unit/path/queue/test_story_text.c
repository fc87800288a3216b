#include "path/queue/story_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static void times_are_shown_in_utc(void **state)
{
    (void)state;
    static const struct {
        int64_t seconds;
        const char *text;
    } rows[] = {{0, "1970-01-01 00:00:00 UTC"},          {-1, "1969-12-31 23:59:59 UTC"},
                {951782400, "2000-02-29 00:00:00 UTC"},  {1795514401, "2026-11-24 10:00:01 UTC"},
                {4107542399, "2100-02-28 23:59:59 UTC"}, {4107542400, "2100-03-01 00:00:00 UTC"}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct buf out = {0};
        story_time(&out, (struct instant){rows[i].seconds * 1000000});
        assert_true(str_eq(buf_str(&out), str_from_cstr(rows[i].text)));
        buf_done(&out);
    }
}

static void spans_are_shown_in_two_units(void **state)
{
    (void)state;
    static const struct {
        int64_t seconds;
        const char *text;
    } rows[] = {{-5, "0 s"},         {0, "0 s"},
                {59, "59 s"},        {60, "1 min"},
                {61, "1 min 1 s"},   {3600, "1 h"},
                {3660, "1 h 1 min"}, {3601, "1 h"},
                {86400, "1 day"},    {180000, "2 days 2 h"},
                {93661, "1 day 2 h"}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct buf out = {0};
        story_span(&out, SPAN_S(rows[i].seconds));
        if (!str_eq(buf_str(&out), str_from_cstr(rows[i].text))) {
            fail_msg("%s: %.*s", rows[i].text, STR_ARG(buf_str(&out)));
        }
        buf_done(&out);
    }
}

static const char *const words[] = {
    "from <ann@home.test>, 1234 octets\n",
    "Received 2026-11-24 10:00:01 UTC from client.example.org [192.0.2.7], which called itself "
    "client, by ESMTP\n",
    "Recipient <list@here.test>\n  2026-11-24 10:00:01 UTC  an alias or list of 1: "
    "<bob@there.test>\n",
    "Recipient <bob@there.test>, by way of <list@here.test>\n  2026-11-24 10:00:01 UTC  "
    "attempt 1 did not succeed: mx1.there.test [192.0.2.9]:25 answered: 451 4.7.1 "
    "Greylisted\n",
    "attempt 2 did not succeed: no host could be reached (4.4.1)\n",
    "Now it waits for smtp:mx1.there.test:25 to be reachable again (last met with: connection "
    "refused), since 2026-11-24 10:05:01 UTC (1 min)\n",
    "Next attempt: 2026-11-24 10:15:01 UTC (in 9 min)\n",
    "It will be given up 2026-11-29 10:00:01 UTC (in 4 days 23 h)\n",
};

static void a_story_tells_everything_in_order(void **state)
{
    (void)state;
    const struct instant start = {INT64_C(1795514401000000)};
    struct envelope_rcpt rcpt = {.address = STR("list@here.test")};
    struct outcome_child child = {.address = STR("bob@there.test")};
    struct outcome outcomes[] = {
        {.kind = OUTCOME_EXPANDED, .at = start, .children = &child, .child_count = 1},
        {.rcpt = 1,
         .kind = OUTCOME_DEFERRED,
         .at = start,
         .status = {4, 7, 1},
         .reply_code = 451,
         .host = STR("mx1.there.test"),
         .peer = {{IP_V4, {192, 0, 2, 9}}, 25},
         .text = STR("451 4.7.1 Greylisted")},
        {.rcpt = 1,
         .kind = OUTCOME_DEFERRED,
         .at = instant_add(start, SPAN_MIN(5)),
         .status = {4, 4, 1},
         .text = STR("no host could be reached")}};
    struct story story = {
        .envelope = {.id = {UINT64_C(1795514401000000) << 8},
                     .reverse_path = STR("ann@home.test"),
                     .arrived = start,
                     .client_ip = {IP_V4, {192, 0, 2, 7}},
                     .client_name = STR("client.example.org"),
                     .helo = STR("client"),
                     .protocol = STR("ESMTP"),
                     .body_size = 1234,
                     .rcpts = &rcpt,
                     .rcpt_count = 1},
        .outcomes = outcomes,
        .outcome_count = 3,
        .wait = {.kind = WAIT_SITE_DOWN,
                 .since = instant_add(start, SPAN_MIN(5)),
                 .until = instant_add(start, SPAN_MIN(15)),
                 .site = STR("smtp:mx1.there.test:25"),
                 .reason = STR("connection refused")},
        .next = instant_add(start, SPAN_MIN(15)),
        .give_up = instant_add(start, SPAN_D(5)),
    };
    struct buf out = {0};
    story_render(&out, &story, instant_add(start, SPAN_MIN(6)));
    struct str rest = buf_str(&out);
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        size_t at = str_find_str(rest, str_from_cstr(words[i]));
        if (at == STR_NONE) {
            fail_msg("missing: %s\nin: %.*s", words[i], STR_ARG(rest));
        }
        rest = str_tail(rest, at + 1);
    }
    assert_true(story_is_about(&story, STR("BOB@there.test")));
    assert_true(story_is_about(&story, STR("ann@home.test")));
    assert_false(story_is_about(&story, STR("eve@there.test")));
    buf_done(&out);
}

static void of_very_many_recipients_a_thousand_are_told_and_how_many_more(void **state)
{
    (void)state;
    static struct envelope_rcpt rcpts[1002];
    static char addresses[1002][16];
    struct story story = {.envelope = {.id = {1 << 8}, .rcpts = rcpts}};
    for (size_t i = 0; i < ARRAY_LEN(rcpts); i++) {
        (void)snprintf(addresses[i], sizeof addresses[i], "r%zu@x.test", i);
        rcpts[i].address = str_from_cstr(addresses[i]);
    }
    for (size_t over = 0; over <= 2; over += 2) {
        struct buf out = {0};
        story.envelope.rcpt_count = 1000 + over;
        story_render(&out, &story, (struct instant){0});
        assert_true(str_find_str(buf_str(&out), STR("<r999@x.test>")) != STR_NONE);
        assert_true(str_find_str(buf_str(&out), STR("<r1000@x.test>")) == STR_NONE);
        assert_int_equal(str_find_str(buf_str(&out), STR("and 2 more")) != STR_NONE, over == 2);
        buf_done(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_are_shown_in_utc),
        cmocka_unit_test(spans_are_shown_in_two_units),
        cmocka_unit_test(a_story_tells_everything_in_order),
        cmocka_unit_test(of_very_many_recipients_a_thousand_are_told_and_how_many_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
