#include "stage.h"

static struct span refuses(struct stage *s, const struct delivery_job *job, struct job_rcpt *r)
{
    if (str_find_str(r->address, STR("bad")) == STR_NONE) {
        return stage_accept(s, job, r);
    }
    r->outcome = stage_reply("550 5.1.1 No such user");
    return SPAN_S(1);
}

static struct span always_later(struct stage *s, const struct delivery_job *job, struct job_rcpt *r)
{
    (void)job;
    (void)s;
    r->outcome = stage_reply("451 4.2.1 Later");
    return SPAN_MS(10);
}

static void a_failure_is_told_to_the_sender_once(void **state)
{
    (void)state;
    struct stage *s = stage_new();
    s->deliver = refuses;
    stage_send(s, "bad@there.test");
    stage_run(s, SPAN_H(1));
    assert_int_equal(s->report_count, 1);
    assert_int_equal(s->reports[0].kind, REPORT_FAILURE);
    assert_string_equal(s->reports[0].to, "sender@home.test");
    assert_string_equal(s->reports[0].rcpt, "bad@there.test");
    assert_int_equal(stage_queued(s), 0);
    assert_true(stage_logged(s, "bounced id="));
    assert_true(stage_logged(s, "reply=550"));
    assert_true(stage_logged(s, "reported id="));
    stage_free(s);
}

static void failures_of_one_message_share_a_report(void **state)
{
    (void)state;
    struct stage *s = stage_new();
    s->deliver = refuses;
    struct envelope_rcpt rcpts[] = {{.address = STR("bad1@a.test")},
                                    {.address = STR("good@a.test")},
                                    {.address = STR("bad2@b.test")}};
    stage_send_envelope(
        s, (struct envelope){.reverse_path = STR("x@y.test"), .rcpts = rcpts, .rcpt_count = 3});
    stage_run(s, SPAN_H(1));
    assert_int_equal(s->report_count, 1);
    assert_int_equal(s->reports[0].rcpts, 2);
    stage_free(s);
}

static size_t reports_for(const char *from, unsigned notify, const char *to, bool is_report,
                          const char *postmaster)
{
    struct stage *s = stage_new();
    s->deliver = refuses;
    s->config.queue.bounce_postmaster = str_from_cstr(postmaster);
    struct envelope_rcpt rcpt = {.address = str_from_cstr(to), .notify = (uint8_t)notify};
    stage_send_envelope(s, (struct envelope){.reverse_path = str_from_cstr(from),
                                             .is_report = is_report,
                                             .rcpts = &rcpt,
                                             .rcpt_count = 1});
    stage_run(s, SPAN_H(1));
    assert_int_equal(stage_queued(s), 0);
    size_t count = s->report_count;
    stage_free(s);
    return count;
}

static void notify_and_the_null_reverse_path_say_who_is_told(void **state)
{
    (void)state;
    static const struct {
        const char *row;
        const char *from;
        unsigned notify;
        const char *to;
        bool is_report;
        const char *postmaster;
        size_t reports;
    } rows[] = {
        {"failure, nothing asked", "a@b.test", 0, "bad@c.test", false, "", 1},
        {"failure, never", "a@b.test", NOTIFY_NEVER, "bad@c.test", false, "", 0},
        {"failure, asked", "a@b.test", NOTIFY_FAILURE, "bad@c.test", false, "", 1},
        {"failure, success asked alone", "a@b.test", NOTIFY_SUCCESS, "bad@c.test", false, "", 0},
        {"failure, delay asked alone", "a@b.test", NOTIFY_DELAY, "bad@c.test", false, "", 0},
        {"success, nothing asked", "a@b.test", 0, "ok@c.test", false, "", 0},
        {"success, asked", "a@b.test", NOTIFY_SUCCESS, "ok@c.test", false, "", 1},
        {"success, null sender", "", NOTIFY_SUCCESS, "ok@c.test", false, "pm@b.test", 0},
        {"failure, null sender", "", 0, "bad@c.test", false, "", 0},
        {"a report fails", "", 0, "bad@c.test", true, "", 0},
        {"a report with a sender fails", "a@b.test", 0, "bad@c.test", true, "", 0},
        {"a report fails, postmaster wants it", "", 0, "bad@c.test", true, "pm@b.test", 1},
        {"the postmaster's own fails", "", 0, "bad@b.test", true, "bad@b.test", 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        size_t reports = reports_for(rows[i].from, rows[i].notify, rows[i].to, rows[i].is_report,
                                     rows[i].postmaster);
        if (reports != rows[i].reports) {
            fail_msg("%s: %zu reports", rows[i].row, reports);
        }
    }
}

static struct span passed_on(struct stage *s, const struct delivery_job *job, struct job_rcpt *r)
{
    struct span time = stage_accept(s, job, r);
    r->outcome.passed_on = true;
    return time;
}

static void a_next_hop_that_reports_itself_is_left_to_it(void **state)
{
    (void)state;
    struct stage *s = stage_new();
    s->deliver = passed_on;
    stage_send_notify(s, "a@b.test", "c@d.test", NOTIFY_SUCCESS);
    stage_run(s, SPAN_MIN(1));
    assert_int_equal(s->report_count, 0);
    assert_int_equal(stage_queued(s), 0);
    stage_free(s);
}

static void a_delay_is_told_once_after_its_time(void **state)
{
    (void)state;
    struct stage *s = stage_new();
    s->deliver = always_later;
    stage_send(s, "bob@there.test");
    stage_send_notify(s, "a@b.test", "c@d.test", NOTIFY_FAILURE);
    stage_send_notify(s, "a@b.test", "e@d.test", NOTIFY_DELAY);
    stage_send_notify(s, "", "f@d.test", 0);
    stage_run(s, SPAN_MIN(239));
    assert_int_equal(s->report_count, 0);
    stage_run(s, SPAN_MIN(2));
    assert_int_equal(s->report_count, 2);
    assert_int_equal(s->reports[0].kind, REPORT_DELAY);
    assert_string_equal(s->reports[0].rcpt, "bob@there.test");
    assert_string_equal(s->reports[1].rcpt, "e@d.test");
    stage_crash(s);
    stage_open(s);
    stage_run(s, SPAN_D(2));
    assert_int_equal(s->report_count, 2);
    stage_free(s);
}

static void a_report_that_cannot_be_made_is_made_later(void **state)
{
    (void)state;
    struct stage *s = stage_new();
    s->deliver = refuses;
    s->reports_fail = 3;
    stage_send(s, "bad@there.test");
    stage_run(s, SPAN_S(30));
    assert_int_equal(s->report_count, 0);
    assert_int_equal(stage_queued(s), 1);
    stage_run(s, SPAN_MIN(10));
    assert_int_equal(s->report_count, 1);
    assert_int_equal(stage_queued(s), 0);
    stage_free(s);
}

/* list: several, one of them twice; owned: a list with an owner; loop-a and loop-b: each other. */
static void route_aliases(struct stage *s, struct queue_route *ask)
{
    static struct outcome_child list[] = {{.address = STR_INIT("m1@there.test")},
                                          {.address = STR_INIT("m2@there.test")},
                                          {.address = STR_INIT("m1@there.test")},
                                          {.address = STR_INIT("bad@there.test")}};
    static struct outcome_child owned[] = {
        {STR_INIT("m1@there.test"), STR_INIT("owner@here.test")},
        {STR_INIT("bad@there.test"), STR_INIT("owner@here.test")}};
    static struct outcome_child one[] = {{.address = STR_INIT("bad@there.test")}};
    static struct outcome_child a[] = {{.address = STR_INIT("loop-b@here.test")}};
    static struct outcome_child b[] = {{.address = STR_INIT("loop-a@here.test")},
                                       {.address = STR_INIT("m1@there.test")}};
    static const struct {
        struct str address;
        struct outcome_child *children;
        size_t count;
    } aliases[] = {{STR_INIT("list@here.test"), list, 4},
                   {STR_INIT("owned@here.test"), owned, 2},
                   {STR_INIT("one@here.test"), one, 1},
                   {STR_INIT("loop-a@here.test"), a, 1},
                   {STR_INIT("loop-b@here.test"), b, 2}};
    (void)s;
    stage_hop(ask);
    for (size_t i = 0; i < ARRAY_LEN(aliases); i++) {
        if (str_eq(ask->address, aliases[i].address)) {
            ask->result.verdict = ROUTING_EXPAND;
            ask->result.children = aliases[i].children;
            ask->result.child_count = aliases[i].count;
        }
    }
    if (str_starts(ask->address, STR("deep"))) {
        ask->result.verdict = ROUTING_EXPAND;
        ask->result.children = ARENA_NEW(ask->arena, struct outcome_child);
        ask->result.child_count = 1;
        ask->result.children->address = arena_format(ask->arena, "deep%.*s", STR_ARG(ask->address));
    }
}

static void each_member_of_a_list_gets_one_copy(void **state)
{
    (void)state;
    struct stage *s = stage_new();
    s->route = route_aliases;
    s->deliver = refuses;
    struct envelope_rcpt rcpts[] = {{.address = STR("list@here.test")},
                                    {.address = STR("m2@there.test")}};
    stage_send_envelope(
        s, (struct envelope){.reverse_path = STR("x@y.test"), .rcpts = rcpts, .rcpt_count = 2});
    stage_run(s, SPAN_MIN(1));
    assert_int_equal(stage_count(s, "m1@there.test"), 1);
    assert_int_equal(stage_count(s, "m2@there.test"), 1);
    assert_int_equal(s->jobs_begun, 1); /* members share a transaction */
    assert_int_equal(s->report_count, 1);
    assert_string_equal(s->reports[0].to, "x@y.test");
    assert_string_equal(s->reports[0].rcpt, "list@here.test");
    assert_string_equal(s->reports[0].final_address, "bad@there.test");
    assert_int_equal(stage_queued(s), 0);
    assert_true(stage_logged(s, "members=2"));
    stage_free(s);
}

static void the_owner_of_a_list_is_told_of_its_failures(void **state)
{
    (void)state;
    struct stage *s = stage_new();
    s->route = route_aliases;
    s->deliver = refuses;
    stage_send_notify(s, "x@y.test", "owned@here.test", NOTIFY_SUCCESS | NOTIFY_FAILURE);
    stage_run(s, SPAN_MIN(1));
    assert_string_equal(s->deliveries[0].sender, "owner@here.test");
    assert_int_equal(s->report_count, 2);
    assert_int_equal(s->reports[0].kind, REPORT_SUCCESS);
    assert_string_equal(s->reports[0].to, "x@y.test");
    assert_int_equal(s->reports[0].outcome, OUTCOME_EXPANDED);
    assert_int_equal(s->reports[1].kind, REPORT_FAILURE);
    assert_string_equal(s->reports[1].to, "owner@here.test");
    assert_string_equal(s->reports[1].rcpt, "bad@there.test");
    stage_free(s);
}

static void the_lone_member_of_an_alias_keeps_what_was_asked(void **state)
{
    (void)state;
    struct stage *s = stage_new();
    s->route = route_aliases;
    s->deliver = refuses;
    stage_send_notify(s, "x@y.test", "one@here.test", NOTIFY_NEVER);
    stage_send_notify(s, "x@y.test", "one@here.test", NOTIFY_FAILURE);
    stage_run(s, SPAN_MIN(1));
    assert_int_equal(s->report_count, 1);
    assert_string_equal(s->reports[0].rcpt, "one@here.test");
    stage_free(s);
}

static void aliases_in_a_circle_fail_and_the_others_get_their_mail(void **state)
{
    (void)state;
    struct stage *s = stage_new();
    s->route = route_aliases;
    stage_send(s, "loop-a@here.test");
    stage_run(s, SPAN_MIN(1));
    assert_int_equal(s->delivery_count, 1);
    assert_int_equal(stage_count(s, "m1@there.test"), 1);
    assert_int_equal(s->report_count, 1);
    assert_int_equal(s->reports[0].status.subject, 4);
    assert_int_equal(s->reports[0].status.detail, 6);
    assert_int_equal(stage_queued(s), 0);
    stage_free(s);
}

static void aliases_nest_so_deep_and_no_deeper(void **state)
{
    (void)state;
    struct stage *s = stage_new();
    s->route = route_aliases;
    stage_send(s, "deep@here.test");
    stage_run(s, SPAN_MIN(1));
    assert_int_equal(s->report_count, 1);
    assert_int_equal(s->reports[0].status.detail, 6);
    assert_true(stage_logged(s, "too many times"));
    size_t expanded = 0;
    for (struct str rest = buf_str(&s->log_text); rest.len > 0;) {
        expanded += str_starts(str_split(&rest, '\n'), STR("expanded"));
    }
    assert_int_equal(expanded, 20);
    stage_free(s);
}

static bool dns_answers;

static void route_dns(struct stage *s, struct queue_route *ask)
{
    (void)s;
    stage_hop(ask);
    if (str_starts(ask->address, STR("nx"))) {
        ask->result.verdict = ROUTING_FAIL;
        ask->result.status = (struct status_code){5, 1, 2};
        ask->result.text = STR("The domain does not exist");
    } else if (!dns_answers) {
        ask->result.verdict = ROUTING_DEFER;
        ask->result.status = (struct status_code){4, 4, 3};
        ask->result.text = STR("The domain could not be looked up");
    }
}

static void what_routing_cannot_say_now_is_asked_again(void **state)
{
    (void)state;
    struct stage *s = stage_new();
    dns_answers = false;
    s->route = route_dns;
    stage_send(s, "bob@there.test");
    stage_send(s, "nx@there.test");
    stage_run(s, SPAN_MIN(1));
    assert_int_equal(s->report_count, 1);
    assert_string_equal(s->reports[0].rcpt, "nx@there.test");
    assert_int_equal(stage_queued(s), 1);
    dns_answers = true;
    stage_run(s, SPAN_MIN(6));
    assert_int_equal(s->delivery_count, 1);
    assert_int_equal(stage_queued(s), 0);
    stage_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_failure_is_told_to_the_sender_once),
        cmocka_unit_test(failures_of_one_message_share_a_report),
        cmocka_unit_test(notify_and_the_null_reverse_path_say_who_is_told),
        cmocka_unit_test(a_next_hop_that_reports_itself_is_left_to_it),
        cmocka_unit_test(a_delay_is_told_once_after_its_time),
        cmocka_unit_test(a_report_that_cannot_be_made_is_made_later),
        cmocka_unit_test(each_member_of_a_list_gets_one_copy),
        cmocka_unit_test(the_owner_of_a_list_is_told_of_its_failures),
        cmocka_unit_test(the_lone_member_of_an_alias_keeps_what_was_asked),
        cmocka_unit_test(aliases_in_a_circle_fail_and_the_others_get_their_mail),
        cmocka_unit_test(aliases_nest_so_deep_and_no_deeper),
        cmocka_unit_test(what_routing_cannot_say_now_is_asked_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
