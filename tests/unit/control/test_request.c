#include "control/request.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define ID "0123456789abc"

static bool reads(const char *text, struct control_question *q)
{
    const char *reason = NULL;
    json_t *json = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    bool fine = control_question_read(json, q, &reason);
    assert_true(fine || strlen(reason) > 0);
    json_decref(json);
    return fine;
}

static void the_questions_of_the_verbs_are_understood(void **state)
{
    (void)state;
    struct control_question q;
    assert_true(reads("{\"verb\":\"status\"}", &q));
    assert_int_equal(q.verb, CONTROL_STATUS);
    assert_true(reads("{\"verb\":\"message\",\"id\":\"" ID "\"}", &q));
    assert_int_equal(q.verb, CONTROL_MESSAGE);
    assert_true(q.id.value != 0);
    assert_true(reads("{\"verb\":\"why\",\"id\":\"" ID "\",\"limit\":0}", &q));
    assert_int_equal(q.verb, CONTROL_WHY);
    assert_true(q.id.value != 0);
    assert_true(reads("{\"verb\":\"why\",\"address\":\"a@b.example\",\"limit\":3}", &q));
    assert_int_equal(q.limit, 3);
    assert_int_equal(q.id.value, 0);
    assert_true(reads("{\"verb\":\"users\"}", &q));
    assert_int_equal(q.verb, CONTROL_USERS);
    assert_int_equal(q.user.len, 0);
    assert_true(reads("{\"verb\":\"users\",\"user\":\"anna\",\"limit\":5}", &q));
    assert_int_equal(q.limit, 5);
    assert_int_equal(q.user.len, 4);
    assert_true(reads("{\"verb\":\"reset\",\"user\":\"anna\"}", &q));
    assert_int_equal(q.verb, CONTROL_RESET);
    assert_true(reads("{\"verb\":\"queue\",\"action\":\"list\"}", &q));
    assert_true(reads("{\"verb\":\"queue\",\"action\":\"list\",\"selector\":{}}", &q));
}

static void every_action_has_its_name(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        enum queue_action action;
    } rows[] = {{"list", QUEUE_LIST},       {"retry", QUEUE_RETRY},   {"hold", QUEUE_HOLD},
                {"release", QUEUE_RELEASE}, {"remove", QUEUE_REMOVE}, {"bounce", QUEUE_BOUNCE}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct control_question q;
        json_t *json = json_pack("{s:s, s:s}", "verb", "queue", "action", rows[i].name);
        const char *reason = NULL;
        assert_true(control_question_read(json, &q, &reason));
        assert_int_equal(q.action, rows[i].action);
        json_decref(json);
    }
}

static void a_selector_is_read_whole(void **state)
{
    (void)state;
    const char *reason = NULL;
    struct control_question q;
    json_t *json =
        json_loads("{\"verb\":\"queue\",\"action\":\"hold\",\"selector\":{\"id\":\"" ID "\","
                   "\"sender\":\"<>\",\"recipient\":\"r@b.example\",\"domain\":\"b.example\","
                   "\"site\":\"mx1\",\"error\":\"later\",\"older_us\":7200000000,\"states\":5}}",
                   0, NULL);
    assert_true(control_question_read(json, &q, &reason));
    const struct queue_selector *s = &q.selector;
    assert_true(s->id.value != 0);
    assert_true(str_eq(s->sender, STR("<>")));
    assert_true(str_eq(s->recipient, STR("r@b.example")));
    assert_true(str_eq(s->domain, STR("b.example")));
    assert_true(str_eq(s->site, STR("mx1")));
    assert_true(str_eq(s->last_error, STR("later")));
    assert_int_equal(s->older_than.us, INT64_C(7200000000));
    assert_int_equal(s->states, QUEUE_WAITING | QUEUE_HELD);
    json_decref(json); /* the texts are its slices */
}

/* Each of these would select more than was meant if it were overlooked. */
static void what_would_widen_a_removal_is_refused(void **state)
{
    (void)state;
    static const char *const selectors[] = {
        "{\"sendr\":\"a@b.example\"}",
        "{\"sender\":\"\"}",
        "{\"sender\":1}",
        "{\"sender\":null}",
        "{\"recipient\":[]}",
        "{\"domain\":\"\"}",
        "{\"id\":\"\"}",
        "{\"id\":\"nonsense\"}",
        "{\"id\":\"0000000000000\"}",
        "{\"id\":\"" ID "0\"}",
        "{\"older_us\":0}",
        "{\"older_us\":-1}",
        "{\"older_us\":\"1\"}",
        "{\"older_us\":1.5}",
        "{\"states\":0}",
        "{\"states\":8}",
        "{\"states\":12}",
        "{\"states\":4294967297}",
        "[]",
        "null",
        "\"x\"",
        "1",
    };
    for (size_t i = 0; i < ARRAY_LEN(selectors); i++) {
        struct control_question q;
        char text[200];
        (void)snprintf(text, sizeof text,
                       "{\"verb\":\"queue\",\"action\":\"remove\",\"selector\":%s}", selectors[i]);
        if (reads(text, &q)) {
            fail_msg("accepted: %s", text);
        }
    }
}

static void what_is_no_question_is_refused_and_nothing_is_written(void **state)
{
    (void)state;
    static const char *const questions[] = {
        "null",
        "[]",
        "1",
        "{}",
        "{\"verb\":1}",
        "{\"verb\":\"\"}",
        "{\"verb\":\"queues\"}",
        "{\"verb\":\"status\",\"more\":1}",
        "{\"verb\":\"queue\"}",
        "{\"verb\":\"queue\",\"action\":\"\"}",
        "{\"verb\":\"queue\",\"action\":\"show\"}",
        "{\"verb\":\"queue\",\"action\":\"list\",\"limit\":-1}",
        "{\"verb\":\"queue\",\"action\":\"list\",\"limit\":\"3\"}",
        "{\"verb\":\"queue\",\"action\":\"remove\",\"select\":{\"domain\":\"b.example\"}}",
        "{\"verb\":\"users\",\"user\":\"\"}",
        "{\"verb\":\"users\",\"name\":\"anna\"}",
        "{\"verb\":\"reset\"}",
        "{\"verb\":\"reset\",\"user\":\"\"}",
        "{\"verb\":\"reset\",\"user\":\"anna\",\"limit\":1}",
        "{\"verb\":\"message\"}",
        "{\"verb\":\"message\",\"id\":\"0000000000000\"}",
        "{\"verb\":\"message\",\"id\":\"" ID "\",\"limit\":1}",
        "{\"verb\":\"why\"}",
        "{\"verb\":\"why\",\"id\":\"nonsense\"}",
        "{\"verb\":\"why\",\"address\":\"\"}",
        "{\"verb\":\"why\",\"id\":\"" ID "\",\"address\":\"a@b.example\"}",
    };
    for (size_t i = 0; i < ARRAY_LEN(questions); i++) {
        struct control_question q = {.limit = 77};
        if (reads(questions[i], &q)) {
            fail_msg("accepted: %s", questions[i]);
        }
        assert_int_equal(q.limit, 77);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_questions_of_the_verbs_are_understood),
        cmocka_unit_test(every_action_has_its_name),
        cmocka_unit_test(a_selector_is_read_whole),
        cmocka_unit_test(what_would_widen_a_removal_is_refused),
        cmocka_unit_test(what_is_no_question_is_refused_and_nothing_is_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
