#include "client_talk.h"

static void a_plain_server_is_asked_step_by_step(void **state)
{
    (void)state;
    struct talk k;
    begin(&k, false, 2);
    hello(&k, "250 mx.example\r\n");
    smtp_client_start(&k.c, &k.t);
    assert_int_equal(smtp_client_phase(&k.c), PHASE_MAIL);
    assert_sent(&k, "MAIL FROM:<s@y.example>\r\n");
    say(&k, "250 ok\r\n");
    assert_int_equal(smtp_client_phase(&k.c), PHASE_RCPT);
    assert_sent(&k, "RCPT TO:<a@x.example>\r\n");
    say(&k, "250 ok\r\n");
    assert_sent(&k, "RCPT TO:<b@x.example>\r\n");
    say(&k, "251 ok\r\n");
    assert_sent(&k, "DATA\r\n");
    assert_int_equal(smtp_client_phase(&k.c), PHASE_DATA_INIT);
    say(&k, "354 go\r\n");
    assert_int_equal(smtp_client_state(&k.c), CLIENT_BODY);
    smtp_client_body(&k.c, STR("a\r\n.b\r\n"), false);
    assert_sent(&k, "a\r\n..b\r\n");
    assert_false(k.t.ended);
    smtp_client_body(&k.c, STR("c"), true);
    assert_sent(&k, "c\r\n.\r\n");
    assert_true(k.t.ended);
    assert_int_equal(smtp_client_phase(&k.c), PHASE_DATA_DONE);
    say(&k, "250 2.6.0 taken\r\n");
    assert_null(k.c.transaction);
    assert_result(&k, 0, .verdict = VERDICT_ACCEPTED, .code = 250, .status = {2, 6, 0});
    assert_result(&k, 1, .verdict = VERDICT_ACCEPTED, .code = 250, .status = {2, 6, 0});
    assert_true(str_eq(k.rcpts[0].result.text, STR("250 2.6.0 taken")));
    smtp_client_quit(&k.c);
    assert_sent(&k, "QUIT\r\n");
    say(&k, "221 bye\r\n");
    assert_int_equal(smtp_client_state(&k.c), CLIENT_CLOSED);
    end(&k);
}

static void helo_follows_where_ehlo_is_refused(void **state)
{
    (void)state;
    struct talk k;
    begin(&k, false, 1);
    say(&k, "220-mx.example\r\n220 hello\r\n");
    assert_sent(&k, "EHLO me.example\r\n");
    say(&k, "502 what?\r\n");
    assert_sent(&k, "HELO me.example\r\n");
    say(&k, "250-mx.example\r\n250 PIPELINING\r\n");
    assert_int_equal(smtp_client_state(&k.c), CLIENT_READY);
    assert_int_equal(k.c.peer.extensions, 0);
    end(&k);
}

static void a_greeting_that_refuses_is_the_hosts_failure(void **state)
{
    (void)state;
    static const struct {
        const char *greeting;
        enum client_verdict verdict;
        enum client_cause cause;
        const char *sent;
    } rows[] = {
        {"554 5.3.2 no\r\n", VERDICT_PERMANENT, CAUSE_REPLY, "QUIT\r\n"},
        {"450 later\r\n", VERDICT_TEMPORARY, CAUSE_REPLY, "QUIT\r\n"},
        {"421 busy\r\n", VERDICT_TEMPORARY, CAUSE_REPLY, ""},
        {"250 odd\r\n", VERDICT_TEMPORARY, CAUSE_UNEXPECTED, ""},
        {"SSH-2.0-x\r\n", VERDICT_TEMPORARY, CAUSE_NO_SMTP, ""},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct talk k;
        begin(&k, false, 1);
        say(&k, rows[i].greeting);
        assert_int_equal(smtp_client_state(&k.c), CLIENT_CLOSED);
        assert_int_equal(k.c.failure.verdict, rows[i].verdict);
        assert_int_equal(k.c.failure.cause, rows[i].cause);
        assert_true(k.c.failure.other_host);
        assert_sent(&k, rows[i].sent);
        end(&k);
    }
}

static const char everything[] =
    "250-mx.example hi\r\n250-PIPELINING\r\n250-SIZE 1000\r\n250-8bitmime\r\n250-DSN\r\n"
    "250-SMTPUTF8\r\n250-LIMITS RCPTMAX=3 MAILMAX=x\r\n250 ENHANCEDSTATUSCODES\r\n";

static void ehlo_keywords_are_learnt(void **state)
{
    (void)state;
    struct talk k;
    begin(&k, false, 1);
    hello(&k, everything);
    assert_true(peer_has(&k.c.peer, PEER_PIPELINING | PEER_SIZE | PEER_8BITMIME | PEER_DSN |
                                        PEER_SMTPUTF8 | PEER_LIMITS | PEER_STATUS_CODES));
    assert_false(peer_has(&k.c.peer, PEER_CHUNKING));
    assert_int_equal(k.c.peer.size_limit, 1000);
    assert_int_equal(k.c.peer.rcpt_max, 3);
    assert_int_equal(k.c.peer.mail_max, 0);
    end(&k);
}

static void commands_go_together_with_pipelining_and_carry_what_the_server_knows(void **state)
{
    (void)state;
    struct talk k;
    begin(&k, false, 3);
    hello(&k, everything);
    k.t.body = BODY_8BITMIME;
    k.t.smtputf8 = true;
    k.t.ret = RET_HDRS;
    k.t.envid = STR("a+b c");
    k.rcpts[0].notify = NOTIFY_SUCCESS | NOTIFY_DELAY;
    k.rcpts[0].orcpt = STR("rfc822;a=b@x.example");
    k.rcpts[1].notify = NOTIFY_NEVER;
    k.rcpts[2].orcpt = STR("utf-8;\xc3\xbc+@x.example");
    smtp_client_start(&k.c, &k.t);
    assert_sent(&k, "MAIL FROM:<s@y.example> SIZE=100 BODY=8BITMIME SMTPUTF8 RET=HDRS "
                    "ENVID=a+2Bb+20c\r\n"
                    "RCPT TO:<a@x.example> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;a+3Db@x.example\r\n"
                    "RCPT TO:<b@x.example> NOTIFY=NEVER\r\n"
                    "RCPT TO:<c@x.example> ORCPT=utf-8;\xc3\xbc+2B@x.example\r\n"
                    "DATA\r\n");
    say(&k, "250 a\r\n250 b\r\n550 5.1.1 nobody\r\n452 too many\r\n354 go\r\n");
    assert_int_equal(smtp_client_state(&k.c), CLIENT_BODY);
    smtp_client_body(&k.c, STR("x\r\n"), true);
    assert_sent(&k, "x\r\n.\r\n");
    say(&k, "250 done\r\n");
    assert_result(&k, 0, ACCEPTED, .passed_on = true);
    assert_result(&k, 1, .verdict = VERDICT_PERMANENT, .code = 550, .status = {5, 1, 1});
    assert_result(&k, 2, .verdict = VERDICT_TEMPORARY, .code = 452, .status = {4, 0, 0},
                  .again = true);
    end(&k);
}

static void dsn_parameters_stay_away_from_servers_without_dsn(void **state)
{
    (void)state;
    struct talk k;
    begin(&k, false, 1);
    hello(&k, "250-mx.example\r\n250 PIPELINING\r\n");
    k.t.ret = RET_FULL;
    k.rcpts[0].notify = NOTIFY_SUCCESS;
    smtp_client_start(&k.c, &k.t);
    assert_sent(&k, "MAIL FROM:<s@y.example>\r\nRCPT TO:<a@x.example>\r\nDATA\r\n");
    say(&k, "250 a\r\n250 b\r\n354 go\r\n");
    smtp_client_body(&k.c, STR(""), true);
    assert_sent(&k, ".\r\n");
    say(&k, "250 done\r\n");
    assert_result(&k, 0, ACCEPTED);
    end(&k);
}

static void a_priority_is_told_to_servers_that_want_it(void **state)
{
    (void)state;
    for (int offered = 0; offered < 2; offered++) {
        struct talk k;
        begin(&k, false, 1);
        hello(&k, offered ? "250-mx.example\r\n250 MT-PRIORITY MIXER\r\n" : "250 mx.example\r\n");
        k.t.priority = -3;
        smtp_client_start(&k.c, &k.t);
        assert_sent(&k, offered ? "MAIL FROM:<s@y.example> MT-PRIORITY=-3\r\n"
                                : "MAIL FROM:<s@y.example>\r\n");
        say(&k, "550 no\r\n");
        end(&k);
    }
}

static void a_552_to_rcpt_means_too_many(void **state)
{
    (void)state;
    struct talk k;
    begin(&k, false, 1);
    hello(&k, "250 mx.example\r\n");
    smtp_client_start(&k.c, &k.t);
    say(&k, "250 a\r\n552 5.5.3 too many\r\n");
    assert_result(&k, 0, .verdict = VERDICT_TEMPORARY, .code = 552, .status = {4, 5, 3},
                  .again = true);
    end(&k);
}

static void data_taken_without_recipients_gets_a_lone_dot(void **state)
{
    (void)state;
    struct talk k;
    begin(&k, false, 1);
    hello(&k, "250-mx.example\r\n250 PIPELINING\r\n");
    smtp_client_start(&k.c, &k.t);
    buf_clear(&k.c.out);
    say(&k, "250 a\r\n550 no\r\n354 go\r\n");
    assert_sent(&k, ".\r\n");
    assert_int_equal(smtp_client_state(&k.c), CLIENT_TALKING);
    say(&k, "554 no recipients\r\n");
    assert_int_equal(smtp_client_state(&k.c), CLIENT_READY);
    assert_result(&k, 0, .verdict = VERDICT_PERMANENT, .code = 550, .status = {5, 0, 0});
    end(&k);
}

static void mail_refused_with_pipelining_leaves_the_session_in_step(void **state)
{
    (void)state;
    struct talk k;
    begin(&k, false, 2);
    hello(&k, "250-mx.example\r\n250 PIPELINING\r\n");
    smtp_client_start(&k.c, &k.t);
    buf_clear(&k.c.out);
    say(&k, "450 4.7.1 later\r\n503 a\r\n503 b\r\n");
    assert_non_null(k.c.transaction);
    say(&k, "503 c\r\n");
    assert_null(k.c.transaction);
    assert_sent(&k, "");
    assert_int_equal(smtp_client_state(&k.c), CLIENT_READY);
    assert_result(&k, 0, .verdict = VERDICT_TEMPORARY, .code = 450, .status = {4, 7, 1},
                  .other_host = true);
    k.rcpts[0].result = k.rcpts[1].result = (struct client_result){0};
    smtp_client_start(&k.c, &k.t);
    buf_clear(&k.c.out);
    say(&k, "550 no\r\n250 a\r\n250 b\r\n354 go\r\n");
    assert_sent(&k, ".\r\n");
    say(&k, "250 odd\r\n");
    assert_int_equal(smtp_client_state(&k.c), CLIENT_READY);
    assert_result(&k, 1, .verdict = VERDICT_PERMANENT, .code = 550, .status = {5, 0, 0});
    end(&k);
}

static void a_refusal_is_followed_by_rset(void **state)
{
    (void)state;
    struct talk k;
    begin(&k, false, 1);
    hello(&k, "250 mx.example\r\n");
    smtp_client_start(&k.c, &k.t);
    say(&k, "250 a\r\n");
    buf_clear(&k.c.out);
    say(&k, "550 no\r\n");
    assert_sent(&k, "RSET\r\n");
    assert_null(k.c.transaction);
    assert_int_equal(smtp_client_state(&k.c), CLIENT_TALKING);
    say(&k, "250 ok\r\n");
    assert_int_equal(smtp_client_state(&k.c), CLIENT_READY);
    end(&k);
}

static void lmtp_has_a_reply_for_every_recipient_taken(void **state)
{
    (void)state;
    struct talk k;
    begin(&k, true, 3);
    hello(&k, "250-me.example\r\n250-DSN\r\n250 PIPELINING\r\n");
    smtp_client_start(&k.c, &k.t);
    assert_sent(&k, "MAIL FROM:<s@y.example>\r\nRCPT TO:<a@x.example>\r\nRCPT TO:<b@x.example>\r\n"
                    "RCPT TO:<c@x.example>\r\nDATA\r\n");
    say(&k, "250 m\r\n250 a\r\n550 b\r\n250 c\r\n354 go\r\n");
    smtp_client_body(&k.c, STR("x\r\n"), true);
    say(&k, "250 2.0.0 a has it\r\n");
    assert_non_null(k.c.transaction);
    say(&k, "452 4.2.2 c is full\r\n");
    assert_int_equal(smtp_client_state(&k.c), CLIENT_READY);
    assert_result(&k, 0, ACCEPTED);
    assert_result(&k, 1, .verdict = VERDICT_PERMANENT, .code = 550, .status = {5, 0, 0});
    assert_result(&k, 2, .verdict = VERDICT_TEMPORARY, .code = 452, .status = {4, 2, 2});
    end(&k);
}

static void lmtp_lost_between_the_replies_leaves_the_first_accepted(void **state)
{
    (void)state;
    struct talk k;
    begin(&k, true, 2);
    hello(&k, "250 me.example\r\n");
    smtp_client_start(&k.c, &k.t);
    say(&k, "250 m\r\n250 a\r\n250 b\r\n354 go\r\n");
    smtp_client_body(&k.c, STR("x\r\n"), true);
    say(&k, "250 a has it\r\n");
    smtp_client_lost(&k.c);
    assert_result(&k, 0, ACCEPTED);
    assert_result(&k, 1, LOST);
    end(&k);
}

static void chunks_go_without_waiting_and_in_crlf_form(void **state)
{
    (void)state;
    struct talk k;
    begin(&k, false, 1);
    hello(&k, "250-mx.example\r\n250-PIPELINING\r\n250 CHUNKING\r\n");
    smtp_client_start(&k.c, &k.t);
    assert_sent(&k, "MAIL FROM:<s@y.example>\r\nRCPT TO:<a@x.example>\r\n");
    say(&k, "250 m\r\n250 a\r\n");
    assert_int_equal(smtp_client_state(&k.c), CLIENT_BODY);
    smtp_client_body(&k.c, STR(".a\nb\r"), false);
    assert_sent(&k, "BDAT 5\r\n.a\r\nb");
    assert_int_equal(smtp_client_state(&k.c), CLIENT_BODY);
    smtp_client_body(&k.c, STR("\nc"), true);
    assert_sent(&k, "BDAT 3 LAST\r\n\r\nc");
    assert_int_equal(smtp_client_phase(&k.c), PHASE_DATA_DONE);
    say(&k, "250 5\r\n");
    assert_non_null(k.c.transaction);
    say(&k, "250 done\r\n");
    assert_result(&k, 0, ACCEPTED);
    assert_int_equal(smtp_client_state(&k.c), CLIENT_READY);
    end(&k);
}

static void binary_chunks_wait_for_each_other_without_pipelining_and_go_as_they_are(void **state)
{
    (void)state;
    struct talk k;
    begin(&k, false, 1);
    hello(&k, "250-mx.example\r\n250-BINARYMIME\r\n250 CHUNKING\r\n");
    k.t.body = BODY_BINARYMIME;
    smtp_client_start(&k.c, &k.t);
    assert_sent(&k, "MAIL FROM:<s@y.example> BODY=BINARYMIME\r\n");
    say(&k, "250 m\r\n250 a\r\n");
    buf_clear(&k.c.out);
    smtp_client_body(&k.c, STR("a\nb\r"), false);
    assert_sent(&k, "BDAT 4\r\na\nb\r");
    assert_int_equal(smtp_client_state(&k.c), CLIENT_TALKING);
    say(&k, "250 4\r\n");
    assert_int_equal(smtp_client_state(&k.c), CLIENT_BODY);
    smtp_client_body(&k.c, STR(""), true);
    assert_sent(&k, "BDAT 0 LAST\r\n");
    say(&k, "552 5.2.3 too long\r\n");
    assert_result(&k, 0, .verdict = VERDICT_PERMANENT, .code = 552, .status = {5, 2, 3});
    end(&k);
}

static void a_chunk_refused_ends_the_transaction(void **state)
{
    (void)state;
    struct talk k;
    begin(&k, false, 1);
    hello(&k, "250-mx.example\r\n250-PIPELINING\r\n250 CHUNKING\r\n");
    smtp_client_start(&k.c, &k.t);
    say(&k, "250 m\r\n250 a\r\n");
    smtp_client_body(&k.c, STR("abc"), false);
    buf_clear(&k.c.out);
    say(&k, "452 4.3.1 full\r\n");
    assert_sent(&k, "RSET\r\n");
    assert_result(&k, 0, .verdict = VERDICT_TEMPORARY, .code = 452, .status = {4, 3, 1});
    end(&k);
}

static void death_after_the_last_chunk_may_mean_that_the_server_has_it(void **state)
{
    (void)state;
    for (int last = 0; last < 2; last++) {
        struct talk k;
        begin(&k, false, 1);
        hello(&k, "250-mx.example\r\n250-PIPELINING\r\n250 CHUNKING\r\n");
        smtp_client_start(&k.c, &k.t);
        say(&k, "250 m\r\n250 a\r\n");
        smtp_client_body(&k.c, STR("abc"), last);
        smtp_client_lost(&k.c);
        assert_result(&k, 0, LOST, .other_host = !last);
        end(&k);
    }
}

static void what_a_server_cannot_take_is_not_sent(void **state)
{
    (void)state;
    static const struct {
        enum envelope_body body;
        bool smtputf8;
        uint64_t size;
        struct str sender, address;
        enum client_cause cause;
        struct status_code status;
    } rows[] = {
        {BODY_7BIT, false, 1001, STR_INIT("s@y"), STR_INIT("a@x"), CAUSE_TOO_BIG, {5, 3, 4}},
        {BODY_8BITMIME, false, 9, STR_INIT("s@y"), STR_INIT("a@x"), CAUSE_8BIT, {5, 6, 3}},
        {BODY_BINARYMIME, false, 9, STR_INIT("s@y"), STR_INIT("a@x"), CAUSE_BINARY, {5, 6, 3}},
        {BODY_7BIT, true, 9, STR_INIT("s@y"), STR_INIT("a@x"), CAUSE_UTF8, {5, 6, 7}},
        {BODY_7BIT, false, 9, STR_INIT("\xc3\xbc@y"), STR_INIT("a@x"), CAUSE_UTF8, {5, 6, 7}},
        {BODY_7BIT, false, 9, STR_INIT("s@y"), STR_INIT("\xc3\xbc@x"), CAUSE_UTF8, {5, 6, 7}},
        {BODY_7BIT, false, 9, STR_INIT("s@y\r\n"), STR_INIT("a@x"), CAUSE_SYNTAX, {5, 1, 7}},
        {BODY_7BIT, false, 9, STR_INIT("s@y"), STR_INIT("a\n@x"), CAUSE_SYNTAX, {5, 1, 3}},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct talk k;
        begin(&k, false, 1);
        hello(&k, "250-mx.example\r\n250 SIZE 1000\r\n");
        k.t.body = rows[i].body;
        k.t.smtputf8 = rows[i].smtputf8;
        k.t.size = rows[i].size;
        k.t.sender = rows[i].sender;
        k.rcpts[0].address = rows[i].address;
        smtp_client_start(&k.c, &k.t);
        assert_sent(&k, "");
        assert_null(k.c.transaction);
        assert_int_equal(smtp_client_state(&k.c), CLIENT_READY);
        assert_result(&k, 0, .verdict = VERDICT_PERMANENT, .cause = rows[i].cause,
                      .status = rows[i].status);
        end(&k);
    }
}

static void a_message_of_exactly_the_size_limit_is_sent(void **state)
{
    (void)state;
    struct talk k;
    begin(&k, false, 1);
    hello(&k, "250-mx.example\r\n250 SIZE 1000\r\n");
    k.t.size = 1000;
    smtp_client_start(&k.c, &k.t);
    assert_sent(&k, "MAIL FROM:<s@y.example> SIZE=1000\r\n");
    end(&k);
}

/* The whole of a session with one recipient refused and one taken; cut after `octets`. */
static void cut_after(size_t octets)
{
    static const char *const replies[] = {
        "220 mx.example\r\n", "250-mx.example\r\n250 SIZE 1000\r\n",
        "250 m\r\n",          "550 a\r\n",
        "250 b\r\n",          "354 go\r\n",
        "250 done\r\n",
    };
    struct talk k;
    begin(&k, false, 2);
    for (size_t i = 0; i < ARRAY_LEN(replies) && octets > 0; i++) {
        struct str reply = str_head(str_from_cstr(replies[i]), octets);
        smtp_client_feed(&k.c, reply);
        octets -= reply.len;
        if (smtp_client_state(&k.c) == CLIENT_READY && !k.t.heard && !k.c.transaction) {
            smtp_client_start(&k.c, &k.t);
        }
        if (smtp_client_state(&k.c) == CLIENT_BODY) {
            smtp_client_body(&k.c, STR("x\r\n"), true);
        }
    }
    bool started = k.c.transactions > 0;
    smtp_client_lost(&k.c);
    assert_int_equal(smtp_client_state(&k.c), CLIENT_CLOSED);
    if (!started) {
        assert_int_equal(k.c.failure.cause, CAUSE_LOST);
    } else if (k.rcpts[1].result.verdict != VERDICT_ACCEPTED) {
        assert_result(&k, 1, LOST, .other_host = !k.t.ended);
    }
    end(&k);
}

static void a_connection_lost_anywhere_defers_what_is_open(void **state)
{
    (void)state;
    for (size_t n = 0; n < 100; n++) {
        cut_after(n);
    }
}

static void a_421_ends_the_session_at_any_time(void **state)
{
    (void)state;
    struct talk k;
    begin(&k, false, 2);
    hello(&k, "250-mx.example\r\n250 PIPELINING\r\n");
    smtp_client_start(&k.c, &k.t);
    say(&k, "250 m\r\n550 no\r\n421 4.3.2 stopping\r\n");
    assert_int_equal(smtp_client_state(&k.c), CLIENT_CLOSED);
    assert_result(&k, 0, .verdict = VERDICT_PERMANENT, .code = 550, .status = {5, 0, 0});
    assert_result(&k, 1, .verdict = VERDICT_TEMPORARY, .code = 421, .status = {4, 3, 2},
                  .other_host = true);
    end(&k);
}

static void a_reply_during_the_message_ends_the_session(void **state)
{
    (void)state;
    struct talk k;
    begin(&k, false, 1);
    hello(&k, "250 mx.example\r\n");
    smtp_client_start(&k.c, &k.t);
    say(&k, "250 m\r\n250 a\r\n354 go\r\n");
    smtp_client_body(&k.c, STR("x\r\n"), false);
    say(&k, "552 5.3.4 too big\r\n");
    assert_int_equal(smtp_client_state(&k.c), CLIENT_CLOSED);
    assert_result(&k, 0, .verdict = VERDICT_PERMANENT, .code = 552, .status = {5, 3, 4});
    end(&k);
    begin(&k, false, 1);
    hello(&k, "250 mx.example\r\n");
    smtp_client_start(&k.c, &k.t);
    say(&k, "250 m\r\n250 a\r\n354 go\r\n250 already\r\n");
    assert_result(&k, 0, .verdict = VERDICT_TEMPORARY, .cause = CAUSE_UNEXPECTED, .code = 250,
                  .status = {4, 5, 0}, .other_host = true);
    end(&k);
}

static void a_server_with_our_own_name_is_a_loop_but_not_over_lmtp(void **state)
{
    (void)state;
    struct talk k;
    begin(&k, false, 1);
    say(&k, "220 ME.example ESMTP\r\n250-me.example hello\r\n");
    assert_int_equal(smtp_client_state(&k.c), CLIENT_CLOSED);
    assert_int_equal(k.c.failure.cause, CAUSE_SELF);
    assert_int_equal(k.c.failure.verdict, VERDICT_PERMANENT);
    end(&k);
    begin(&k, false, 1);
    say(&k, "220 me.example ESMTP\r\n250 other.example\r\n");
    assert_int_equal(smtp_client_state(&k.c), CLIENT_READY);
    end(&k);
    begin(&k, true, 1);
    say(&k, "220 me.example LMTP\r\n250 me.example\r\n");
    assert_int_equal(smtp_client_state(&k.c), CLIENT_READY);
    end(&k);
}
int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plain_server_is_asked_step_by_step),
        cmocka_unit_test(helo_follows_where_ehlo_is_refused),
        cmocka_unit_test(a_greeting_that_refuses_is_the_hosts_failure),
        cmocka_unit_test(ehlo_keywords_are_learnt),
        cmocka_unit_test(commands_go_together_with_pipelining_and_carry_what_the_server_knows),
        cmocka_unit_test(dsn_parameters_stay_away_from_servers_without_dsn),
        cmocka_unit_test(a_priority_is_told_to_servers_that_want_it),
        cmocka_unit_test(a_552_to_rcpt_means_too_many),
        cmocka_unit_test(data_taken_without_recipients_gets_a_lone_dot),
        cmocka_unit_test(mail_refused_with_pipelining_leaves_the_session_in_step),
        cmocka_unit_test(a_refusal_is_followed_by_rset),
        cmocka_unit_test(lmtp_has_a_reply_for_every_recipient_taken),
        cmocka_unit_test(lmtp_lost_between_the_replies_leaves_the_first_accepted),
        cmocka_unit_test(chunks_go_without_waiting_and_in_crlf_form),
        cmocka_unit_test(binary_chunks_wait_for_each_other_without_pipelining_and_go_as_they_are),
        cmocka_unit_test(a_chunk_refused_ends_the_transaction),
        cmocka_unit_test(death_after_the_last_chunk_may_mean_that_the_server_has_it),
        cmocka_unit_test(what_a_server_cannot_take_is_not_sent),
        cmocka_unit_test(a_message_of_exactly_the_size_limit_is_sent),
        cmocka_unit_test(a_connection_lost_anywhere_defers_what_is_open),
        cmocka_unit_test(a_421_ends_the_session_at_any_time),
        cmocka_unit_test(a_reply_during_the_message_ends_the_session),
        cmocka_unit_test(a_server_with_our_own_name_is_a_loop_but_not_over_lmtp),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
