#include "path/deliver/deliver.h"

#include "delivery.h"

static void a_message_goes_to_the_first_host_once_for_all_recipients(void **state)
{
    (void)state;
    struct test t;
    begin(&t);
    t.a.script.rcpt_b = "550 5.1.1 no such user";
    deliver(&t, 3);
    assert_outcome(&t, 0, "250 2.0.0 taken", RELAYED);
    assert_outcome(&t, 1, "550 5.1.1 no such user", .kind = OUTCOME_FAILED, .reply_code = 550,
                   .status = {5, 1, 1});
    assert_outcome(&t, 2, "250 2.0.0 taken", RELAYED);
    assert_true(str_eq(t.rcpts[0].outcome.host, STR("mx1.example")));
    assert_int_equal(t.rcpts[0].outcome.peer.port, 25);
    assert_taken(&t.a, SENT);
    assert_int_equal(t.b.connections, 0);
    end(&t);
}

static void the_next_host_is_tried_where_the_first_fails_as_a_host(void **state)
{
    (void)state;
    static const struct script scripts[] = {
        {.greeting = "554 go away"}, {.greeting = "421 busy"},    {.greeting = "SSH-2.0-x"},
        {.ehlo = "451 not now"},     {.ehlo = SCRIPT_CLOSE},      {.mail = "451 4.3.0 later"},
        {.mail = SCRIPT_CLOSE},      {.rcpt = SCRIPT_CLOSE},      {.data = SCRIPT_CLOSE},
        {.data = "421 stopping"},    {.greeting = SCRIPT_SILENT}, {.data = SCRIPT_SILENT},
        {.mail = "421 stopping"},    {.rcpt = "321 nonsense"},
    };
    for (size_t i = 0; i < ARRAY_LEN(scripts); i++) {
        struct test t;
        begin(&t);
        const struct script *s = &scripts[i];
        t.a.script.greeting = s->greeting ? s->greeting : t.a.script.greeting;
        t.a.script.ehlo = s->ehlo ? s->ehlo : t.a.script.ehlo;
        t.a.script.mail = s->mail ? s->mail : t.a.script.mail;
        t.a.script.rcpt = s->rcpt ? s->rcpt : t.a.script.rcpt;
        t.a.script.data = s->data ? s->data : t.a.script.data;
        deliver(&t, 2);
        assert_outcome(&t, 0, "taken", RELAYED);
        assert_outcome(&t, 1, "taken", RELAYED);
        assert_true(str_eq(t.rcpts[0].outcome.host, STR("mx2.example")));
        assert_taken(&t.a, "");
        assert_taken(&t.b, SENT);
        end(&t);
    }
}

static void a_refused_connection_leads_to_the_next_host(void **state)
{
    (void)state;
    struct test t;
    begin(&t);
    sim_fault(&t.w.wire, "192.0.2.10:25")->refuse = true;
    deliver(&t, 1);
    assert_outcome(&t, 0, "taken", RELAYED);
    end(&t);
}

static void what_one_host_settled_is_not_asked_of_the_next(void **state)
{
    (void)state;
    struct test t;
    begin(&t);
    t.a.script.rcpt_b = "550 5.1.1 nobody";
    t.a.script.data = "421 stopping";
    deliver(&t, 2);
    assert_outcome(&t, 0, "taken", RELAYED);
    assert_outcome(&t, 1, "nobody", .kind = OUTCOME_FAILED, .reply_code = 550, .status = {5, 1, 1});
    assert_int_equal(t.a.connections, 1);
    assert_int_equal(str_find_str(buf_str(&t.b.heard), STR("b1@")), STR_NONE);
    end(&t);
}

/* The reply to MAIL comes an octet a minute. */
static void a_reply_that_dribbles_does_not_stretch_the_time_out(void **state)
{
    (void)state;
    struct test t;
    begin(&t);
    t.hop.host_count = 1;
    t.a.script.mail = SCRIPT_SILENT;
    start(&t, 1);
    world_run(&t.w, SPAN_S(1));
    struct stream *server = t.a.last;
    for (int minute = 1; minute <= 4; minute++) {
        stream_write(server, STR("2"));
        world_run(&t.w, SPAN_S(60));
    }
    assert_int_equal(t.done, 0);
    world_run(&t.w, SPAN_S(60));
    assert_int_equal(t.done, 1);
    assert_outcome(&t, 0, "took too long, while waiting for the reply to MAIL",
                   .kind = OUTCOME_DEFERRED, .status = {4, 4, 2});
    end(&t);
}

static void no_host_left_gives_the_last_temporary_trouble(void **state)
{
    (void)state;
    struct test t;
    begin(&t);
    sim_fault(&t.w.wire, "192.0.2.10:25")->refuse = true;
    t.b.script.greeting = "554 5.3.2 not for you";
    deliver(&t, 2);
    assert_outcome(&t, 1, "cannot connect to mx1.example", .kind = OUTCOME_DEFERRED,
                   .status = {4, 4, 1});
    end(&t);
}

static void all_hosts_refusing_for_good_is_a_failure(void **state)
{
    (void)state;
    struct test t;
    begin(&t);
    t.a.script.greeting = t.b.script.greeting = "554 5.3.2 not for you";
    deliver(&t, 1);
    assert_outcome(&t, 0, "554 5.3.2 not for you", .kind = OUTCOME_FAILED, .reply_code = 554,
                   .status = {5, 3, 2});
    assert_true(str_eq(t.rcpts[0].outcome.host, STR("mx1.example")));
    end(&t);
}

static void a_reply_about_a_recipient_is_not_tried_at_another_host(void **state)
{
    (void)state;
    struct test t;
    begin(&t);
    t.a.script.rcpt = "451 4.7.1 greylisted";
    deliver(&t, 1);
    assert_outcome(&t, 0, "451 4.7.1 greylisted", .kind = OUTCOME_DEFERRED, .reply_code = 451,
                   .status = {4, 7, 1});
    assert_int_equal(t.b.connections, 0);
    end(&t);
}

static void death_after_the_final_dot_is_not_tried_at_another_host(void **state)
{
    (void)state;
    struct test t;
    begin(&t);
    t.a.script.end = SCRIPT_CLOSE;
    deliver(&t, 2);
    assert_outcome(&t, 0, "a second copy is possible", .kind = OUTCOME_DEFERRED,
                   .status = {4, 4, 2});
    assert_int_equal(t.b.connections, 0);
    end(&t);
}

static void silence_after_the_final_dot_lasts_ten_minutes(void **state)
{
    (void)state;
    struct test t;
    begin(&t);
    t.a.script.end = SCRIPT_SILENT;
    int64_t started = t.w.now;
    deliver(&t, 1);
    assert_outcome(&t, 0, "took too long", .kind = OUTCOME_DEFERRED, .status = {4, 4, 2});
    assert_in_range(t.w.now - started, SPAN_MIN(10).us, SPAN_MIN(10).us + 100000);
    end(&t);
}

static void a_connection_is_used_again_and_then_closed(void **state)
{
    (void)state;
    struct test t;
    begin(&t);
    for (int i = 0; i < 3; i++) {
        deliver(&t, 1);
        assert_outcome(&t, 0, "taken", RELAYED);
        world_run(&t.w, SPAN_S(4));
    }
    assert_int_equal(t.a.connections, 1);
    assert_int_equal(t.office.idle_count, 1);
    world_run(&t.w, SPAN_S(2));
    assert_int_equal(t.office.idle_count, 0);
    assert_true(str_ends(buf_str(&t.a.heard), STR("QUIT\n")));
    deliver(&t, 1);
    assert_int_equal(t.a.connections, 2);
    end(&t);
}

static void a_connection_carries_no_more_messages_than_allowed(void **state)
{
    (void)state;
    for (int announced = 0; announced < 2; announced++) {
        struct test t;
        begin(&t);
        if (announced) {
            t.a.script.ehlo = "250-mx.example\r\n250 LIMITS MAILMAX=2";
        } else {
            t.config.queue.connection_messages = 2;
        }
        for (int i = 0; i < 4; i++) {
            deliver(&t, 1);
            assert_outcome(&t, 0, "taken", RELAYED);
        }
        assert_int_equal(t.a.connections, 2);
        end(&t);
    }
}

static void a_stale_connection_is_replaced_by_a_fresh_one(void **state)
{
    (void)state;
    struct test t;
    begin(&t);
    t.a.script.close_after_one = true;
    deliver(&t, 1);
    deliver(&t, 1);
    assert_outcome(&t, 0, "taken", RELAYED);
    assert_int_equal(t.a.connections, 2);
    assert_int_equal(t.b.connections, 0);
    assert_taken(&t.a, SENT SENT);
    end(&t);
}

static void many_recipients_go_in_several_transactions(void **state)
{
    (void)state;
    for (int announced = 0; announced < 2; announced++) {
        struct test t;
        begin(&t);
        if (announced) {
            t.a.script.ehlo = "250-mx.example\r\n250-PIPELINING\r\n250 LIMITS RCPTMAX=4";
        } else {
            t.config.deliver.transaction_recipients = 4;
        }
        deliver(&t, RCPTS);
        for (size_t i = 0; i < RCPTS; i++) {
            assert_outcome(&t, i, "taken", RELAYED);
        }
        assert_taken(&t.a, SENT SENT);
        assert_int_equal(t.a.connections, 1);
        end(&t);
    }
}

static void recipients_too_many_for_the_server_go_with_the_next_transaction(void **state)
{
    (void)state;
    struct test t;
    begin(&t);
    t.a.script.rcpts_taken = 2;
    deliver(&t, 5);
    for (size_t i = 0; i < 5; i++) {
        assert_outcome(&t, i, "taken", RELAYED);
    }
    assert_taken(&t.a, SENT SENT SENT);
    end(&t);
}

static void lmtp_gives_each_recipient_its_own_outcome(void **state)
{
    (void)state;
    struct test t;
    begin(&t);
    t.hop.kind = HOP_LMTP;
    t.a.script.lmtp = true;
    t.a.script.rcpt_b = "550 5.1.1 nobody";
    deliver(&t, 3);
    assert_outcome(&t, 0, "taken", .kind = OUTCOME_DELIVERED, .reply_code = 250,
                   .status = {2, 0, 0});
    assert_outcome(&t, 1, "nobody", .kind = OUTCOME_FAILED, .reply_code = 550, .status = {5, 1, 1});
    assert_outcome(&t, 2, "taken", .kind = OUTCOME_DELIVERED, .reply_code = 250,
                   .status = {2, 0, 0});
    assert_true(str_starts(buf_str(&t.a.heard), STR("LHLO me.example\n")));
    end(&t);
}

static void lmtp_goes_over_a_local_socket(void **state)
{
    (void)state;
    struct test t;
    begin(&t);
    t.a.script.lmtp = true;
    struct net_listener at_path = t.a.listener;
    at_path.local_path = STR("/run/lmtp");
    assert_int_equal(t.w.us.net.listen(&t.w.us.net, &at_path), 0);
    t.hop = (struct next_hop){.kind = HOP_LMTP_LOCAL, .path = STR("/run/lmtp")};
    deliver(&t, 1);
    assert_outcome(&t, 0, "taken", .kind = OUTCOME_DELIVERED, .reply_code = 250,
                   .status = {2, 0, 0});
    t.w.us.net.unlisten(&t.w.us.net, &at_path);
    world_run(&t.w, SPAN_MIN(1));
    deliver(&t, 1);
    assert_outcome(&t, 0, "cannot connect to /run/lmtp: no such socket", .kind = OUTCOME_DEFERRED,
                   .status = {4, 4, 1});
    end(&t);
}

static void a_connection_cut_at_any_octet_never_loses_or_doubles_unawares(void **state)
{
    (void)state;
    for (size_t n = 1; n < 200; n++) {
        for (int up = 0; up < 2; up++) {
            struct test t;
            begin(&t);
            struct sim_fault *fault = sim_fault(&t.w.wire, "192.0.2.10:25");
            *(up ? &fault->cut_up : &fault->cut_down) = n;
            deliver(&t, 1);
            bool relayed = t.rcpts[0].outcome.kind == OUTCOME_RELAYED;
            if (!relayed) {
                assert_outcome(&t, 0, "a second copy is possible", .kind = OUTCOME_DEFERRED,
                               .status = {4, 4, 2});
            }
            assert_true(!relayed || t.a.taken + t.b.taken == 1);
            end(&t);
        }
    }
}

static void our_own_name_in_greeting_and_ehlo_is_a_loop(void **state)
{
    (void)state;
    struct test t;
    begin(&t);
    t.hop.host_count = 1;
    t.a.script.greeting = "220 me.example ESMTP";
    t.a.script.ehlo = "250 me.example";
    deliver(&t, 1);
    assert_outcome(&t, 0, "loops back", .kind = OUTCOME_FAILED, .status = {5, 4, 6});
    end(&t);
}

static void stopping_defers_at_any_moment(void **state)
{
    (void)state;
    for (int steps = 0; steps < 60; steps++) {
        struct test t;
        begin(&t);
        t.a.script.end = SCRIPT_SILENT;
        start(&t, 2);
        for (int i = 0; i < steps; i++) {
            (void)world_step(&t.w, t.w.now + 60000000);
        }
        int64_t stopped = t.w.now;
        deliver_stop(&t.office);
        while (t.done == 0 && world_step(&t.w, stopped + SPAN_S(6).us)) {}
        assert_int_equal(t.done, 1);
        assert_int_equal(t.rcpts[0].outcome.kind, OUTCOME_DEFERRED);
        deliver(&t, 1);
        assert_outcome(&t, 0, "being stopped", .kind = OUTCOME_DEFERRED, .status = {4, 3, 2});
        end(&t);
    }
}

static void local_recipients_are_served_one_after_the_other(void **state)
{
    (void)state;
    struct test t;
    begin(&t);
    t.hop.kind = HOP_MAILDIR;
    deliver(&t, 3);
    assert_int_equal(local.calls, 3);
    assert_outcome(&t, 2, "kept", .kind = OUTCOME_DELIVERED, .status = {2, 0, 0});
    end(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_goes_to_the_first_host_once_for_all_recipients),
        cmocka_unit_test(the_next_host_is_tried_where_the_first_fails_as_a_host),
        cmocka_unit_test(a_refused_connection_leads_to_the_next_host),
        cmocka_unit_test(what_one_host_settled_is_not_asked_of_the_next),
        cmocka_unit_test(a_reply_that_dribbles_does_not_stretch_the_time_out),
        cmocka_unit_test(no_host_left_gives_the_last_temporary_trouble),
        cmocka_unit_test(all_hosts_refusing_for_good_is_a_failure),
        cmocka_unit_test(a_reply_about_a_recipient_is_not_tried_at_another_host),
        cmocka_unit_test(death_after_the_final_dot_is_not_tried_at_another_host),
        cmocka_unit_test(silence_after_the_final_dot_lasts_ten_minutes),
        cmocka_unit_test(a_connection_is_used_again_and_then_closed),
        cmocka_unit_test(a_connection_carries_no_more_messages_than_allowed),
        cmocka_unit_test(a_stale_connection_is_replaced_by_a_fresh_one),
        cmocka_unit_test(many_recipients_go_in_several_transactions),
        cmocka_unit_test(recipients_too_many_for_the_server_go_with_the_next_transaction),
        cmocka_unit_test(lmtp_gives_each_recipient_its_own_outcome),
        cmocka_unit_test(lmtp_goes_over_a_local_socket),
        cmocka_unit_test(a_connection_cut_at_any_octet_never_loses_or_doubles_unawares),
        cmocka_unit_test(our_own_name_in_greeting_and_ehlo_is_a_loop),
        cmocka_unit_test(stopping_defers_at_any_moment),
        cmocka_unit_test(local_recipients_are_served_one_after_the_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
