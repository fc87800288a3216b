/* What the client does with a time to deliver by (RFC 2852). */
#include "client_talk.h"

static void a_time_to_deliver_by_goes_to_servers_that_keep_to_it(void **state)
{
    (void)state;
    static const char plain[] = "250 mx.example\r\n";
    static const char any[] = "250-mx.example\r\n250 DELIVERBY\r\n";
    static const char slow[] = "250-mx.example\r\n250 DELIVERBY 60,more\r\n";
#define FROM "MAIL FROM:<s@y.example>"
    static const struct {
        const char *hello;
        struct deliver_by by;
        const char *sent; /* null: nothing, for the cause */
        enum client_cause cause;
        bool lmtp;
    } rows[] = {
        {any, {59, BY_RETURN, false}, FROM " BY=59;R\r\n", CAUSE_REPLY, false},
        {any, {-59, BY_NOTIFY, true}, FROM " BY=-59;NT\r\n", CAUSE_REPLY, false},
        {plain, {59, BY_NOTIFY, true}, FROM "\r\n", CAUSE_REPLY, false},
        {plain, {59, BY_RETURN, false}, NULL, CAUSE_NO_DELIVERBY, false},
        {slow, {59, BY_RETURN, false}, NULL, CAUSE_BY_TOO_SOON, false},
        {slow, {60, BY_RETURN, true}, FROM " BY=60;RT\r\n", CAUSE_REPLY, false},
        {slow, {1, BY_NOTIFY, false}, FROM " BY=1;N\r\n", CAUSE_REPLY, false},
        {any, {0, BY_RETURN, false}, NULL, CAUSE_BY_OVER, false},
        {any, {0, BY_NONE, false}, FROM "\r\n", CAUSE_REPLY, false},
        {plain, {0, BY_RETURN, false}, FROM "\r\n", CAUSE_REPLY, true},
        {plain, {-1, BY_RETURN, false}, NULL, CAUSE_BY_OVER, true},
        {plain, {-1, BY_NOTIFY, false}, FROM "\r\n", CAUSE_REPLY, true},
    };
#undef FROM
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct talk k;
        begin(&k, rows[i].lmtp, 1);
        hello(&k, rows[i].hello);
        k.t.by = rows[i].by;
        smtp_client_start(&k.c, &k.t);
        const struct client_result *r = &k.t.rcpts[0].result;
        if (!rows[i].sent) {
            assert_sent(&k, "");
            assert_int_equal(r->cause, rows[i].cause);
            assert_int_equal(r->status.subject, 4);
            assert_int_equal(r->status.detail, 7);
            assert_int_equal(r->verdict, rows[i].cause == CAUSE_BY_OVER ? VERDICT_TEMPORARY
                                                                        : VERDICT_PERMANENT);
            assert_int_equal(r->other_host, rows[i].cause != CAUSE_BY_OVER);
        } else {
            assert_sent(&k, rows[i].sent);
            say(&k, "550 no\r\n");
        }
        end(&k);
    }
}

static void what_a_server_that_does_not_know_the_time_took_is_marked(void **state)
{
    (void)state;
    for (int offered = 0; offered < 2; offered++) {
        struct talk k;
        begin(&k, false, 1);
        hello(&k, offered ? "250-mx.example\r\n250 DELIVERBY\r\n" : "250 mx.example\r\n");
        k.t.by = (struct deliver_by){5, BY_NOTIFY, false};
        smtp_client_start(&k.c, &k.t);
        say(&k, "250 a\r\n");
        say(&k, "250 b\r\n");
        say(&k, "354 go\r\n");
        smtp_client_body(&k.c, STR(""), true);
        say(&k, "250 done\r\n");
        assert_int_equal(k.t.rcpts[0].result.verdict, VERDICT_ACCEPTED);
        assert_int_equal(k.t.rcpts[0].result.by_unheard, !offered);
        end(&k);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_time_to_deliver_by_goes_to_servers_that_keep_to_it),
        cmocka_unit_test(what_a_server_that_does_not_know_the_time_took_is_marked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
