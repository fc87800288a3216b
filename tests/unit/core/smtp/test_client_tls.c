/* test_client_tls.c: STARTTLS as a client (RFC 3207). */
#include "client_talk.h"

static void greet_for_tls(struct talk *k, bool required, const char *hello_reply)
{
    begin(k, false, 1);
    k->c.tls_wanted = true;
    k->c.tls_required = required;
    say(k, "220 mx.example ESMTP\r\n");
    assert_sent(k, "EHLO me.example\r\n");
    say(k, hello_reply);
}

static void starttls_is_used_where_offered_and_all_before_is_forgotten(void **state)
{
    (void)state;
    struct talk k;
    greet_for_tls(&k, false, "250-mx.example\r\n250-PIPELINING\r\n250 STARTTLS\r\n");
    assert_sent(&k, "STARTTLS\r\n");
    assert_int_equal(smtp_client_phase(&k.c), PHASE_STARTTLS);
    say(&k, "220 go on\r\n");
    assert_int_equal(smtp_client_state(&k.c), CLIENT_SECURE);
    smtp_client_secured(&k.c);
    assert_sent(&k, "EHLO me.example\r\n");
    say(&k, "250-mx.example\r\n250 STARTTLS\r\n");
    assert_int_equal(smtp_client_state(&k.c), CLIENT_READY);
    assert_false(peer_has(&k.c.peer, PEER_PIPELINING));
    end(&k);
}

static void replies_behind_the_one_to_starttls_end_the_session(void **state)
{
    (void)state;
    struct talk k;
    greet_for_tls(&k, false, "250-mx.example\r\n250 STARTTLS\r\n");
    smtp_client_feed(&k.c, STR("220 go on\r\n250-evil.example\r\n250 AUTH PLAIN\r\n"));
    assert_int_equal(smtp_client_state(&k.c), CLIENT_CLOSED);
    assert_int_equal(k.c.failure.cause, CAUSE_NO_SMTP);
    end(&k);
}

static void without_tls_mail_goes_in_the_clear_unless_it_is_required(void **state)
{
    (void)state;
    static const char *const offers[] = {"250 mx.example\r\n",
                                         "250-mx.example\r\n250 STARTTLS\r\n"};
    for (size_t i = 0; i < ARRAY_LEN(offers); i++) {
        for (int required = 0; required < 2; required++) {
            struct talk k;
            greet_for_tls(&k, required, offers[i]);
            if (i == 1) {
                say(&k, "454 4.7.0 not now\r\n");
            }
            assert_int_equal(smtp_client_state(&k.c), required ? CLIENT_CLOSED : CLIENT_READY);
            if (required) {
                assert_int_equal(k.c.failure.cause, CAUSE_NO_TLS);
                assert_int_equal(k.c.failure.verdict, VERDICT_TEMPORARY);
                assert_int_equal(k.c.failure.status.subject, 7);
                assert_int_equal(k.c.failure.text.len > 0, i == 1);
            }
            end(&k);
        }
    }
}

static void a_server_without_ehlo_gets_no_mail_where_tls_is_required(void **state)
{
    (void)state;
    struct talk k;
    greet_for_tls(&k, true, "502 what\r\n");
    say(&k, "250 mx.example\r\n");
    assert_int_equal(k.c.failure.cause, CAUSE_NO_TLS);
    end(&k);
}

static void a_message_that_requires_tls_goes_to_who_offers_that_in_private_only(void **state)
{
    (void)state;
    for (int secured = 0; secured < 2; secured++) {
        for (int offered = 0; offered < 2; offered++) {
            struct talk k;
            begin(&k, false, 1);
            k.c.secured = secured;
            k.t.require_tls = true;
            hello(&k, offered ? "250-mx.example\r\n250 REQUIRETLS\r\n" : "250 mx.example\r\n");
            smtp_client_start(&k.c, &k.t);
            if (secured && offered) {
                assert_sent(&k, "MAIL FROM:<s@y.example> REQUIRETLS\r\n");
            } else {
                assert_sent(&k, "");
                assert_result(&k, 0, .verdict = VERDICT_PERMANENT, .cause = CAUSE_NO_REQUIRETLS,
                              .status = {5, 7, 30}, .other_host = true);
            }
            end(&k);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(starttls_is_used_where_offered_and_all_before_is_forgotten),
        cmocka_unit_test(replies_behind_the_one_to_starttls_end_the_session),
        cmocka_unit_test(without_tls_mail_goes_in_the_clear_unless_it_is_required),
        cmocka_unit_test(a_server_without_ehlo_gets_no_mail_where_tls_is_required),
        cmocka_unit_test(a_message_that_requires_tls_goes_to_who_offers_that_in_private_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
