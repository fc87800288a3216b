#include "stage.h"

#include "path/queue/story_text.h"

struct asked {
    struct queue_request request;
    struct queue_why why;
    struct stage *stage;
    unsigned done;
    size_t items;
    enum queue_item_state state;
    enum story_wait_kind wait;
    struct instant next;
    char error[64];
    struct buf text;
};

static void each_item(struct queue_request *request, const struct queue_item *item)
{
    struct asked *a = CONTAINER_OF(request, struct asked, request);
    a->items++;
    a->state = item->state;
    a->wait = item->wait.kind;
    a->next = item->next;
    stage_copy(a->error, item->rcpts[0].last ? item->rcpts[0].last->text : (struct str){0});
}

static void items_done(struct queue_request *request)
{
    CONTAINER_OF(request, struct asked, request)->done++;
}

/* Asks, and lets the stage run for so long. */
static struct asked ask(struct stage *s, enum queue_action action, struct queue_selector selector,
                        struct span time)
{
    struct asked *a = calloc(1, sizeof *a);
    a->request = (struct queue_request){
        .each = each_item, .done = items_done, .action = action, .selector = selector};
    queue_ask(s->queue, &a->request);
    assert_int_equal(a->done, 0);
    stage_run(s, time);
    struct asked copy = *a;
    assert_int_equal(copy.done, 1);
    free(a);
    return copy;
}

static struct span always_later(struct stage *s, const struct delivery_job *job, struct job_rcpt *r)
{
    (void)job;
    (void)s;
    r->outcome = stage_reply("451 4.2.1 Mailbox busy");
    return SPAN_MS(10);
}

static const struct queue_selector all = {.states = 0};

static void a_message_is_held_over_a_restart_until_released(void **state)
{
    (void)state;
    struct stage *s = stage_new();
    s->deliver = always_later;
    struct queue_id id = stage_send(s, "bob@there.test");
    stage_run(s, SPAN_MIN(1));
    struct asked a = ask(s, QUEUE_HOLD, (struct queue_selector){.id = id}, SPAN_S(1));
    assert_int_equal(a.request.changed, 1);
    assert_int_equal(a.state, QUEUE_HELD);
    assert_int_equal(a.wait, WAIT_HELD);
    stage_run(s, SPAN_D(3));
    stage_crash(s);
    stage_open(s);
    stage_run(s, SPAN_D(3));
    assert_int_equal(s->delivery_count, 1);
    assert_int_equal(stage_queued(s), 1);
    struct queue_counts counts;
    queue_count(s->queue, &counts);
    assert_int_equal(counts.held, 1);
    s->deliver = NULL;
    a = ask(s, QUEUE_RELEASE, all, SPAN_S(3));
    assert_int_equal(a.request.changed, 1);
    assert_int_equal(s->delivery_count, 2);
    assert_int_equal(stage_queued(s), 0);
    stage_free(s);
}

static void a_removed_message_is_forgotten_without_a_word(void **state)
{
    (void)state;
    struct stage *s = stage_new();
    s->deliver = always_later;
    stage_send(s, "bob@there.test");
    stage_run(s, SPAN_MIN(1));
    struct asked a = ask(s, QUEUE_REMOVE, all, SPAN_S(1));
    assert_int_equal(a.request.changed, 1);
    assert_int_equal(stage_queued(s), 0);
    assert_int_equal(s->report_count, 0);
    stage_free(s);
}

static void a_bounced_message_is_told_to_its_sender(void **state)
{
    (void)state;
    struct stage *s = stage_new();
    s->deliver = always_later;
    stage_send(s, "bob@there.test");
    stage_run(s, SPAN_MIN(1));
    struct asked a = ask(s, QUEUE_BOUNCE, all, SPAN_S(1));
    assert_int_equal(a.request.changed, 1);
    assert_int_equal(stage_queued(s), 0);
    assert_int_equal(s->report_count, 1);
    assert_int_equal(s->reports[0].kind, REPORT_FAILURE);
    stage_free(s);
}

static struct span unreachable(struct stage *s, const struct delivery_job *job, struct job_rcpt *r)
{
    (void)job;
    (void)s;
    r->outcome = stage_unreachable();
    return SPAN_S(1);
}

static void a_retry_does_not_wait_for_the_schedule_nor_for_the_site(void **state)
{
    (void)state;
    struct stage *s = stage_new();
    s->deliver = unreachable;
    stage_send(s, "bob@there.test");
    stage_send(s, "ann@there.test");
    stage_run(s, SPAN_MIN(1));
    assert_int_equal(s->delivery_count, 2);
    struct asked a = ask(s, QUEUE_LIST, all, SPAN_S(1));
    assert_int_equal(a.wait, WAIT_SITE_DOWN);
    assert_true(a.next.us > s->now.us);
    s->deliver = NULL;
    a = ask(s, QUEUE_RETRY, (struct queue_selector){.recipient = STR("BOB@there.test")},
            SPAN_S(10));
    assert_int_equal(a.request.changed, 1);
    assert_int_equal(stage_queued(s), 0); /* a success wakes the other one too */
    stage_free(s);
}

static struct queue_id send_held(struct stage *s, struct span time)
{
    struct envelope_rcpt rcpt = {.address = STR("bob@there.test")};
    struct envelope e = {.reverse_path = STR("sender@home.test"),
                         .release = instant_add(s->now, time),
                         .rcpts = &rcpt,
                         .rcpt_count = 1};
    return stage_send_envelope(s, e);
}

static void what_its_sender_holds_back_goes_when_its_time_comes_also_after_a_restart(void **state)
{
    (void)state;
    for (int restarts = 0; restarts < 2; restarts++) {
        struct stage *s = stage_new();
        struct instant release = instant_add(s->now, SPAN_D(7)); /* longer than `expire` */
        send_held(s, SPAN_D(7));
        stage_run(s, SPAN_H(1));
        if (restarts) {
            stage_crash(s);
            stage_open(s);
        }
        struct asked a = ask(s, QUEUE_LIST, all, SPAN_S(1));
        assert_int_equal(a.wait, WAIT_RELEASE);
        assert_int_equal(a.next.us, release.us);
        stage_run(s, (struct span){release.us - s->now.us - 1});
        assert_int_equal(s->delivery_count, 0);
        assert_int_equal(s->report_count, 0);
        stage_run(s, SPAN_S(5));
        assert_int_equal(s->delivery_count, 1);
        assert_true(s->deliveries[0].began.us >= release.us);
        assert_int_equal(stage_queued(s), 0);
        stage_free(s);
    }
}

static void a_delay_and_the_end_of_what_was_held_back_are_counted_from_its_release(void **state)
{
    (void)state;
    struct stage *s = stage_new();
    struct instant release = instant_add(s->now, SPAN_D(7));
    s->deliver = always_later;
    send_held(s, SPAN_D(7));
    stage_run(s, SPAN_D(11));
    assert_int_equal(s->report_count, 1);
    assert_int_equal(s->reports[0].kind, REPORT_DELAY);
    assert_true(s->reports[0].at.us >= instant_add(release, s->config.queue.delay_notice).us);
    assert_int_equal(ask(s, QUEUE_LIST, all, SPAN_S(1)).wait, WAIT_TIME);
    stage_run(s, SPAN_D(2));
    assert_int_equal(s->reports[1].outcome, OUTCOME_EXPIRED);
    assert_true(s->reports[1].at.us >= instant_add(release, SPAN_D(5)).us);
    stage_free(s);
}

static void an_operator_may_send_it_before_its_time_but_release_of_a_hold_does_not(void **state)
{
    (void)state;
    struct stage *s = stage_new();
    struct queue_id id = send_held(s, SPAN_D(1));
    ask(s, QUEUE_HOLD, (struct queue_selector){.id = id}, SPAN_S(1));
    struct asked a = ask(s, QUEUE_RELEASE, (struct queue_selector){.id = id}, SPAN_S(10));
    assert_int_equal(a.request.changed, 1);
    assert_int_equal(s->delivery_count, 0);
    a = ask(s, QUEUE_RETRY, (struct queue_selector){.id = id}, SPAN_S(10));
    assert_int_equal(a.request.changed, 1);
    assert_int_equal(s->delivery_count, 1);
    assert_int_equal(stage_queued(s), 0);
    stage_free(s);
}

static void selectors_find_what_they_say(void **state)
{
    (void)state;
    struct stage *s = stage_new();
    s->deliver = always_later;
    struct queue_id first = stage_send_notify(s, "ann@home.test", "bob@there.test", 0);
    stage_run(s, SPAN_H(2));
    stage_send_notify(s, "", "eve@else.test", 0);
    stage_run(s, SPAN_MIN(1));
    const struct {
        const char *row;
        struct queue_selector selector;
        size_t items;
    } rows[] = {
        {"all", {.states = 0}, 2},
        {"id", {.id = first}, 1},
        {"sender", {.sender = STR("Ann@Home.test")}, 1},
        {"null sender", {.sender = STR("<>")}, 1},
        {"recipient", {.recipient = STR("eve@else.test")}, 1},
        {"domain", {.domain = STR("THERE.test")}, 1},
        {"no such domain", {.domain = STR("here.test")}, 0},
        {"site", {.site = STR("else.test")}, 1},
        {"last error", {.last_error = STR("mailbox BUSY")}, 2},
        {"another error", {.last_error = STR("full")}, 0},
        {"older", {.older_than = SPAN_H(1)}, 1},
        {"older still", {.older_than = SPAN_H(9)}, 0},
        {"waiting", {.states = QUEUE_WAITING}, 2},
        {"held", {.states = QUEUE_HELD}, 0},
        {"two conditions", {.sender = STR("ann@home.test"), .domain = STR("else.test")}, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct asked a = ask(s, QUEUE_LIST, rows[i].selector, SPAN_MS(100));
        if (a.items != rows[i].items || a.request.matched != rows[i].items) {
            fail_msg("%s: %zu items", rows[i].row, a.items);
        }
    }
    stage_free(s);
}

static void a_list_stops_at_its_limit_and_says_so(void **state)
{
    (void)state;
    struct stage *s = stage_new();
    s->deliver = always_later;
    for (unsigned i = 0; i < 10; i++) {
        stage_send(s, "bob@there.test");
    }
    stage_run(s, SPAN_MIN(1));
    struct asked a = {.request = {.each = each_item, .done = items_done, .limit = 9}};
    queue_ask(s->queue, &a.request);
    stage_run(s, SPAN_S(1));
    assert_int_equal(a.items, 9);
    assert_true(a.request.more);
    a.request.limit = 10;
    a.items = 0;
    queue_ask(s->queue, &a.request);
    stage_run(s, SPAN_S(1));
    assert_int_equal(a.items, 10);
    assert_false(a.request.more);
    stage_free(s);
}

static void each_then_pause(struct queue_request *request, const struct queue_item *item)
{
    each_item(request, item);
    request->paused = true;
}

static void a_paused_list_waits_and_leaves_nothing_out(void **state)
{
    (void)state;
    struct stage *s = stage_new();
    s->deliver = always_later;
    for (size_t i = 0; i < 5; i++) {
        stage_send(s, "bob@there.test");
    }
    stage_run(s, SPAN_S(10));
    struct asked a = {.request = {.each = each_then_pause, .done = items_done}};
    queue_ask(s->queue, &a.request);
    for (size_t i = 1; i <= 5; i++) {
        stage_run(s, SPAN_S(1));
        assert_int_equal(a.items, i);
        assert_int_equal(a.done, 0);
        queue_ask_resume(&a.request);
    }
    stage_run(s, SPAN_S(1));
    assert_int_equal(a.done, 1);
    assert_int_equal(a.request.matched, 5);
    queue_ask(s->queue, &a.request);
    stage_run(s, SPAN_S(1));
    queue_ask_cancel(&a.request); /* while it is paused */
    stage_run(s, SPAN_S(1));
    assert_int_equal(a.done, 2);
    assert_int_equal(a.request.result, -ECANCELED);
    stage_free(s);
}

static struct span slow(struct stage *s, const struct delivery_job *job, struct job_rcpt *r)
{
    (void)job;
    (void)s;
    r->outcome = stage_reply("451 4.2.1 Later");
    return SPAN_MIN(2);
}

static void a_message_being_delivered_is_changed_when_its_attempt_has_ended(void **state)
{
    (void)state;
    struct stage *s = stage_new();
    s->deliver = slow;
    stage_send(s, "bob@there.test");
    stage_run(s, SPAN_S(1));
    struct asked a = {.request = {.done = items_done, .action = QUEUE_REMOVE}};
    queue_ask(s->queue, &a.request);
    struct asked list = ask(s, QUEUE_LIST, all, SPAN_S(1));
    assert_int_equal(list.state, QUEUE_ACTIVE);
    assert_int_equal(list.wait, WAIT_DELIVERY);
    assert_int_equal(a.done, 0);
    stage_run(s, SPAN_MIN(2));
    assert_int_equal(a.done, 1);
    assert_int_equal(a.request.changed, 1);
    assert_int_equal(stage_queued(s), 0);
    assert_int_equal(s->report_count, 0);
    stage_free(s);
}

static void only_the_recipients_named_are_removed(void **state)
{
    (void)state;
    struct stage *s = stage_new();
    s->deliver = always_later;
    struct envelope_rcpt rcpts[] = {{.address = STR("a@one.test")}, {.address = STR("b@two.test")}};
    stage_send_envelope(
        s, (struct envelope){.reverse_path = STR("x@y.test"), .rcpts = rcpts, .rcpt_count = 2});
    stage_run(s, SPAN_MIN(1));
    struct asked a =
        ask(s, QUEUE_REMOVE, (struct queue_selector){.domain = STR("one.test")}, SPAN_S(1));
    assert_int_equal(a.request.changed, 1);
    s->deliver = NULL;
    stage_run(s, SPAN_MIN(10));
    assert_int_equal(stage_count(s, "a@one.test"), 1);
    assert_int_equal(stage_count(s, "b@two.test"), 2);
    assert_int_equal(stage_queued(s), 0);
    stage_free(s);
}

static void requests_end_when_the_queue_stops(void **state)
{
    (void)state;
    struct stage *s = stage_new();
    s->deliver = slow;
    stage_send(s, "bob@there.test");
    stage_run(s, SPAN_S(1));
    struct asked a = {.request = {.done = items_done, .action = QUEUE_HOLD}};
    queue_ask(s->queue, &a.request);
    stage_run(s, SPAN_S(1));
    queue_stop(s->queue, NULL, NULL);
    stage_run(s, SPAN_S(1));
    assert_int_equal(a.done, 1);
    assert_int_equal(a.request.result, -ECANCELED);
    stage_free(s);
}

static void each_story(struct queue_why *why, const struct story *story)
{
    struct asked *a = CONTAINER_OF(why, struct asked, why);
    a->items++;
    story_render(&a->text, story, a->stage->now);
}

static void stories_done(struct queue_why *why)
{
    CONTAINER_OF(why, struct asked, why)->done++;
}

static bool tells(struct stage *s, struct queue_id id, const char *address, size_t stories,
                  const char *words)
{
    struct asked a = {
        .stage = s,
        .why = {
            .each = each_story, .done = stories_done, .id = id, .address = str_from_cstr(address)}};
    queue_tell(s->queue, &a.why);
    stage_run(s, SPAN_S(1));
    assert_int_equal(a.done, 1);
    assert_int_equal(a.why.result, 0);
    assert_int_equal(a.items, stories);
    bool found = str_find_str(buf_str(&a.text), str_from_cstr(words)) != STR_NONE;
    if (!found) {
        print_message("%.*s", STR_ARG(buf_str(&a.text)));
    }
    buf_done(&a.text);
    return found;
}

static void why_tells_of_messages_in_the_queue_and_of_finished_ones(void **state)
{
    (void)state;
    struct stage *s = stage_new();
    s->deliver = always_later;
    const struct queue_id none = {0};
    struct queue_id id = stage_send(s, "bob@there.test");
    stage_run(s, SPAN_MIN(1));
    assert_true(tells(s, id, "", 1, "attempt 1 did not succeed: mx.example answered: 451 4.2.1"));
    assert_true(tells(s, id, "", 1, "Now it waits for the time of its next attempt"));
    assert_true(tells(s, none, "BOB@there.test", 1, "It will be given up 2026-11-29 10:00:01 UTC"));
    s->deliver = NULL;
    stage_run(s, SPAN_MIN(6));
    assert_int_equal(stage_queued(s), 0);
    stage_send(s, "bob@there.test");
    stage_run(s, SPAN_MIN(1));
    assert_true(tells(s, id, "", 1, "handed on: mx.example answered: 250 2.0.0 Ok"));
    assert_true(tells(s, none, "bob@there.test", 2, "Finished 2026-11-24 10:"));
    assert_true(tells(s, none, "sender@home.test", 2, ""));
    assert_true(tells(s, none, "nobody@there.test", 0, ""));
    stage_crash(s);
    stage_open(s);
    stage_run(s, SPAN_S(1));
    assert_true(tells(s, (struct queue_id){1}, "", 0, ""));
    stage_free(s);
}

/* One of them takes long; the others answer at length. */
static struct span at_length(struct stage *s, const struct delivery_job *job, struct job_rcpt *r)
{
    static char words[4001];
    memset(words, 'x', sizeof words - 1);
    (void)stage_accept(s, job, r);
    r->outcome.text = str_from_cstr(words);
    return str_starts(r->address, STR("last@")) ? SPAN_H(1) : SPAN_S(1);
}

static void count_outcomes(struct queue_why *why, const struct story *story)
{
    struct asked *a = CONTAINER_OF(why, struct asked, why);
    a->items += story->outcome_count;
}

static void why_tells_all_of_a_long_story_under_way(void **state)
{
    (void)state;
    struct stage *s = stage_new();
    static char addresses[100][32];
    static struct envelope_rcpt rcpts[100];
    for (unsigned i = 0; i < ARRAY_LEN(rcpts); i++) {
        (void)snprintf(addresses[i], 32, "%s@d%u.test", i == 99 ? "last" : "u", i);
        rcpts[i] = (struct envelope_rcpt){.address = str_from_cstr(addresses[i])};
    }
    s->deliver = at_length;
    struct queue_id id = stage_send_envelope(
        s,
        (struct envelope){.reverse_path = STR("a@home.test"), .rcpts = rcpts, .rcpt_count = 100});
    stage_run(s, SPAN_MIN(1));
    struct asked a = {.stage = s, .why = {.each = count_outcomes, .done = stories_done, .id = id}};
    queue_tell(s->queue, &a.why);
    stage_run(s, SPAN_S(1));
    assert_int_equal(a.done, 1);
    assert_int_equal(a.why.result, 0);
    assert_int_equal(a.items, 99);
    stage_run(s, SPAN_H(2));
    stage_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_is_held_over_a_restart_until_released),
        cmocka_unit_test(a_removed_message_is_forgotten_without_a_word),
        cmocka_unit_test(a_bounced_message_is_told_to_its_sender),
        cmocka_unit_test(a_retry_does_not_wait_for_the_schedule_nor_for_the_site),
        cmocka_unit_test(what_its_sender_holds_back_goes_when_its_time_comes_also_after_a_restart),
        cmocka_unit_test(a_delay_and_the_end_of_what_was_held_back_are_counted_from_its_release),
        cmocka_unit_test(an_operator_may_send_it_before_its_time_but_release_of_a_hold_does_not),
        cmocka_unit_test(selectors_find_what_they_say),
        cmocka_unit_test(a_list_stops_at_its_limit_and_says_so),
        cmocka_unit_test(a_paused_list_waits_and_leaves_nothing_out),
        cmocka_unit_test(a_message_being_delivered_is_changed_when_its_attempt_has_ended),
        cmocka_unit_test(only_the_recipients_named_are_removed),
        cmocka_unit_test(requests_end_when_the_queue_stops),
        cmocka_unit_test(why_tells_of_messages_in_the_queue_and_of_finished_ones),
        cmocka_unit_test(why_tells_all_of_a_long_story_under_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
