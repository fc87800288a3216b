/* The time by which a sender wants a message delivered (RFC 2852). */
#include "stage.h"

static struct span always_later(struct stage *s, const struct delivery_job *job, struct job_rcpt *r)
{
    (void)job;
    (void)s;
    r->outcome = stage_reply("451 4.2.1 Later");
    return SPAN_MS(10);
}

static struct span unreachable(struct stage *s, const struct delivery_job *job, struct job_rcpt *r)
{
    (void)job;
    (void)s;
    r->outcome = stage_unreachable();
    return SPAN_MS(10);
}

static struct span slow_later(struct stage *s, const struct delivery_job *job, struct job_rcpt *r)
{
    (void)always_later(s, job, r);
    return SPAN_S(30);
}

static void send_by(struct stage *s, const char *to, struct deliver_by by, unsigned notify)
{
    struct envelope_rcpt rcpt = {.address = str_from_cstr(to), .notify = (uint8_t)notify};
    struct envelope e = {
        .reverse_path = STR("sender@home.test"), .by = by, .rcpts = &rcpt, .rcpt_count = 1};
    stage_send_envelope(s, e);
}

static void assert_returned(struct stage *s, struct span after)
{
    assert_int_equal(s->report_count, 1);
    assert_int_equal(s->reports[0].kind, REPORT_FAILURE);
    assert_int_equal(s->reports[0].outcome, OUTCOME_EXPIRED);
    assert_int_equal(s->reports[0].status.class, 5);
    assert_int_equal(s->reports[0].status.subject, 4);
    assert_int_equal(s->reports[0].status.detail, 7);
    assert_in_range(s->reports[0].at.us, START.us + after.us, START.us + after.us + 2000000);
    assert_int_equal(stage_queued(s), 0);
}

static void it_is_returned_at_its_time_and_not_tried_again(void **state)
{
    (void)state;
    static const struct {
        const char *row;
        struct span (*deliver)(struct stage *, const struct delivery_job *, struct job_rcpt *);
    } rows[] = {{"its recipient is put off", always_later}, {"its site is down", unreachable}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct stage *s = stage_new();
        s->deliver = rows[i].deliver;
        send_by(s, "bob@there.test", (struct deliver_by){1000, BY_RETURN, false}, 0);
        stage_run(s, SPAN_S(999));
        assert_int_equal(s->report_count, 0);
        size_t tried = s->delivery_count;
        assert_true(tried > 1);
        stage_run(s, SPAN_S(60));
        assert_returned(s, SPAN_S(1000));
        assert_int_equal(s->delivery_count, tried);
        assert_true(stage_logged(s, "expired id="));
        stage_free(s);
    }
}

static void what_would_be_tried_too_late_is_tried_before(void **state)
{
    (void)state;
    static const int64_t expected[] = {0, 60, 90, 105};
    struct stage *s = stage_new();
    s->deliver = always_later;
    send_by(s, "bob@there.test", (struct deliver_by){120, BY_RETURN, false}, 0);
    stage_run(s, SPAN_MIN(5));
    assert_returned(s, SPAN_S(120));
    assert_int_equal(s->delivery_count, ARRAY_LEN(expected));
    for (size_t i = 0; i < ARRAY_LEN(expected); i++) {
        int64_t after = instant_since(s->deliveries[i].began, START).us;
        assert_in_range(after, SPAN_S(expected[i]).us, SPAN_S(expected[i]).us + 500000);
    }
    stage_free(s);
}

static void an_attempt_under_way_at_its_time_is_the_last(void **state)
{
    (void)state;
    struct stage *s = stage_new();
    s->deliver = slow_later;
    send_by(s, "bob@there.test", (struct deliver_by){10, BY_RETURN, false}, 0);
    stage_run(s, SPAN_MIN(5));
    assert_returned(s, SPAN_S(30));
    assert_int_equal(s->delivery_count, 1);
    stage_free(s);
}

static void a_restart_after_its_time_returns_it_untried(void **state)
{
    (void)state;
    struct stage *s = stage_new();
    send_by(s, "bob@there.test", (struct deliver_by){60, BY_RETURN, false}, 0);
    stage_crash(s);
    s->delivery_count = 0;
    s->now = instant_add(s->now, SPAN_S(61));
    stage_open(s);
    stage_run(s, SPAN_S(5));
    assert_returned(s, SPAN_S(61));
    assert_int_equal(s->delivery_count, 0);
    stage_free(s);
}

static void a_time_beyond_the_queues_own_changes_nothing(void **state)
{
    (void)state;
    struct stage *s = stage_new();
    s->deliver = always_later;
    s->config.queue.expire = SPAN_H(1);
    s->config.queue.delay_notice = SPAN_S(0);
    send_by(s, "bob@there.test", (struct deliver_by){BY_SECONDS_MAX, BY_RETURN, true}, 0);
    stage_run(s, SPAN_H(2));
    assert_returned(s, SPAN_H(1));
    stage_free(s);
}

static void mode_n_tells_once_that_it_is_late_and_goes_on(void **state)
{
    (void)state;
    static const struct {
        const char *row;
        int32_t seconds;
        unsigned notify;
        size_t notices;
    } rows[] = {
        {"nothing said of reports", 1000, 0, 1},
        {"delays wanted", 1000, NOTIFY_DELAY, 1},
        {"failures alone wanted", 1000, NOTIFY_FAILURE, 0},
        {"nothing wanted", 1000, NOTIFY_NEVER, 0},
        {"late when it came: told before", -5, 0, 0},
        {"just over when it came", 0, 0, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct stage *s = stage_new();
        s->deliver = always_later;
        s->config.queue.delay_notice = SPAN_S(0);
        send_by(s, "bob@there.test", (struct deliver_by){rows[i].seconds, BY_NOTIFY, false},
                rows[i].notify);
        stage_run(s, SPAN_S(999));
        assert_int_equal(s->report_count, 0);
        stage_run(s, SPAN_S(3));
        if (s->report_count != rows[i].notices) {
            fail_msg("%s: %zu notices", rows[i].row, s->report_count);
        }
        stage_crash(s);
        stage_open(s);
        stage_run(s, SPAN_H(20));
        assert_int_equal(s->report_count, rows[i].notices);
        assert_int_equal(stage_queued(s), 1);
        s->deliver = NULL;
        stage_run(s, SPAN_H(2));
        assert_int_equal(stage_queued(s), 0);
        assert_int_equal(s->report_count, rows[i].notices);
        stage_free(s);
    }
}

static void the_senders_time_stands_for_the_servers_own_notice(void **state)
{
    (void)state;
    struct stage *s = stage_new();
    s->deliver = always_later;
    s->config.queue.delay_notice = SPAN_MIN(10);
    send_by(s, "bob@there.test", (struct deliver_by){3600, BY_NOTIFY, false}, 0);
    stage_run(s, SPAN_S(3599));
    assert_int_equal(s->report_count, 0);
    stage_run(s, SPAN_S(2));
    assert_int_equal(s->report_count, 1);
    assert_int_equal(s->reports[0].kind, REPORT_DELAY);
    stage_free(s);
}

static bool unheard;

static struct span handed_on(struct stage *s, const struct delivery_job *job, struct job_rcpt *r)
{
    struct span time = stage_accept(s, job, r);
    r->outcome.kind = OUTCOME_RELAYED;
    r->outcome.passed_on = true;
    r->outcome.by_unheard = unheard;
    return time;
}

static void handing_it_on_is_told_where_the_time_ends_or_a_trace_is_wanted(void **state)
{
    (void)state;
    static const struct {
        const char *row;
        struct deliver_by by;
        bool unheard;
        unsigned notify;
        size_t reports;
    } rows[] = {
        {"N, heard", {60, BY_NOTIFY, false}, false, 0, 0},
        {"N, unheard", {60, BY_NOTIFY, false}, true, 0, 1},
        {"N, unheard, failures wanted", {60, BY_NOTIFY, false}, true, NOTIFY_FAILURE, 1},
        {"N, unheard, nothing wanted", {60, BY_NOTIFY, false}, true, NOTIFY_NEVER, 0},
        {"N, late, unheard", {-60, BY_NOTIFY, false}, true, 0, 1},
        {"R, heard", {60, BY_RETURN, false}, false, 0, 0},
        {"R and a trace", {60, BY_RETURN, true}, false, 0, 1},
        {"N and a trace", {60, BY_NOTIFY, true}, false, NOTIFY_DELAY, 1},
        {"a trace, nothing wanted", {60, BY_RETURN, true}, false, NOTIFY_NEVER, 0},
        {"no time at all", {0, BY_NONE, false}, false, 0, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct stage *s = stage_new();
        s->deliver = handed_on;
        unheard = rows[i].unheard;
        s->reports_fail = 1; /* so that what was durable is what is reported from */
        send_by(s, "bob@there.test", rows[i].by, rows[i].notify);
        stage_run(s, SPAN_S(10));
        stage_crash(s);
        stage_open(s);
        stage_run(s, SPAN_MIN(3));
        if (s->report_count != rows[i].reports) {
            fail_msg("%s: %zu reports", rows[i].row, s->report_count);
        }
        if (s->report_count > 0) {
            assert_int_equal(s->reports[0].kind, REPORT_SUCCESS);
            assert_int_equal(s->reports[0].outcome, OUTCOME_RELAYED);
        }
        assert_int_equal(stage_queued(s), 0);
        stage_free(s);
    }
}

static void route_list(struct stage *s, struct queue_route *ask)
{
    static struct outcome_child member[] = {
        {STR_INIT("m@there.test"), STR_INIT("owner@here.test")}};
    (void)s;
    stage_hop(ask);
    if (str_eq(ask->address, STR("list@here.test"))) {
        ask->result.verdict = ROUTING_EXPAND;
        ask->result.children = member;
        ask->result.child_count = 1;
    }
}

static int32_t seconds_in_job;

static struct span note_time(struct stage *s, const struct delivery_job *job, struct job_rcpt *r)
{
    seconds_in_job = job->envelope->by.seconds;
    return always_later(s, job, r);
}

static void the_members_of_a_list_have_no_such_time(void **state)
{
    (void)state;
    struct stage *s = stage_new();
    s->route = route_list;
    s->deliver = note_time;
    seconds_in_job = -1;
    send_by(s, "list@here.test", (struct deliver_by){60, BY_RETURN, true}, 0);
    stage_run(s, SPAN_MIN(2));
    assert_int_equal(s->jobs_begun, 1); /* no attempt comes before its own time */
    stage_run(s, SPAN_H(1));
    assert_int_equal(seconds_in_job, 0);
    assert_int_equal(s->report_count, 0);
    assert_int_equal(stage_queued(s), 1);
    s->deliver = handed_on;
    unheard = true;
    stage_run(s, SPAN_H(2));
    assert_int_equal(stage_queued(s), 0);
    assert_int_equal(s->report_count, 0);
    stage_free(s);
}

static void a_list_is_not_passed_on_to_after_the_time(void **state)
{
    (void)state;
    struct stage *s = stage_new();
    s->route = route_list;
    send_by(s, "list@here.test", (struct deliver_by){60, BY_RETURN, false}, 0);
    stage_crash(s);
    s->now = instant_add(s->now, SPAN_S(61));
    stage_open(s);
    stage_run(s, SPAN_H(1));
    assert_returned(s, SPAN_S(61));
    assert_int_equal(s->delivery_count, 0);
    stage_free(s);
}

static void what_lost_its_time_while_its_way_was_sought_is_not_sent(void **state)
{
    (void)state;
    struct stage *s = stage_new();
    s->route_time = SPAN_S(70);
    send_by(s, "bob@there.test", (struct deliver_by){60, BY_RETURN, false}, 0);
    stage_run(s, SPAN_H(1));
    assert_returned(s, SPAN_S(70));
    assert_int_equal(s->delivery_count, 0);
    stage_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_returned_at_its_time_and_not_tried_again),
        cmocka_unit_test(what_would_be_tried_too_late_is_tried_before),
        cmocka_unit_test(an_attempt_under_way_at_its_time_is_the_last),
        cmocka_unit_test(a_restart_after_its_time_returns_it_untried),
        cmocka_unit_test(a_time_beyond_the_queues_own_changes_nothing),
        cmocka_unit_test(mode_n_tells_once_that_it_is_late_and_goes_on),
        cmocka_unit_test(the_senders_time_stands_for_the_servers_own_notice),
        cmocka_unit_test(handing_it_on_is_told_where_the_time_ends_or_a_trace_is_wanted),
        cmocka_unit_test(a_list_is_not_passed_on_to_after_the_time),
        cmocka_unit_test(what_lost_its_time_while_its_way_was_sought_is_not_sent),
        cmocka_unit_test(the_members_of_a_list_have_no_such_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
