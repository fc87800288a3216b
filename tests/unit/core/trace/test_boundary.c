/* How far down trust reaches, and where the message came from. */
#include "judged.h"

#define STORE(ip)                                                                                  \
    "Received: from mx.birch.example (mx.birch.example [" ip "])\n"                                \
    "\tby box.birch.example (Postfix) with ESMTP id 5F2B61C0D3; Tue,  3 Mar 2020 09:15:32 +0000\n"
#define GATE                                                                                       \
    "Received: from mail.alder.example (mail.alder.example [21.4.16.25])\n"                        \
    "\tby mx.birch.example (Postfix) with ESMTP id 4F2B61C0D3; Tue,  3 Mar 2020 09:15:30 +0000\n"
#define OUTSIDE                                                                                    \
    "Received: from pc (pc.elm.example [22.90.12.7]) by mail.alder.example (Postfix)\n"            \
    "\twith ESMTP id 3A2B61C0D3; Tue,  3 Mar 2020 09:15:28 +0000\n\n"
#define CALLS_ITSELF(found)                                                                        \
    "Received: from mx.birch.example (" found " [22.1.1.1]) by box.birch.example (Postfix)\n"      \
    "\twith ESMTP id 5F2B61C0D3; Tue,  3 Mar 2020 09:15:32 +0000\n"

static size_t boundary_of(const char *message, const struct trace_trust *trust)
{
    struct judged d;
    judged_read(&d, message);
    assert_true(trace_judge(&d.trace, trust, 0));
    size_t boundary = d.trace.boundary;
    if (boundary != TRACE_NONE) {
        assert_true(ip_eq(d.trace.boundary_ip, d.trace.hops[boundary].received.ip));
    }
    judged_done(&d);
    return boundary;
}

static void trust_reaches_as_far_as_trusted_hosts_name_each_other(void **state)
{
    (void)state;
    static const struct str host[] = {STR_INIT("mx.birch.example")};
    static const struct str suffix[] = {STR_INIT(".birch.example")};
    static const struct network net[] = {{{IP_V4, {26, 88, 3}}, 24}};
    static const char *const chain = STORE("26.88.3.10") GATE OUTSIDE;
    const struct {
        const char *says, *message;
        struct trace_trust trust;
        size_t boundary;
    } rows[] = {
        {"nobody", chain, {0}, TRACE_NONE},
        {"the top alone", chain, {.top = true}, 0},
        {"a host by its checked name", chain, {host, 1, NULL, 0, true}, 1},
        {"a suffix, without the top", chain, {suffix, 1, NULL, 0, false}, 1},
        {"a network", chain, {NULL, 0, net, 1, true}, 1},
        {"a private network of the house", STORE("10.0.0.7") GATE OUTSIDE, {.top = true}, 1},
        {"another's line below", STORE("26.88.3.10") OUTSIDE, {suffix, 1, NULL, 0, true}, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (boundary_of(rows[i].message, &rows[i].trust) != rows[i].boundary) {
            fail_msg("%s", rows[i].says);
        }
    }
}

static void who_only_calls_himself_a_trusted_host_is_not_one(void **state)
{
    (void)state;
    static const struct str suffix[] = {STR_INIT(".birch.example")};
    const struct trace_trust trust = {suffix, 1, NULL, 0, true};
    assert_int_equal(boundary_of(CALLS_ITSELF("dsl.isp.example") GATE OUTSIDE, &trust), 0);
    assert_int_equal(boundary_of(CALLS_ITSELF("unknown") GATE OUTSIDE, &trust), 0);
    assert_int_equal(boundary_of(CALLS_ITSELF("mx.birch.example") GATE OUTSIDE, &trust), 1);
}

static void a_filter_on_the_host_itself_is_inside_what_a_user_submits_is_not(void **state)
{
    (void)state;
    const struct trace_trust top = {.top = true};
    static const char *const filtered =
        "Received: from localhost (localhost [127.0.0.1]) by mx.birch.example (Postfix)\n"
        "\twith ESMTP id 6F2B61C0D3; Tue,  3 Mar 2020 09:15:33 +0000\n"
        "Received: from mx.birch.example ([127.0.0.1]) by localhost (amavis, port 10024)\n"
        "\twith ESMTP id kX3a-9QwErTy; Tue,  3 Mar 2020 09:15:32 +0000\n" GATE OUTSIDE;
    static const char *const submitted =
        "Received: by mx.birch.example (Postfix, from userid 33) id 6F2B61C0D3;\n"
        "\tTue,  3 Mar 2020 09:15:33 +0000\n" GATE OUTSIDE;
    static const char *const hidden = /* the client is left out: it may be anybody */
        "Received: by mx.birch.example (Postfix) with ESMTPSA id 6F2B61C0D3;\n"
        "\tTue,  3 Mar 2020 09:15:33 +0000\n" GATE OUTSIDE;
    assert_int_equal(boundary_of(filtered, &top), 2);
    assert_int_equal(boundary_of(submitted, &top), 0);
    assert_int_equal(boundary_of(hidden, &top), 0);
}

#define GUM(peer, by)                                                                              \
    "Received: from " peer " (" peer " [55.1.1.1]) by " by " with ESMTP;\n"                        \
    "\tTue, 3 Mar 2020 09:15:28 +0000\n"

static void the_origin_is_the_lowest_client_that_is_believed(void **state)
{
    (void)state;
    struct judged d;
    judged_read(&d, STORE("26.88.3.10") GATE OUTSIDE);
    judged_top(&d);
    assert_int_equal(d.trace.origin, 2);
    assert_true(str_eq(d.trace.origin_name, STR("pc.elm.example")));
    judged_done(&d);
    judged_read(&d, GATE GUM("pc.gum.example", "mx.gum.example") "\n");
    judged_top(&d);
    assert_int_equal(d.trace.first_forged, 1);
    assert_int_equal(d.trace.origin, 0);
    assert_true(str_eq(d.trace.origin_name, STR("mail.alder.example")));
    judged_done(&d);
    judged_read(&d, "Subject: none\n\n");
    judged_top(&d);
    assert_int_equal(d.trace.hop_count, 0);
    assert_true(d.trace.origin == TRACE_NONE && d.trace.boundary == TRACE_NONE);
    assert_int_equal(d.trace.verdict, TRACE_UNVERIFIABLE);
    judged_done(&d);
}

static void below_a_forged_line_all_is_forged(void **state)
{
    (void)state;
    struct judged d;
    judged_read(&d, GATE GUM("a.gum.example", "mx.gum.example")
                        GUM("b.gum.example", "a.gum.example") "\n");
    judged_top(&d);
    assert_int_equal(d.trace.hops[2].verdict, TRACE_FORGED);
    assert_non_null(judged_reason(&d, 2, "below-forged"));
    assert_non_null(judged_reason(&d, 2, "continuity-name"));
    assert_string_equal(trace_verdict_name(d.trace.verdict), "forged");
    judged_done(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trust_reaches_as_far_as_trusted_hosts_name_each_other),
        cmocka_unit_test(who_only_calls_himself_a_trusted_host_is_not_one),
        cmocka_unit_test(a_filter_on_the_host_itself_is_inside_what_a_user_submits_is_not),
        cmocka_unit_test(the_origin_is_the_lowest_client_that_is_believed),
        cmocka_unit_test(below_a_forged_line_all_is_forged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
