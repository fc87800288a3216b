#include "path/queue/inside.h"
#include "stage.h"

static void a_message_is_delivered_and_forgotten(void **state)
{
    (void)state;
    struct stage *s = stage_new();
    stage_send(s, "bob@there.test");
    stage_run(s, SPAN_S(5));
    assert_int_equal(s->delivery_count, 1);
    assert_string_equal(s->deliveries[0].address, "bob@there.test");
    assert_string_equal(s->deliveries[0].sender, "sender@home.test");
    assert_int_equal(stage_queued(s), 0);
    assert_int_equal(s->report_count, 0);
    assert_true(stage_logged(s, "relayed id="));
    assert_true(stage_logged(s, "text=250 2.0.0 Ok"));
    assert_true(stage_logged(s, "removed id="));
    struct queue_counts counts;
    queue_count(s->queue, &counts);
    assert_int_equal(counts.messages, 0);
    assert_int_equal(counts.active, 0);
    assert_int_equal(counts.sites, 0);
    stage_free(s);
}

static struct span always_later(struct stage *s, const struct delivery_job *job, struct job_rcpt *r)
{
    (void)job;
    (void)s;
    r->outcome = stage_reply("451 4.2.1 Later");
    return SPAN_MS(10);
}

static void retries_follow_the_schedule_give_or_take_a_tenth(void **state)
{
    (void)state;
    static const int minutes[] = {5, 10, 20, 40, 60, 60, 60};
    struct stage *s = stage_new();
    s->deliver = always_later;
    stage_send(s, "bob@there.test");
    stage_run(s, SPAN_H(6));
    assert_true(s->delivery_count > ARRAY_LEN(minutes));
    for (size_t i = 0; i < ARRAY_LEN(minutes); i++) {
        int64_t waited =
            instant_since(s->deliveries[i + 1].began, s->deliveries[i].began).us / 1000;
        int64_t planned = (int64_t)minutes[i] * 60000;
        assert_in_range(waited, planned * 9 / 10, planned * 11 / 10 + 100);
    }
    stage_free(s);
}

static void what_is_deferred_too_long_expires_with_the_last_error(void **state)
{
    (void)state;
    struct stage *s = stage_new();
    s->deliver = always_later;
    stage_send(s, "bob@there.test");
    stage_run(s, SPAN_H(5 * 24 - 1));
    assert_int_equal(stage_queued(s), 1);
    size_t tries = s->delivery_count;
    stage_run(s, SPAN_H(2));
    assert_int_equal(stage_queued(s), 0);
    assert_true(s->delivery_count > tries);
    assert_int_equal(s->report_count, 2); /* a delay notice, and the end */
    assert_int_equal(s->reports[1].kind, REPORT_FAILURE);
    assert_int_equal(s->reports[1].outcome, OUTCOME_EXPIRED);
    assert_int_equal(s->reports[1].status.class, 5);
    assert_int_equal(s->reports[1].status.subject, 4);
    assert_int_equal(s->reports[1].status.detail, 7);
    int64_t age = instant_since(s->reports[1].at, START).us;
    assert_in_range(age, SPAN_D(5).us, SPAN_D(5).us + SPAN_S(1).us);
    assert_true(stage_logged(s, "expired id="));
    stage_free(s);
}

static struct span dead_site(struct stage *s, const struct delivery_job *job, struct job_rcpt *r)
{
    if (str_find_str(job->site, STR("dead")) == STR_NONE) {
        return stage_accept(s, job, r);
    }
    r->outcome = stage_unreachable();
    return SPAN_S(30);
}

static void a_dead_site_is_tried_by_its_schedule_not_by_every_message(void **state)
{
    (void)state;
    struct stage *s = stage_new();
    s->deliver = dead_site;
    for (unsigned i = 0; i < 300; i++) {
        stage_send(s, "bob@dead.test");
    }
    stage_run(s, SPAN_H(24));
    assert_int_equal(stage_queued(s), 300);
    /* Five at first; then one a step: 4 steps in the first 75 min, then hourly. */
    assert_in_range(s->jobs_begun, 20, 45);
    stage_run(s, SPAN_D(5));
    assert_int_equal(stage_queued(s), 0);
    size_t failures = 0;
    for (size_t i = 0; i < s->report_count; i++) {
        failures += s->reports[i].kind == REPORT_FAILURE;
    }
    assert_int_equal(failures, 300);
    stage_free(s);
}

static bool is_up;

static struct span sometimes_dead(struct stage *s, const struct delivery_job *job,
                                  struct job_rcpt *r)
{
    return is_up ? stage_accept(s, job, r) : dead_site(s, job, r);
}

static void a_site_that_comes_back_gets_all_its_mail_at_once(void **state)
{
    (void)state;
    struct stage *s = stage_new();
    is_up = false;
    s->deliver = sometimes_dead;
    for (unsigned i = 0; i < 200; i++) {
        stage_send(s, "bob@dead.test");
    }
    stage_run(s, SPAN_MIN(20));
    assert_int_equal(stage_queued(s), 200);
    is_up = true;
    stage_run(s, SPAN_MIN(25));
    assert_int_equal(stage_queued(s), 0);
    assert_true(s->jobs_most <= 20);
    stage_free(s);
}

static struct span slow_site(struct stage *s, const struct delivery_job *job, struct job_rcpt *r)
{
    (void)stage_accept(s, job, r);
    return str_find_str(job->site, STR("slow")) == STR_NONE ? SPAN_MS(100) : SPAN_MIN(10);
}

static void a_slow_site_keeps_nobody_else_waiting(void **state)
{
    (void)state;
    struct stage *s = stage_new();
    s->config.queue.active = 40;
    s->deliver = slow_site;
    for (unsigned i = 0; i < 500; i++) {
        stage_send(s, "bob@slow.test");
    }
    stage_run(s, SPAN_S(2));
    for (unsigned i = 0; i < 100; i++) {
        stage_send(s, "ann@quick.test");
    }
    stage_run(s, SPAN_S(20));
    assert_int_equal(stage_queued(s), 500);
    assert_int_equal(stage_count(s, "ann@quick.test"), 100);
    stage_run(s, SPAN_D(1));
    assert_int_equal(stage_queued(s), 0);
    assert_int_equal(stage_count(s, "bob@slow.test"), 500);
    for (size_t i = 0; i < s->report_count; i++) {
        assert_int_equal(s->reports[i].kind, REPORT_DELAY);
    }
    stage_free(s);
}

static void connections_to_a_site_grow_with_success_up_to_the_limit(void **state)
{
    (void)state;
    struct stage *s = stage_new();
    for (unsigned i = 0; i < 300; i++) {
        stage_send(s, "bob@there.test");
    }
    stage_run(s, SPAN_MS(500));
    assert_int_equal(s->jobs_out, 5);
    stage_run(s, SPAN_S(60));
    assert_int_equal(s->jobs_most, 20);
    assert_int_equal(stage_queued(s), 0);
    stage_free(s);
}

static void recipients_of_a_site_share_a_transaction_up_to_its_limit(void **state)
{
    (void)state;
    struct stage *s = stage_new();
    static char addresses[501][32];
    static struct envelope_rcpt rcpts[501];
    for (unsigned i = 0; i < 501; i++) {
        (void)snprintf(addresses[i], 32, "u%u@%s.test", i, i % 2 ? "one" : "two");
        rcpts[i] = (struct envelope_rcpt){.address = str_from_cstr(addresses[i])};
    }
    stage_send_envelope(
        s,
        (struct envelope){.reverse_path = STR("a@home.test"), .rcpts = rcpts, .rcpt_count = 501});
    stage_run(s, SPAN_MIN(1));
    assert_int_equal(s->jobs_begun, 6); /* 250 of one, 251 of two */
    assert_int_equal(s->delivery_count, 501);
    assert_int_equal(stage_queued(s), 0);
    stage_free(s);
}

static void a_message_to_many_sites_takes_a_bounded_number_of_jobs_at_once(void **state)
{
    (void)state;
    struct stage *s = stage_new();
    static char addresses[1500][32];
    static struct envelope_rcpt rcpts[1500];
    for (unsigned i = 0; i < 1500; i++) {
        (void)snprintf(addresses[i], 32, "u@d%u.test", i);
        rcpts[i] = (struct envelope_rcpt){.address = str_from_cstr(addresses[i])};
    }
    stage_send_envelope(
        s,
        (struct envelope){.reverse_path = STR("a@home.test"), .rcpts = rcpts, .rcpt_count = 1500});
    stage_run(s, SPAN_MIN(5));
    assert_int_equal(s->jobs_most, 20);
    assert_int_equal(s->delivery_count, 1500);
    assert_int_equal(stage_queued(s), 0);
    stage_free(s);
}

static void an_outcome_the_spool_refuses_is_written_again(void **state)
{
    (void)state;
    struct stage *s = stage_new();
    s->deliver = always_later;
    stage_send(s, "bob@there.test");
    s->marks_fail = 3;
    stage_run(s, SPAN_MIN(1));
    assert_int_equal(s->delivery_count, 1);
    assert_true(s->messages[0].outcomes.len > 0);
    stage_free(s);
}

static void stopped(void *owner)
{
    ((struct stage *)owner)->stopped++;
}

static struct span stops(struct stage *s, const struct delivery_job *job, struct job_rcpt *r)
{
    (void)job;
    (void)s;
    r->outcome = (struct outcome){
        .kind = OUTCOME_DEFERRED, .status = {4, 3, 2}, .text = STR("this server was stopped")};
    return SPAN_S(3);
}

static void stopping_waits_for_jobs_and_counts_no_attempt(void **state)
{
    (void)state;
    struct stage *s = stage_new();
    s->deliver = stops;
    stage_send(s, "bob@there.test");
    stage_run(s, SPAN_S(1));
    queue_stop(s->queue, stopped, s);
    stage_run(s, SPAN_S(1));
    assert_int_equal(s->stopped, 0);
    stage_run(s, SPAN_S(3));
    assert_int_equal(s->stopped, 1);
    assert_int_equal(s->messages[0].outcomes.len, 0);
    assert_int_equal(s->messages[0].pins, 0);
    stage_crash(s);
    s->deliver = NULL;
    stage_open(s);
    stage_run(s, SPAN_S(3));
    assert_int_equal(stage_queued(s), 0);
    stage_free(s);
}

static void an_idle_queue_stops_at_once(void **state)
{
    (void)state;
    struct stage *s = stage_new();
    stage_run(s, SPAN_S(1));
    queue_stop(s->queue, stopped, s);
    stage_run(s, SPAN_S(1));
    assert_int_equal(s->stopped, 1);
    stage_free(s);
}

static void send_priority(struct stage *s, const char *to, int priority)
{
    struct envelope_rcpt rcpt = {.address = str_from_cstr(to)};
    struct envelope e = {.reverse_path = STR("sender@home.test"),
                         .priority = (int8_t)priority,
                         .rcpts = &rcpt,
                         .rcpt_count = 1};
    stage_send_envelope(s, e);
}

static void what_is_urgent_goes_first_over_all_sites_and_after_a_restart(void **state)
{
    (void)state;
    for (int restarts = 0; restarts < 2; restarts++) {
        struct stage *s = stage_new();
        s->config.queue.active = 1;
        send_priority(s, "a@one.test", 0);
        stage_run(s, SPAN_MS(1)); /* it is being worked on */
        send_priority(s, "low@two.test", -9);
        send_priority(s, "b@three.test", 0);
        send_priority(s, "high@four.test", 9);
        send_priority(s, "c@one.test", 0);
        if (restarts) {
            stage_crash(s);
            s->delivery_count = 0; /* the first was under way, and is made again */
            stage_open(s);
        }
        stage_run(s, SPAN_MIN(1));
        static const char *const orders[2][5] = {
            {"a@one.test", "high@four.test", "b@three.test", "c@one.test", "low@two.test"},
            {"high@four.test", "a@one.test", "b@three.test", "c@one.test", "low@two.test"}};
        assert_int_equal(s->delivery_count, 5);
        for (size_t i = 0; i < 5; i++) {
            assert_string_equal(s->deliveries[i].address, orders[restarts][i]);
        }
        stage_free(s);
    }
}

static void a_message_at_rest_is_a_small_entry_and_pins_nothing(void **state)
{
    (void)state;
    assert_true(sizeof(struct entry) <= 112);
    struct stage *s = stage_new();
    s->deliver = always_later;
    stage_send(s, "bob@there.test");
    stage_run(s, SPAN_MIN(1));
    struct queue_counts counts;
    queue_count(s->queue, &counts);
    assert_int_equal(counts.messages, 1);
    assert_int_equal(counts.active, 0);
    assert_int_equal(s->messages[0].pins, 0);
    stage_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_is_delivered_and_forgotten),
        cmocka_unit_test(retries_follow_the_schedule_give_or_take_a_tenth),
        cmocka_unit_test(what_is_deferred_too_long_expires_with_the_last_error),
        cmocka_unit_test(a_dead_site_is_tried_by_its_schedule_not_by_every_message),
        cmocka_unit_test(a_site_that_comes_back_gets_all_its_mail_at_once),
        cmocka_unit_test(a_slow_site_keeps_nobody_else_waiting),
        cmocka_unit_test(connections_to_a_site_grow_with_success_up_to_the_limit),
        cmocka_unit_test(recipients_of_a_site_share_a_transaction_up_to_its_limit),
        cmocka_unit_test(a_message_to_many_sites_takes_a_bounded_number_of_jobs_at_once),
        cmocka_unit_test(an_outcome_the_spool_refuses_is_written_again),
        cmocka_unit_test(stopping_waits_for_jobs_and_counts_no_attempt),
        cmocka_unit_test(an_idle_queue_stops_at_once),
        cmocka_unit_test(what_is_urgent_goes_first_over_all_sites_and_after_a_restart),
        cmocka_unit_test(a_message_at_rest_is_a_small_entry_and_pins_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
