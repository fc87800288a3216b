#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "path/session/tracing.h"

#define OURS                                                                                       \
    "Received: from mail.example.net (host7.provider.example [45.0.0.7])\r\n"                      \
    "\tby mx.here.example (Postrider) with ESMTP id 06f5k3m9q2x4a;\r\n"                            \
    "\tTue, 24 Nov 2026 07:15:34 +0000\r\n"
#define BY(host)                                                                                   \
    "Received: from desk.example.net ([45.0.0.80])\r\n\tby " host                                  \
    " with ESMTP id 1;\r\n\tTue, 24 Nov 2026 07:15:30 +0000\r\nSubject: x\r\n\r\n"

static struct tracing judged(struct str header, const struct tracing_client *client)
{
    struct tracing t = {0};
    tracing_keep(&t, header);
    tracing_judge(&t, client, STR(OURS), STR("mx.here.example"), 1795504534);
    assert_true(t.judged);
    tracing_done(&t);
    return t;
}

static struct tracing_client client(void)
{
    struct tracing_client c = {.reverse = REVERSE_TEMPORARY,
                               .helo = STR("mail.example.net"),
                               .helo_finding = HELO_TEMPORARY};
    assert_true(ip_parse(STR("45.0.0.7"), &c.ip));
    return c;
}

static void our_own_line_is_fact_and_names_the_origin(void **state)
{
    (void)state;
    struct tracing_client c = client();
    struct tracing t = judged(STR("Subject: x\r\n\r\n"), &c);
    assert_int_equal(t.verdict, TRACE_PROVEN);
    assert_int_equal(t.first_forged, TRACE_NONE);
    assert_true(ip_eq(t.origin, c.ip));
}

static void lines_of_others_below_it_are_forged(void **state)
{
    (void)state;
    struct tracing_client c = client();
    c.reverse = REVERSE_VERIFIED;
    c.name = STR("host7.provider.example");
    struct tracing t = judged(STR(BY("mx.bank.example")), &c);
    assert_int_equal(t.verdict, TRACE_FORGED);
    assert_int_equal(t.first_forged, 1);
    struct buf field = {0};
    tracing_field(&field, &t, STR("mx.here.example"));
    assert_true(
        str_eq(buf_str(&field), STR("Authentication-Results: mx.here.example;\r\n\tx-trace=forged "
                                    "policy.origin=\"45.0.0.7\" policy.first-forged=1\r\n")));
    buf_done(&field);
}

/* A HELO alone proves nothing; that it leads to the client's address does. */
static void what_the_session_has_looked_up_counts(void **state)
{
    (void)state;
    struct tracing_client c = client();
    enum trace_verdict unknown = judged(STR(BY("mail.example.net")), &c).verdict;
    c.helo_finding = HELO_MATCHES;
    enum trace_verdict known = judged(STR(BY("mail.example.net")), &c).verdict;
    assert_int_equal(known, TRACE_CONSISTENT);
    assert_true(unknown > known);
}

static void no_more_is_kept_than_is_judged(void **state)
{
    (void)state;
    struct tracing t = {0};
    char piece[1000] = {0};
    for (size_t i = 0; i < TRACING_KEPT / sizeof piece + 10; i++) {
        tracing_keep(&t, str_from(piece, sizeof piece));
    }
    assert_int_equal(t.header.len, TRACING_KEPT);
    tracing_done(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(our_own_line_is_fact_and_names_the_origin),
        cmocka_unit_test(lines_of_others_below_it_are_forged),
        cmocka_unit_test(what_the_session_has_looked_up_counts),
        cmocka_unit_test(no_more_is_kept_than_is_judged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
