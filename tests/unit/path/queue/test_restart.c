/* The program dies at every single event of a scenario, and starts again on what was durable. */
#include "stage.h"

/* later@: deferred the first time. bad@: refused. */
static struct span scenario(struct stage *s, const struct delivery_job *job, struct job_rcpt *r)
{
    struct span time = stage_accept(s, job, r);
    if (str_starts(r->address, STR("later")) && stage_count(s, "later@b.test") < 2) {
        r->outcome = stage_reply("451 4.7.1 Greylisted");
    } else if (str_starts(r->address, STR("bad"))) {
        r->outcome = stage_reply("550 5.1.1 No such user");
    }
    return time;
}

static void route_list(struct stage *s, struct queue_route *ask)
{
    static struct outcome_child list[] = {{.address = STR_INIT("m1@c.test")},
                                          {.address = STR_INIT("bad@d.test")}};
    (void)s;
    stage_hop(ask);
    if (str_starts(ask->address, STR("list"))) {
        ask->result.verdict = ROUTING_EXPAND;
        ask->result.children = list;
        ask->result.child_count = 2;
    }
}

static struct stage *begin(void)
{
    static struct envelope_rcpt rcpts[] = {{.address = STR_INIT("good@a.test")},
                                           {.address = STR_INIT("later@b.test")},
                                           {.address = STR_INIT("list@here.test")}};
    struct stage *s = stage_new();
    s->route = route_list;
    s->deliver = scenario;
    stage_send_envelope(
        s, (struct envelope){.reverse_path = STR("x@y.test"), .rcpts = rcpts, .rcpt_count = 3});
    return s;
}

/* Runs `events` events, dies, starts again, and runs to the end. False: it was over before. */
static bool die_after(unsigned events, unsigned *copies, unsigned *reports)
{
    struct stage *s = begin();
    struct instant until = instant_add(s->now, SPAN_H(2));
    while (s->events < events && stage_step(s, until)) {}
    bool in_time = s->events == events;
    bool finished = !s->messages[0].there;
    stage_crash(s);
    stage_open(s);
    stage_run(s, SPAN_H(2));
    assert_int_equal(stage_queued(s), 0);
    assert_true(stage_count(s, "good@a.test") >= 1);
    assert_true(stage_count(s, "later@b.test") >= 2);
    assert_true(stage_count(s, "m1@c.test") >= 1);
    assert_true(stage_count(s, "bad@d.test") >= 1);
    assert_true(s->report_count >= 1);
    for (size_t i = 0; i < s->report_count; i++) {
        assert_int_equal(s->reports[i].kind, REPORT_FAILURE);
        assert_string_equal(s->reports[i].final_address, "bad@d.test");
    }
    if (finished) {
        assert_int_equal(stage_count(s, "good@a.test"), 1);
    }
    *copies = (unsigned)stage_count(s, "good@a.test");
    *reports = (unsigned)s->report_count;
    stage_free(s);
    return in_time;
}

static void nothing_is_lost_whenever_the_program_dies(void **state)
{
    (void)state;
    unsigned twice = 0;
    unsigned reports_twice = 0;
    unsigned events = 0;
    unsigned copies, reports;
    while (die_after(events, &copies, &reports)) {
        assert_in_range(copies, 1, 2);
        assert_in_range(reports, 1, 2);
        twice += copies == 2;
        reports_twice += reports == 2;
        events++;
    }
    assert_true(events > 20);
    /* Twice only where it died between what happened and its record: a millisecond of the spool's,
     * or a delivery under way. */
    assert_true(twice <= 8);
    assert_true(reports_twice <= 2);
}

static void
a_failure_that_is_durable_is_reported_after_a_restart_without_another_attempt(void **state)
{
    (void)state;
    struct stage *s = begin();
    s->reports_fail = 1000000;
    stage_run(s, SPAN_S(30));
    assert_int_equal(stage_count(s, "bad@d.test"), 1);
    assert_int_equal(s->report_count, 0);
    stage_crash(s);
    s->reports_fail = 0;
    stage_open(s);
    stage_run(s, SPAN_S(30));
    assert_int_equal(stage_count(s, "bad@d.test"), 1);
    assert_int_equal(stage_count(s, "m1@c.test"), 1);
    assert_int_equal(s->report_count, 1);
    stage_free(s);
}

static void what_waits_for_its_next_attempt_waits_on_after_a_restart(void **state)
{
    (void)state;
    struct stage *s = begin();
    stage_run(s, SPAN_MIN(2));
    assert_int_equal(stage_count(s, "later@b.test"), 1);
    stage_crash(s);
    stage_open(s);
    stage_run(s, SPAN_MIN(2));
    assert_int_equal(stage_count(s, "later@b.test"), 1);
    stage_run(s, SPAN_MIN(2));
    assert_int_equal(stage_count(s, "later@b.test"), 2);
    assert_int_equal(stage_count(s, "good@a.test"), 1);
    assert_int_equal(s->report_count, 1);
    stage_free(s);
}

static void a_message_that_expired_while_the_program_was_down_gets_a_last_attempt(void **state)
{
    (void)state;
    struct stage *s = begin();
    stage_run(s, SPAN_MIN(2));
    stage_crash(s);
    s->now = instant_add(s->now, SPAN_D(6));
    stage_open(s);
    stage_run(s, SPAN_MIN(1));
    assert_int_equal(stage_count(s, "later@b.test"), 2);
    assert_int_equal(s->report_count, 1);
    assert_int_equal(stage_queued(s), 0);
    stage_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_lost_whenever_the_program_dies),
        cmocka_unit_test(
            a_failure_that_is_durable_is_reported_after_a_restart_without_another_attempt),
        cmocka_unit_test(what_waits_for_its_next_attempt_waits_on_after_a_restart),
        cmocka_unit_test(a_message_that_expired_while_the_program_was_down_gets_a_last_attempt),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
