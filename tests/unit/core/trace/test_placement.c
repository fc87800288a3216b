/* Where lines stand, and what others say of the same. */
#include "judged.h"

#define ALDER                                                                                      \
    "Received: from pc (pc.elm.example [22.90.12.7]) by mail.alder.example (Postfix)\n"            \
    "\twith ESMTP id 3A2B61C0D3; Tue,  3 Mar 2020 09:15:28 +0000\n"
#define AUTHOR "From: bo@alder.example\nDate: Tue, 3 Mar 2020 09:15:20 +0000\n"

static void lines_below_the_authors_fields_or_inside_a_set_are_seen(void **state)
{
    (void)state;
    static const struct judged_row rows[] = {
        {"on top", JUDGED_TOP ALDER AUTHOR "\n", 1, "placement", false},
        {"below From and Date", JUDGED_TOP AUTHOR ALDER "\n", 1, "placement", true},
        {"below From alone", JUDGED_TOP "From: bo@alder.example\n" ALDER "\n", 1, "placement",
         false},
        {"below, sorted by Exchange",
         JUDGED_TOP AUTHOR "Received: from mail.alder.example (22.90.12.7) by mail.alder.example "
                           "(10.0.0.1) with Microsoft SMTP Server id 15.1.1.1; Tue, 3 Mar 2020 "
                           "09:15:28 +0000\n\n",
         1, "placement", false},
        {"between the parts of an ARC set",
         JUDGED_TOP "ARC-Seal: i=1; d=alder.example\n" ALDER
                    "ARC-Message-Signature: i=1; d=alder.example\n\n",
         1, "placement-set", true},
        {"between two ARC sets",
         JUDGED_TOP "ARC-Authentication-Results: i=2; x\n" ALDER "ARC-Seal: i=1; d=a.example\n\n",
         1, "placement-set", false},
        {"twice", JUDGED_TOP ALDER ALDER "\n", 2, "duplicate", true},
        {"once", JUDGED_TOP ALDER ALDER "\n", 1, "duplicate", false},
        {"in the body", JUDGED_TOP AUTHOR "\n" ALDER "\nHello\n", TRACE_NONE, "body", true},
        {"not in the body", JUDGED_TOP AUTHOR "\nReceived wisdom:\n" ALDER, TRACE_NONE, "body",
         false},
    };
    judged_rows(rows, ARRAY_LEN(rows));
}

static void results_of_the_same_receiver_confirm_or_contradict(void **state)
{
    (void)state;
    static const struct judged_row rows[] = {
        {"the same address",
         JUDGED_TOP "Received-SPF: pass client-ip=22.90.12.7; "
                    "receiver=mail.alder.example\n" ALDER "\n",
         1, "results-address", true},
        {"another address",
         JUDGED_TOP "Received-SPF: pass client-ip=22.90.12.8; "
                    "receiver=mail.alder.example\n" ALDER "\n",
         1, "results-conflict", true},
        {"another address, of another receiver",
         JUDGED_TOP "Received-SPF: pass client-ip=22.90.12.8; receiver=mx.gum.example\n" ALDER "\n",
         1, "results-conflict", false},
        {"another address, below the line",
         JUDGED_TOP ALDER "Authentication-Results: mail.alder.example; spf=pass "
                          "smtp.remote-ip=22.90.12.8\n\n",
         1, "results-conflict", false},
        {"the web mailer's", JUDGED_TOP ALDER "X-Originating-IP: [22.90.12.7]\n\n", 1,
         "originating-ip", true},
        {"another's", JUDGED_TOP ALDER "X-Originating-IP: [22.90.12.8]\n\n", 1, "originating-ip",
         false},
        {"a certificate",
         "Received: from mail.alder.example (mail.alder.example [21.4.16.25])\n"
         "\t(Client CN \"mail.alder.example\", Issuer \"CA\" (verified OK))\n"
         "\tby mx.birch.example (Postfix) with ESMTPS id 4F2B61C0D3; Tue, 3 Mar 2020 09:15:30 "
         "+0000\n" ALDER "\n",
         1, "tls-name", true},
        {"a certificate of nobody knows whom",
         "Received: from mail.alder.example (mail.alder.example [21.4.16.25])\n"
         "\t(Client CN \"mail.alder.example\", Issuer \"CA\" (not verified))\n"
         "\tby mx.birch.example (Postfix) with ESMTPS id 4F2B61C0D3; Tue, 3 Mar 2020 09:15:30 "
         "+0000\n" ALDER "\n",
         1, "tls-name", false},
    };
    judged_rows(rows, ARRAY_LEN(rows));
}

#define SIGNED                                                                                     \
    "Return-Path: <bo@alder.example>\n" JUDGED_TOP "ARC-Seal: i=1; d=alder.example; cv=none\n"     \
    "ARC-Authentication-Results: i=1; mail.alder.example; spf=pass smtp.remote-ip=22.90.12.7\n"    \
    "DKIM-Signature: v=1; d=alder.example; s=x\n" ALDER "\n"

static void answers_about_signatures_and_senders_count(void **state)
{
    (void)state;
    static const struct trace_trust top = {.top = true};
    static const struct {
        enum trace_question_kind kind;
        const char *result;
        size_t hop;
        const char *rule;
    } rows[] = {
        {TRACE_ASK_DKIM, "pass", 1, "dkim"},
        {TRACE_ASK_ARC, "pass", 1, "arc"},
        {TRACE_ASK_SPF, "pass", TRACE_NONE, "spf"}, /* of what a trusted host saw */
        {TRACE_ASK_SPF, "fail", TRACE_NONE, "spf-fail"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct judged d;
        judged_read(&d, SIGNED);
        assert_true(trace_ask(&d.trace));
        size_t left = 0;
        for (size_t q = 0; q < d.trace.question_count; q++) {
            d.trace.questions[q].answered = d.trace.questions[q].kind == rows[i].kind;
            d.trace.questions[q].result = str_from_cstr(rows[i].result);
        }
        assert_true(trace_judge(&d.trace, &top, 1583226930));
        assert_non_null(judged_reason(&d, rows[i].hop, rows[i].rule));
        for (size_t n = 0; n < d.trace.left_out_count; n++) {
            assert_string_not_equal(d.trace.left_out[n]->name, rows[i].rule);
            left += d.trace.left_out[n]->needs_dns;
        }
        assert_int_equal(left, d.trace.left_out_count);
        for (size_t q = 0; q < d.trace.question_count; q++) {
            d.trace.questions[q].result = STR("none");
        }
        assert_true(trace_judge(&d.trace, &top, 1583226930));
        assert_null(judged_reason(&d, rows[i].hop, rows[i].rule));
        judged_done(&d);
    }
}

static void offline_every_rule_that_needs_the_dns_is_named_as_left_out(void **state)
{
    (void)state;
    struct judged d;
    size_t count = 0, needing = 0;
    const struct trace_rule *rules = trace_rules(&count);
    for (size_t i = 0; i < count; i++) {
        needing += rules[i].needs_dns;
        assert_non_null(rules[i].name);
        assert_true(strlen(rules[i].meaning) > 10 && rules[i].weight >= -100);
        for (size_t n = 0; n < i; n++) {
            assert_string_not_equal(rules[i].name, rules[n].name);
        }
    }
    judged_read(&d, SIGNED);
    judged_top(&d);
    assert_int_equal(d.trace.left_out_count, needing);
    assert_true(trace_ask(&d.trace));
    for (size_t i = 0; i < d.trace.question_count; i++) {
        d.trace.questions[i].answered = true; /* "no such name" */
    }
    judged_top(&d);
    assert_int_equal(d.trace.left_out_count, 0);
    judged_done(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_below_the_authors_fields_or_inside_a_set_are_seen),
        cmocka_unit_test(results_of_the_same_receiver_confirm_or_contradict),
        cmocka_unit_test(answers_about_signatures_and_senders_count),
        cmocka_unit_test(offline_every_rule_that_needs_the_dns_is_named_as_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
