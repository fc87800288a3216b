#include "desk.h"

static void a_message_is_kept_before_250_is_said(void **state)
{
    (void)state;
    from("192.0.2.9:4000");
    assert_true(said("220 mx.here.example ESMTP"));
    w.commit_waits = true;
    give(STR(TX "DATA\r\nX: y\r\n\r\n..z\r\n.\r\nQUIT\r\n"));
    assert_false(said("2.1.0"));
    assert_true(w.paused);
    assert_int_equal(w.after.us, SPAN_S(5).us);
    let_lookups_go();
    assert_true(said("354"));
    assert_false(said("2.0.0"));
    finish_commit();
    assert_true(said("250 2.0.0 OK, queued as "));
    assert_true(w.closed);
    assert_int_equal(w.kept, 1);
    assert_true(str_eq(buf_str(&w.body), STR("X: y\r\n\r\n.z\r\n")));
    assert_true(str_starts(buf_str(&w.additions),
                           STR("Received: from [192.0.2.9] (unverified [192.0.2.9])\r\n"
                               "\tby mx.here.example (Postrider) with ESMTP id ")));
    assert_false(w.submitted);
}

static void a_failed_commit_is_told_and_the_session_goes_on(void **state)
{
    (void)state;
    from("192.0.2.9:4000");
    w.commit_result = -ENOSPC;
    give(STR(TX "DATA\r\n.\r\nNOOP\r\n"));
    let_lookups_go();
    assert_true(said("452 4.3.1"));
    assert_true(said("nothing done"));
    assert_int_equal(w.kept, 0);
    assert_false(w.paused);
}

static void a_stranger_may_not_relay_and_an_own_network_may(void **state)
{
    (void)state;
    from("192.0.2.9:4000");
    give(STR("EHLO a\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<x@far.example>\r\nDATA\r\n"));
    let_lookups_go();
    assert_true(said("550 5.7.1") && said("554 5.5.1"));
    w.stream.events->end(&w.stream, 0);
    assert_true(w.closed);
    w.closed = false;
    from("10.1.2.3:4000");
    give(STR("EHLO a\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<x@far.example>\r\nDATA\r\n"
             "Bcc: q@r\r\nTo: s\r\n\r\n.\r\n"));
    let_lookups_go();
    assert_int_equal(w.kept, 1);
    assert_true(w.submitted);
    assert_true(str_eq(buf_str(&w.body), STR("To: s\r\n\r\n")));
    assert_int_not_equal(str_find_str(buf_str(&w.additions), STR("\r\nDate: ")), STR_NONE);
    assert_int_not_equal(str_find_str(buf_str(&w.additions), STR("\r\nMessage-ID: <")), STR_NONE);
}

static void a_full_draft_holds_the_client_back(void **state)
{
    (void)state;
    from("192.0.2.9:4000");
    give(STR(TX "DATA\r\n"));
    let_lookups_go();
    w.draft_is_full = true;
    give(STR("a\r\n"));
    assert_true(w.paused);
    give(STR(".\r\n"));
    assert_int_equal(w.kept, 0);
    w.draft_is_full = false;
    void (*ready)(void *) = w.ready;
    w.ready = NULL;
    ready(w.ready_owner);
    assert_int_equal(w.kept, 1);
    assert_false(w.paused);
}

static void loops_are_refused(void **state)
{
    (void)state;
    from("192.0.2.9:4000");
    give(STR(TX "DATA\r\nReceived: a\r\nReceived: b\r\nReceived: c\r\n\r\n.\r\n"));
    let_lookups_go();
    assert_true(said("554 5.4.6"));
    buf_clear(&w.sent);
    give(STR(TX "DATA\r\nDelivered-To: u@here.example\r\n\r\n.\r\n"));
    assert_true(said("554 5.4.6"));
    assert_int_equal(w.kept, 0);
}

static void a_recipient_named_twice_gets_one_copy(void **state)
{
    (void)state;
    from("192.0.2.9:4000");
    give(STR(TX "RCPT TO:<u@HERE.example>\r\nRCPT TO:<postmaster>\r\nDATA\r\n.\r\n"));
    let_lookups_go();
    assert_int_equal(w.kept, 1);
    assert_int_equal(w.rcpts, 2);
}

/* Answers the question asked first: PTR is mx.b.example, every A is 192.0.2.9. */
static void answer_first(enum resolver_result result)
{
    struct resolver_query *query = w.asked[0];
    struct dns_name name = w.asked_name[0];
    uint16_t type = w.asked_type[0];
    struct dns_build b = {0};
    struct dns_name host;
    struct ip ip;
    assert_true(dns_name_parse(STR("mx.b.example"), &host));
    assert_true(ip_parse(STR("192.0.2.9"), &ip));
    dns_build_start(&b, &name, type, DNS_NOERROR);
    dns_build_section(&b, DNS_ANSWER);
    if (type == DNS_PTR) {
        dns_build_name(&b, &name, DNS_PTR, &host);
    } else if (type == DNS_A) {
        dns_build_ip(&b, &name, ip);
    }
    cancel_query(NULL, query);
    query->result = result;
    query->answer = result == RESOLVER_ANSWERED ? buf_str(&b.out) : (struct str){0};
    query->done(query);
    buf_done(&b.out);
}

static void mail_waits_for_the_checks_and_the_finding_is_written_down(void **state)
{
    (void)state;
    from("192.0.2.9:4000");
    give(STR("EHLO other.example\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<u@here.example>\r\n"
             "DATA\r\n.\r\n"));
    assert_false(said("2.1.0"));
    for (unsigned i = 0; w.asked_count > 0; i++) {
        assert_true(i < 20);
        answer_first(RESOLVER_ANSWERED);
    }
    assert_int_equal(w.kept, 1);
    assert_true(str_starts(buf_str(&w.additions),
                           STR("Received: from other.example (mx.b.example [192.0.2.9])\r\n")));
}

static void a_dns_that_fails_is_no_ground_for_refusal(void **state)
{
    (void)state;
    w.config.helo = HELO_REJECT;
    from("192.0.2.9:4000");
    give(STR("EHLO other.example\r\nMAIL FROM:<a@b.example>\r\n"));
    for (unsigned i = 0; w.asked_count > 0; i++) {
        assert_true(i < 20);
        answer_first(i % 2 == 0 ? RESOLVER_TIMEOUT : RESOLVER_FAILED);
    }
    assert_true(said("250 2.1.0"));
}

static void note_drained(void *owner)
{
    (void)owner;
    w.drained = true;
}

static void a_drained_office_lets_a_message_finish(void **state)
{
    (void)state;
    from("192.0.2.9:4000");
    give(STR(TX "DATA\r\n"));
    let_lookups_go();
    session_office_drain(&w.office, note_drained, NULL);
    assert_false(w.drained);
    give(STR("x\r\n.\r\n"));
    assert_int_equal(w.kept, 1);
    give(STR("NOOP\r\n"));
    assert_true(said("421 4.3.2"));
    assert_true(w.closed && w.drained);
}

static void a_client_that_breaks_off_during_a_commit_is_survived(void **state)
{
    (void)state;
    from("192.0.2.9:4000");
    w.commit_waits = true;
    give(STR(TX "DATA\r\nx\r\n.\r\n"));
    let_lookups_go();
    w.stream.events->end(&w.stream, -ECONNRESET);
    assert_true(w.closed);
    assert_int_equal(w.office.count, 1);
    finish_commit();
    assert_int_equal(w.office.count, 0);
    assert_int_equal(w.kept, 1);
}

static void a_client_that_stops_sending_still_gets_its_answer(void **state)
{
    (void)state;
    from("192.0.2.9:4000");
    w.commit_waits = true;
    give(STR(TX "DATA\r\nx\r\n.\r\n"));
    let_lookups_go();
    w.stream.events->end(&w.stream, 0);
    assert_false(w.closed);
    finish_commit();
    assert_true(said("queued as"));
    assert_true(w.closed);
}

static void a_liar_is_refused_where_the_policy_says_so(void **state)
{
    (void)state;
    w.config.helo = HELO_REJECT;
    from("192.0.2.9:4000");
    give(STR("EHLO [192.0.2.10]\r\nMAIL FROM:<a@b.example>\r\n"));
    let_lookups_go();
    assert_true(said("550 5.7.1"));
}

#define T(name) cmocka_unit_test_setup_teardown(name, begin, finish)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_message_is_kept_before_250_is_said),
        T(a_failed_commit_is_told_and_the_session_goes_on),
        T(a_stranger_may_not_relay_and_an_own_network_may),
        T(a_full_draft_holds_the_client_back),
        T(loops_are_refused),
        T(a_recipient_named_twice_gets_one_copy),
        T(a_drained_office_lets_a_message_finish),
        T(a_client_that_breaks_off_during_a_commit_is_survived),
        T(a_client_that_stops_sending_still_gets_its_answer),
        T(mail_waits_for_the_checks_and_the_finding_is_written_down),
        T(a_dns_that_fails_is_no_ground_for_refusal),
        T(a_liar_is_refused_where_the_policy_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
