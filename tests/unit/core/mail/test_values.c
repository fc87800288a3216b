#include "core/mail/date.h"
#include "core/mail/outcome.h"
#include "core/mail/status.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void dates_are_printed_as_rfc_5322_has_them(void **state)
{
    static const struct {
        int64_t seconds;
        const char *text;
    } rows[] = {
        {0, "Thu, 1 Jan 1970 00:00:00 +0000"},
        {951782400, "Tue, 29 Feb 2000 00:00:00 +0000"},
        {1795505730, "Tue, 24 Nov 2026 07:35:30 +0000"},
        {-1, "Wed, 31 Dec 1969 23:59:59 +0000"},
        {4107542400, "Mon, 1 Mar 2100 00:00:00 +0000"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct buf out = {0};
        struct instant back;
        date_format(&out, (struct instant){rows[i].seconds * 1000000});
        assert_int_equal(out.len, strlen(rows[i].text));
        assert_memory_equal(out.ptr, rows[i].text, out.len);
        assert_true(date_parse(buf_str(&out), &back, NULL));
        assert_int_equal(instant_seconds(back), rows[i].seconds);
        buf_done(&out);
    }
}

static void dates_are_read_in_the_obsolete_forms_too(void **state)
{
    static const struct {
        const char *text;
        int64_t seconds;
        int zone;
    } rows[] = {
        {"Tue, 24 Nov 2026 09:35:30 +0200", 1795505730, 120},
        {"24 Nov 2026 07:35 GMT", 1795505700, 0},
        {"Tue, 24 Nov 26 02:35:30 EST (Eastern (really))", 1795505730, -300},
        {"Tue,\r\n 24 (day) Nov 2026 07 : 35 : 30 -0000", 1795505730, 0},
        {"1 Jan 070 00:00:00 UT", 0, 0},
    };
    static const char *const refused[] = {
        "",
        "31 Feb 2026 00:00:00 +0000",
        "1 Jan 2026 24:00:00 +0000",
        "1 Jan 2026 00:00:00 +0060",
        "1 Jan 2026 00:00:00",
        "1 Foo 2026 00:00:00 +0000",
        "1 Jan 2026 00:00:00 +0000 x",
        "0 Jan 2026 00:00:00 +0000",
        "1 Jan 2026 00:00:00 +0000 (open",
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct instant t;
        int zone;
        if (!date_parse(str_from_cstr(rows[i].text), &t, &zone)) {
            fail_msg("%s", rows[i].text);
        }
        assert_int_equal(instant_seconds(t), rows[i].seconds);
        assert_int_equal(zone, rows[i].zone);
    }
    for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
        struct instant t;
        if (date_parse(str_from_cstr(refused[i]), &t, NULL)) {
            fail_msg("%s", refused[i]);
        }
    }
}

static void status_codes_have_a_class_and_two_short_numbers(void **state)
{
    static const char *const refused[] = {"",         "5",    "5.1",    "5.1.1.1", "3.1.1",
                                          "5.1000.1", "5..1", "5.1.1 ", "55.1.1",  "5.1.-1"};
    struct status_code status;
    struct buf out = {0};
    (void)state;
    assert_true(status_parse(STR("5.1.999"), &status));
    status_format(&out, status);
    assert_true(str_eq(buf_str(&out), STR("5.1.999")));
    buf_done(&out);
    for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
        assert_false(status_parse(str_from_cstr(refused[i]), &status));
    }
}

static void internet_dates_are_read_with_any_offset_and_nothing_that_is_none(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t seconds; /* -1: none */
    } rows[] = {
        {"2026-11-24T10:00:01Z", 1795514401},
        {"2026-11-24t11:00:01.999+01:00", 1795514401},
        {"2026-11-24T04:30:01-05:30", 1795514401},
        {"2000-02-29T00:00:00Z", 951782400},
        {"2001-02-29T00:00:00Z", -1},
        {"2026-00-24T10:00:01Z", -1},
        {"2026-13-24T10:00:01Z", -1},
        {"2026-11-00T10:00:01Z", -1},
        {"0000-11-24T10:00:01Z", -1},
        {"2026-11-24T24:00:01Z", -1},
        {"2026-11-24T10:60:01Z", -1},
        {"2026-11-24T10:00:61Z", -1},
        {"2026-11-24T10:00:01", -1},
        {"2026-11-24T10:00:01.Z", -1},
        {"2026-11-24T10:00:01+0100", -1},
        {"2026-11-24T10:00:01+24:00", -1},
        {"2026-11-24 10:00:01Z", -1},
        {"2026-11-24T10:00:01Zx", -1},
        {"26-11-24T10:00:01Z", -1},
        {"", -1},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct instant t = {-1000000};
        bool read = date_parse_internet(str_from_cstr(rows[i].text), &t);
        if (read != (rows[i].seconds >= 0) || t.us != rows[i].seconds * 1000000) {
            fail_msg("\"%s\" is %lld", rows[i].text, (long long)t.us);
        }
    }
}

static struct envelope sample(struct envelope_rcpt rcpts[2])
{
    rcpts[0] = (struct envelope_rcpt){.address = STR("a@b"), .notify = NOTIFY_SUCCESS};
    rcpts[1] = (struct envelope_rcpt){.address = STR("c@d"), .orcpt = STR("rfc822;x@y")};
    return (struct envelope){.id = {42},
                             .reverse_path = STR("me@here"),
                             .envid = STR("e"),
                             .ret = RET_HDRS,
                             .body = BODY_8BITMIME,
                             .smtputf8 = true,
                             .submitted = true,
                             .body_size = 12345,
                             .arrived = {77},
                             .release = {99},
                             .priority = -9,
                             .by = {-600, BY_NOTIFY, true},
                             .client_ip = {.family = IP_V4, .bytes = {192, 0, 2, 1}},
                             .helo = STR("h"),
                             .protocol = STR("ESMTP"),
                             .rcpts = rcpts,
                             .rcpt_count = 2};
}

static void an_envelope_comes_back_as_it_was_and_no_part_of_it_passes(void **state)
{
    struct envelope_rcpt rcpts[2];
    struct envelope e = sample(rcpts);
    struct envelope back = {0};
    struct arena arena = {0};
    struct buf bytes = {0};
    struct buf again = {0};
    (void)state;
    envelope_encode(&bytes, &e);
    assert_true(envelope_decode(buf_str(&bytes), &arena, &back));
    envelope_encode(&again, &back);
    assert_true(str_eq(buf_str(&bytes), buf_str(&again)));
    assert_int_equal(back.id.value, 42);
    assert_int_equal(back.release.us, 99);
    assert_int_equal(back.priority, -9);
    assert_int_equal(back.by.seconds, -600);
    assert_int_equal(back.by.mode, BY_NOTIFY);
    assert_true(back.by.trace);
    assert_true(back.submitted && back.smtputf8 && !back.is_report);
    assert_true(str_eq(back.rcpts[1].orcpt, STR("rfc822;x@y")));
    for (size_t n = 0; n < bytes.len; n++) {
        struct envelope untouched = {.id = {1}};
        assert_false(envelope_decode(str_head(buf_str(&bytes), n), &arena, &untouched));
        assert_int_equal(untouched.id.value, 1);
    }
    buf_add_char(&bytes, 'x');
    assert_false(envelope_decode(buf_str(&bytes), &arena, &back));
    buf_done(&bytes);
    buf_done(&again);
    arena_done(&arena);
}

/* Spools that were written before, and the room that the queue reads of each message. */
static void an_envelope_without_a_time_to_deliver_by_has_the_form_that_it_always_had(void **state)
{
    struct envelope_rcpt rcpts[2];
    struct envelope e = sample(rcpts);
    struct buf with = {0};
    struct buf without = {0};
    (void)state;
    envelope_encode(&with, &e);
    e.by = (struct deliver_by){0};
    envelope_encode(&without, &e);
    enum { FLAGS_AT = 1 + 8 + 8 + 8 + 1 + 1 };
    assert_int_equal(without.ptr[FLAGS_AT] & 0x80, 0);
    assert_int_equal(with.len, without.len + 1 + 4);
    buf_done(&with);
    buf_done(&without);
}

static void a_stored_time_to_deliver_by_is_within_its_bounds_or_the_record_is_damaged(void **state)
{
    (void)state;
    static const struct {
        struct deliver_by by;
        bool read;
    } rows[] = {{{1, BY_RETURN, false}, true},
                {{0, BY_RETURN, false}, false},
                {{-1, BY_RETURN, true}, false},
                {{0, BY_NOTIFY, false}, true},
                {{BY_SECONDS_MAX, BY_RETURN, false}, true},
                {{BY_SECONDS_MAX + 1, BY_RETURN, false}, false},
                {{-BY_SECONDS_MAX, BY_NOTIFY, false}, true},
                {{-BY_SECONDS_MAX - 1, BY_NOTIFY, false}, false}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct envelope_rcpt rcpts[2];
        struct envelope e = sample(rcpts);
        struct arena arena = {0};
        struct buf bytes = {0};
        e.by = rows[i].by;
        envelope_encode(&bytes, &e);
        if (envelope_decode(buf_str(&bytes), &arena, &e) != rows[i].read) {
            fail_msg("%d s in mode %d", rows[i].by.seconds, (int)rows[i].by.mode);
        }
        buf_done(&bytes);
        arena_done(&arena);
    }
}

static void what_is_left_of_a_time_is_rounded_down(void **state)
{
    (void)state;
    static const struct {
        int32_t seconds;
        int64_t elapsed_us;
        int32_t left;
    } rows[] = {{10, 0, 10},
                {10, 1, 9},
                {10, 999999, 9},
                {10, 1000000, 9},
                {10, 9000001, 0},
                {10, 10000000, 0},
                {10, 10000001, -1},
                {-10, 1, -11},
                {10, -1, 10},
                {BY_SECONDS_MAX, -5000000, BY_SECONDS_MAX},
                {-BY_SECONDS_MAX, 5000000, -BY_SECONDS_MAX}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct deliver_by by = {rows[i].seconds, BY_NOTIFY, true};
        struct deliver_by left = deliver_by_left(by, (struct instant){1000},
                                                 (struct instant){1000 + rows[i].elapsed_us});
        if (left.seconds != rows[i].left || left.mode != BY_NOTIFY || !left.trace) {
            fail_msg("%d s after %lld us: %d", rows[i].seconds, (long long)rows[i].elapsed_us,
                     left.seconds);
        }
    }
    assert_int_equal(
        deliver_by_left((struct deliver_by){0}, (struct instant){0}, (struct instant){9000000})
            .seconds,
        0);
}

static void outcomes_joined_end_to_end_come_apart_again(void **state)
{
    struct outcome_child children[] = {{STR("x@y"), STR("")}, {STR("z@y"), STR("owner@y")}};
    struct outcome one = {.rcpt = 3,
                          .kind = OUTCOME_EXPANDED,
                          .at = {5},
                          .status = {2, 0, 0},
                          .text = STR("list"),
                          .children = children,
                          .child_count = 2};
    struct outcome two = {.rcpt = OUTCOME_ALL_RCPTS, .kind = OUTCOME_HELD, .reply_code = 999};
    struct outcome back;
    struct arena arena = {0};
    struct buf bytes = {0};
    (void)state;
    outcome_encode(&bytes, &one);
    size_t first = bytes.len;
    outcome_encode(&bytes, &two);
    struct str rest = buf_str(&bytes);
    assert_int_equal(outcome_decode(&rest, &arena, &back), 1);
    assert_int_equal(back.child_count, 2);
    assert_true(str_eq(back.children[1].sender, STR("owner@y")));
    assert_int_equal(outcome_decode(&rest, &arena, &back), 1);
    assert_int_equal(back.rcpt, OUTCOME_ALL_RCPTS);
    assert_int_equal(outcome_decode(&rest, &arena, &back), 0);
    for (size_t n = 1; n < first; n++) {
        rest = str_head(buf_str(&bytes), n);
        assert_int_equal(outcome_decode(&rest, &arena, &back), -1);
        assert_int_equal(rest.len, n);
    }
    buf_done(&bytes);
    arena_done(&arena);
}

static void only_what_ends_a_recipients_story_is_final(void **state)
{
    (void)state;
    assert_true(outcome_is_final(OUTCOME_DELIVERED));
    assert_true(outcome_is_final(OUTCOME_REMOVED));
    assert_false(outcome_is_final(OUTCOME_DEFERRED));
    assert_false(outcome_is_final(OUTCOME_REPORTED));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dates_are_printed_as_rfc_5322_has_them),
        cmocka_unit_test(dates_are_read_in_the_obsolete_forms_too),
        cmocka_unit_test(status_codes_have_a_class_and_two_short_numbers),
        cmocka_unit_test(internet_dates_are_read_with_any_offset_and_nothing_that_is_none),
        cmocka_unit_test(an_envelope_comes_back_as_it_was_and_no_part_of_it_passes),
        cmocka_unit_test(an_envelope_without_a_time_to_deliver_by_has_the_form_that_it_always_had),
        cmocka_unit_test(a_stored_time_to_deliver_by_is_within_its_bounds_or_the_record_is_damaged),
        cmocka_unit_test(what_is_left_of_a_time_is_rounded_down),
        cmocka_unit_test(outcomes_joined_end_to_end_come_apart_again),
        cmocka_unit_test(only_what_ends_a_recipients_story_is_final),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
