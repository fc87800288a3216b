/* Who the line above received from is the host that wrote the line below, or it is not. */
#include "judged.h"

#define TOP                                                                                        \
    "Received: from mail.alder.example (mail.alder.example [21.4.16.25])\n"                        \
    "\tby mx.birch.example (Postfix) with ESMTPS id 4F2B61C0D3\n"                                  \
    "\tfor <anna@birch.example>; Tue,  3 Mar 2020 10:15:30 +0100 (CET)\n"
#define ALDER                                                                                      \
    "Received: from laptop (dsl-9.isp.example [22.90.12.7])\n"                                     \
    "\tby mail.alder.example (Postfix) with ESMTPSA id 3A2B61C0D3\n"                               \
    "\tfor <anna@birch.example>; Tue,  3 Mar 2020 09:15:28 +0000\n"
#define BANK                                                                                       \
    "Received: from pc (pc.bank.example [28.9.9.9])\n"                                             \
    "\tby mx.bank.example (Postfix) with ESMTP id 2A2B61C0D3;\n"                                   \
    "\tTue,  3 Mar 2020 09:15:20 +0000\n"
#define END                                                                                        \
    "From: Bo <bo@alder.example>\n"                                                                \
    "Date: Tue, 3 Mar 2020 09:15:25 +0000\n"                                                       \
    "\n"                                                                                           \
    "Hello\n"

static void a_chain_of_hosts_that_name_each_other_is_consistent(void **state)
{
    (void)state;
    struct judged d;
    judged_read(&d, TOP ALDER END);
    judged_top(&d);
    assert_int_equal(d.trace.hop_count, 2);
    assert_int_equal(d.trace.hops[0].verdict, TRACE_PROVEN);
    assert_int_equal(d.trace.hops[1].verdict, TRACE_CONSISTENT);
    assert_int_equal(d.trace.verdict, TRACE_CONSISTENT);
    assert_int_equal(d.trace.hops[0].delay, 2);
    assert_int_equal(d.trace.boundary, 0);
    assert_int_equal(d.trace.origin, 1);
    assert_string_equal(d.trace.origin_name.ptr, d.trace.hops[1].received.rdns.ptr);
    assert_non_null(judged_reason(&d, 1, "continuity-name"));
    judged_done(&d);
}

static void a_line_of_a_host_that_handed_nothing_over_is_forged(void **state)
{
    (void)state;
    judged_forged(TOP BANK END, 1);
    judged_forged(TOP ALDER BANK END, 2);
}

static void two_lines_that_changed_places_are_seen(void **state)
{
    (void)state;
    assert_true(judged_says("Received: from out.alder.example (out.alder.example [21.4.16.83])\n"
                            "\tby mx.birch.example (Postfix) with ESMTP id 4F2B61C0D3; Tue,  3 Mar "
                            "2020 10:15:30 +0100\n"
                            "Received: from laptop (dsl-9.isp.example [22.90.12.7])\n"
                            "\tby smtp.alder.example (Postfix) with ESMTP id 4F2B61C0D3; Tue,  3 "
                            "Mar 2020 10:15:30 +0100\n"
                            "Received: from smtp.alder.example (smtp.alder.example [21.4.16.25])\n"
                            "\tby out.alder.example (Postfix) with ESMTP id 4F2B61C0D3; Tue,  3 "
                            "Mar 2020 10:15:30 +0100\n"
                            "\n",
                            1, "continuity-order"));
}

#define FILTERED                                                                                   \
    "Received: from localhost (localhost [127.0.0.1])\n"                                           \
    "\tby mx.birch.example (Postfix) with ESMTP id 4F2B61C0D4; Tue,  3 Mar 2020 10:15:31 +0100\n"  \
    "Received: from mx.birch.example ([127.0.0.1])\n"                                              \
    "\tby localhost (mx.birch.example [127.0.0.1]) (amavisd-new, port 10024)\n"                    \
    "\twith ESMTP id kX3a-9QwErTy; Tue,  3 Mar 2020 10:15:30 +0100\n"

static void a_filter_on_localhost_is_in_its_own_house_and_in_no_other(void **state)
{
    (void)state;
    judged_forged(FILTERED TOP ALDER END, TRACE_NONE);
    judged_forged(FILTERED ALDER END, 2);
}

#define BY(host)                                                                                   \
    "Received: from laptop (dsl-9.isp.example [22.90.12.7])\n"                                     \
    "\tby " host " (Postfix) with ESMTPSA id 3A2B61C0D3;\n"                                        \
    "\tTue,  3 Mar 2020 09:15:28 +0000\n"
#define UNNAMED                                                                                    \
    "Received: from mail.alder.example (unknown [21.4.16.25])\n"                                   \
    "\tby mx.birch.example (Postfix) with ESMTPS id 4F2B61C0D3\n"                                  \
    "\tfor <anna@birch.example>; Tue,  3 Mar 2020 10:15:30 +0100 (CET)\n"

#define PRIVATE_GAP                                                                                \
    "Received: from ex01 (unknown [10.0.0.5])\n"                                                   \
    "\tby mail.alder.example (Postfix) with ESMTP id 4F2B61C0D4; Tue,  3 Mar 2020 09:15:29 "       \
    "+0000\n"                                                                                      \
    "Received: from pc (unknown [10.0.0.9])\n"                                                     \
    "\tby mbx2.corp.local (Postfix) with ESMTP id 3F2B61C0D4; Tue,  3 Mar 2020 09:15:28 +0000\n"

static void each_kind_of_link_is_told_as_what_it_is(void **state)
{
    (void)state;
    static const struct judged_row rows[] = {
        {"another host of the domain", TOP BY("out7.alder.example") END, 1,
         "continuity-organisation", true},
        {"a host of another", TOP BANK END, 1, "continuity-organisation", false},
        {"inside a private network", TOP PRIVATE_GAP END, 2, "continuity-local", true},
        {"over the net", TOP ALDER END, 1, "continuity-local", false},
        {"a name that it gave itself", UNNAMED ALDER END, 1, "continuity-helo", true},
        {"a name that the DNS gave it", TOP ALDER END, 1, "continuity-helo", false},
    };
    judged_rows(rows, ARRAY_LEN(rows));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_chain_of_hosts_that_name_each_other_is_consistent),
        cmocka_unit_test(a_line_of_a_host_that_handed_nothing_over_is_forged),
        cmocka_unit_test(two_lines_that_changed_places_are_seen),
        cmocka_unit_test(a_filter_on_localhost_is_in_its_own_house_and_in_no_other),
        cmocka_unit_test(each_kind_of_link_is_told_as_what_it_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
