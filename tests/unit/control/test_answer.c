#include "control/answer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define NOON ((struct instant){INT64_C(1795514401000000)}) /* 2026-11-24 10:00:01 UTC */

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text ? text : "";
}

static void expect_text(struct str given, const char *expected)
{
    json_t *value = answer_text(given);
    assert_non_null(value);
    assert_int_equal(json_string_length(value), strlen(expected));
    assert_string_equal(json_string_value(value), expected);
    json_decref(value);
}

static void whatever_bytes_another_server_says_the_answer_is_json(void **state)
{
    (void)state;
    expect_text(STR(""), "");
    expect_text((struct str){0}, "");
    expect_text(STR("Gr\xc3\xbc\xc3\x9f"), "Gr\xc3\xbc\xc3\x9f");
    expect_text(STR("Gr\xfc\xdf"), "Gr\xc3\xbc\xc3\x9f"); /* as Latin-1 */
    for (unsigned c = 0; c < 256; c++) {
        char bytes[] = {'a', (char)c, 'z'};
        json_t *value = answer_text(str_from(bytes, sizeof bytes));
        assert_non_null(value);
        char *line = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
        assert_non_null(line);
        assert_null(strchr(line, '\n')); /* an answer stays one line */
        free(line);
        json_decref(value);
    }
}

static void times_are_of_rfc_3339_and_unknown_ones_null(void **state)
{
    (void)state;
    json_t *noon = answer_time(NOON);
    json_t *unknown = answer_time((struct instant){0});
    assert_string_equal(json_string_value(noon), "2026-11-24T10:00:01Z");
    assert_true(json_is_null(unknown));
    json_decref(noon);
    json_decref(unknown);
}

static void a_message_is_told_with_each_recipients_last_reply(void **state)
{
    (void)state;
    struct envelope_rcpt envelope_rcpt = {.address = STR("r@b.example")};
    struct envelope envelope = {.id = {12345 << 8},
                                .reverse_path = STR("s@a.example"),
                                .body_size = 321,
                                .arrived = NOON,
                                .rcpts = &envelope_rcpt,
                                .rcpt_count = 1};
    struct outcome last = {.kind = OUTCOME_DEFERRED,
                           .at = NOON,
                           .status = {4, 7, 1},
                           .reply_code = 451,
                           .host = STR("mx1.b.example"),
                           .peer = {.ip = {IP_V4, {192, 0, 2, 1}}, .port = 25},
                           .text = STR("451 4.7.1 Later\n451 please")};
    struct queue_item_rcpt rcpt = {.address = STR("r@b.example"), .attempts = 2, .last = &last};
    struct queue_item item = {.id = envelope.id,
                              .envelope = &envelope,
                              .state = QUEUE_WAITING,
                              .age = SPAN_MIN(2),
                              .rcpts = &rcpt,
                              .rcpt_count = 1,
                              .wait = {.kind = WAIT_TIME}};
    json_t *value = answer_item(&item);
    const json_t *told = json_array_get(json_object_get(value, "recipients"), 0);
    const json_t *reply = json_object_get(told, "last");
    assert_string_equal(text_of(value, "sender"), "s@a.example");
    assert_string_equal(text_of(value, "state"), "waiting");
    assert_string_equal(text_of(json_object_get(value, "waits"), "for"), "time");
    assert_int_equal(json_integer_value(json_object_get(value, "age_s")), 120);
    assert_int_equal(json_integer_value(json_object_get(value, "size")), 321);
    assert_string_equal(text_of(told, "state"), "pending");
    assert_string_equal(text_of(reply, "kind"), "deferred");
    assert_string_equal(text_of(reply, "status"), "4.7.1");
    assert_string_equal(text_of(reply, "peer"), "192.0.2.1:25");
    assert_string_equal(text_of(reply, "text"), "451 4.7.1 Later\n451 please");
    json_decref(value);
}

static void of_very_many_recipients_the_number_is_told(void **state)
{
    (void)state;
    static struct queue_item_rcpt rcpts[ANSWER_RCPTS_MAX + 1];
    struct envelope envelope = {.id = {1 << 8}};
    struct queue_item item = {.id = envelope.id, .envelope = &envelope, .state = QUEUE_HELD};
    item.rcpts = rcpts;
    for (size_t over = 0; over <= 1; over++) {
        item.rcpt_count = ANSWER_RCPTS_MAX + over;
        json_t *value = answer_item(&item);
        assert_int_equal(json_array_size(json_object_get(value, "recipients")), ANSWER_RCPTS_MAX);
        assert_int_equal(json_integer_value(json_object_get(value, "rcpt_count")), item.rcpt_count);
        json_decref(value);
    }
}

static void a_story_is_told_in_words_and_in_events(void **state)
{
    (void)state;
    struct envelope_rcpt rcpt = {.address = STR("r@b.example")};
    struct outcome outcomes[] = {
        {.kind = OUTCOME_DEFERRED, .at = NOON, .host = STR("mx1"), .text = STR("451 Later")},
        {.kind = OUTCOME_RELAYED, .at = NOON, .host = STR("mx1"), .text = STR("250 Taken")}};
    struct story story = {.envelope = {.id = {77 << 8},
                                       .reverse_path = STR("s@a.example"),
                                       .arrived = NOON,
                                       .rcpts = &rcpt,
                                       .rcpt_count = 1},
                          .outcomes = outcomes,
                          .outcome_count = 2,
                          .finished = NOON};
    json_t *value = answer_story(&story, NOON);
    const json_t *events = json_object_get(value, "events");
    const json_t *told = json_array_get(json_object_get(value, "recipients"), 0);
    assert_int_equal(json_array_size(events), 2);
    assert_int_equal(json_integer_value(json_object_get(value, "event_count")), 2);
    assert_string_equal(text_of(json_array_get(events, 0), "recipient"), "r@b.example");
    assert_string_equal(text_of(told, "address"), "r@b.example");
    assert_string_equal(text_of(told, "state"), "relayed");
    assert_int_equal(json_integer_value(json_object_get(told, "attempts")), 1);
    assert_string_equal(text_of(json_array_get(events, 0), "text"), "451 Later");
    assert_string_equal(text_of(json_array_get(events, 1), "kind"), "relayed");
    assert_string_equal(text_of(value, "finished"), "2026-11-24T10:00:01Z");
    assert_non_null(strstr(text_of(value, "words"), "attempt 1 did not succeed"));
    assert_non_null(strstr(text_of(value, "words"), "250 Taken"));
    json_decref(value);
}

static void members_of_a_list_are_told_by_their_addresses_and_by_whose_way(void **state)
{
    (void)state;
    struct envelope_rcpt rcpt = {.address = STR("list@b.example")};
    struct outcome_child child = {.address = STR("anna@c.example")};
    struct outcome outcomes[] = {
        {.kind = OUTCOME_EXPANDED, .at = NOON, .children = &child, .child_count = 1},
        {.rcpt = 1, .kind = OUTCOME_FAILED, .at = NOON, .text = STR("550 no")}};
    struct story story = {.envelope = {.id = {77 << 8}, .rcpts = &rcpt, .rcpt_count = 1},
                          .outcomes = outcomes,
                          .outcome_count = 2};
    json_t *value = answer_story(&story, NOON);
    const json_t *events = json_object_get(value, "events");
    const json_t *member = json_array_get(json_object_get(value, "recipients"), 1);
    assert_string_equal(text_of(member, "address"), "anna@c.example");
    assert_string_equal(text_of(member, "by_way_of"), "list@b.example");
    assert_string_equal(text_of(member, "state"), "failed");
    assert_string_equal(text_of(json_array_get(events, 0), "recipient"), "list@b.example");
    assert_string_equal(text_of(json_array_get(events, 1), "recipient"), "anna@c.example");
    json_decref(value);
}

static void of_very_many_events_the_newest_are_told_and_their_number(void **state)
{
    (void)state;
    static struct outcome outcomes[ANSWER_EVENTS_MAX + 1];
    struct envelope_rcpt rcpt = {.address = STR("r@b.example")};
    struct story story = {.envelope = {.id = {77 << 8}, .rcpts = &rcpt, .rcpt_count = 1},
                          .outcomes = outcomes};
    for (size_t i = 0; i < ARRAY_LEN(outcomes); i++) {
        outcomes[i] = (struct outcome){.kind = OUTCOME_DEFERRED, .reply_code = (uint16_t)i};
    }
    for (size_t over = 0; over <= 1; over++) {
        story.outcome_count = ANSWER_EVENTS_MAX + over;
        json_t *value = answer_story(&story, NOON);
        const json_t *events = json_object_get(value, "events");
        const json_t *first = json_array_get(events, 0);
        assert_int_equal(json_array_size(events), ANSWER_EVENTS_MAX);
        assert_int_equal(json_integer_value(json_object_get(first, "code")), over);
        assert_int_equal(json_integer_value(json_object_get(value, "event_count")),
                         story.outcome_count);
        json_decref(value);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whatever_bytes_another_server_says_the_answer_is_json),
        cmocka_unit_test(times_are_of_rfc_3339_and_unknown_ones_null),
        cmocka_unit_test(a_message_is_told_with_each_recipients_last_reply),
        cmocka_unit_test(of_very_many_recipients_the_number_is_told),
        cmocka_unit_test(a_story_is_told_in_words_and_in_events),
        cmocka_unit_test(members_of_a_list_are_told_by_their_addresses_and_by_whose_way),
        cmocka_unit_test(of_very_many_events_the_newest_are_told_and_their_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
