/* Addresses that cannot have been there, and names that the DNS knows otherwise. */
#include "judged.h"

#define LINE(client)                                                                               \
    JUDGED_TOP "Received: from " client                                                            \
               " by mail.alder.example (Postfix) with ESMTP id 3A2B61C0D3;\n"                      \
               "\tTue,  3 Mar 2020 09:15:28 +0000\n\n"

static void addresses_that_no_client_can_have_are_seen(void **state)
{
    (void)state;
    static const struct judged_row rows[] = {
        {"octet over 255", LINE("a (a.elm.example [22.90.12.777])"), 1, "address-impossible", true},
        {"class E", LINE("a (a.elm.example [245.1.1.1])"), 1, "address-impossible", true},
        {"multicast", LINE("a (a.elm.example [IPv6:ff02::1])"), 1, "address-impossible", true},
        {"the whole of it", LINE("a (a.elm.example [0.1.2.3])"), 1, "address-impossible", true},
        {"for benchmarks", LINE("a.elm.example (a.elm.example [198.18.0.1])"), 1,
         "address-impossible", true},
        {"for benchmarks, inside", LINE("pc (unknown [198.18.0.1])"), 1, "address-impossible",
         false},
        {"a real one", LINE("a (a.elm.example [22.90.12.7])"), 1, "address-impossible", false},
        {"for examples, among real ones", LINE("a (a.elm.example [192.0.2.7])"), 1,
         "address-documentation", true},
        {"private, of others", LINE("a.elm.example (a.elm.example [10.1.2.3])"), 1,
         "address-private", true},
        {"private, of the house", LINE("a (pc.alder.example [10.1.2.3])"), 1, "address-private",
         false},
        {"private, without a name", LINE("pc (unknown [10.1.2.3])"), 1, "address-private", false},
    };
    judged_rows(rows, ARRAY_LEN(rows));
}

static void where_all_addresses_are_for_examples_the_message_is_one(void **state)
{
    (void)state;
    judged_forged(
        "Received: from a.elm.example (a.elm.example [192.0.2.1]) by mx.birch.example with "
        "ESMTP; Tue, 3 Mar 2020 10:15:30 +0100\n"
        "Received: from pc (unknown [203.0.113.9]) by a.elm.example with ESMTP;\n"
        " Tue, 3 Mar 2020 10:15:29 +0100\n\n",
        TRACE_NONE);
    judged_forged(LINE("a (a.elm.example [192.0.2.7])"), 1);
}

/* Answers as the DNS would give them: the name's address, the address's name. */
static void answer(struct trace *t, const char *ip, const char *name)
{
    assert_true(trace_ask(t));
    for (size_t i = 0; i < t->question_count; i++) {
        struct trace_question *q = &t->questions[i];
        q->answered = q->kind == TRACE_ASK_ADDRESSES || q->kind == TRACE_ASK_NAME;
        bool about_client = q->kind == TRACE_ASK_NAME ? q->ip.bytes[0] == 22
                                                      : str_ends(q->name, STR(".elm.example"));
        if (q->kind == TRACE_ASK_ADDRESSES && about_client && ip) {
            assert_true(ip_parse(str_from_cstr(ip), &q->ips[0]));
            q->count = 1;
        } else if (q->kind == TRACE_ASK_NAME && about_client && name) {
            q->names[0] = str_from_cstr(name);
            q->count = 1;
        }
    }
}

static const char *const client = LINE("a.elm.example (a.elm.example [22.90.12.7])");

static void a_name_with_another_address_whose_own_name_is_another_is_forged(void **state)
{
    (void)state;
    static const struct trace_trust top = {.top = true};
    static const struct {
        const char *ip, *name;
        enum trace_verdict verdict;
        const char *rule;
    } rows[] = {
        {"22.90.12.7", "a.elm.example", TRACE_CONSISTENT, "rdns-confirmed"},
        {"33.1.1.1", "a.elm.example", TRACE_UNVERIFIABLE, "rdns-forward"},
        {"33.1.1.1", "dsl.isp.example", TRACE_FORGED, "rdns-reverse"},
        {"33.1.1.1", NULL, TRACE_FORGED, "rdns-forward"},
        {NULL, NULL, TRACE_SUSPECT, "rdns-forward"}, /* nobody knows either any more */
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct judged d;
        judged_read(&d, client);
        answer(&d.trace, rows[i].ip, rows[i].name);
        assert_true(trace_judge(&d.trace, &top, 1583226930));
        assert_non_null(judged_reason(&d, 1, rows[i].rule));
        if (d.trace.hops[1].verdict != rows[i].verdict) {
            judged_print(&d);
        }
        assert_int_equal(d.trace.hops[1].verdict, rows[i].verdict);
        judged_done(&d);
    }
}

static void of_an_old_message_the_dns_weighs_half_and_it_is_said(void **state)
{
    (void)state;
    static const struct trace_trust top = {.top = true};
    struct judged d;
    judged_read(&d, client);
    answer(&d.trace, "33.1.1.1", "a.elm.example");
    assert_true(trace_judge(&d.trace, &top, 1583226930 + 31 * 86400));
    const struct trace_reason *reason = judged_reason(&d, 1, "rdns-forward");
    assert_non_null(reason);
    assert_int_equal(reason->weight, reason->rule->weight / 2);
    assert_int_not_equal(str_find_str(reason->text, STR("31 days later")), STR_NONE);
    assert_true(trace_judge(&d.trace, &top, 1583226930 + 30 * 86400));
    assert_int_equal(judged_reason(&d, 1, "rdns-forward")->weight, reason->rule->weight);
    judged_done(&d);
}

static void a_name_the_client_gave_itself_has_its_address_or_not(void **state)
{
    (void)state;
    static const struct trace_trust top = {.top = true};
    static const char *const ips[] = {"22.90.12.7", "33.1.1.1"};
    for (size_t i = 0; i < ARRAY_LEN(ips); i++) {
        struct judged d;
        judged_read(&d, LINE("b.elm.example (host.isp.example [22.90.12.7])"));
        answer(&d.trace, ips[i], "host.isp.example");
        assert_true(trace_judge(&d.trace, &top, 1583226930));
        assert_true((judged_reason(&d, 1, "helo-confirmed") != NULL) == (i == 0));
        assert_true((judged_reason(&d, 1, "helo-forward") != NULL) == (i == 1));
        judged_done(&d);
    }
}

static void a_writer_is_known_by_the_address_that_its_name_has(void **state)
{
    (void)state;
    static const struct trace_trust top = {.top = true};
    static const char *const ips[] = {"22.90.12.7", "33.1.1.1"};
    for (size_t i = 0; i < ARRAY_LEN(ips); i++) {
        struct judged d;
        judged_read(&d, "Received: from smtp (unknown [22.90.12.7])\n"
                        "\tby mx.birch.example (Postfix) with ESMTPS id 4F2B61C0D3;\n"
                        "\tTue,  3 Mar 2020 10:15:30 +0100 (CET)\n"
                        "Received: from pc (dsl-9.isp.example [24.1.2.3])\n"
                        "\tby b.elm.example (Postfix) with ESMTP id 3A2B61C0D3;\n"
                        "\tTue,  3 Mar 2020 09:15:28 +0000\n\n");
        answer(&d.trace, ips[i], NULL);
        assert_true(trace_judge(&d.trace, &top, 1583226930));
        assert_true((judged_reason(&d, 1, "continuity-address") != NULL) == (i == 0));
        judged_done(&d);
    }
}

static void nothing_is_asked_twice_and_nothing_about_private_addresses(void **state)
{
    (void)state;
    struct judged d;
    judged_read(&d, LINE("a.elm.example (a.elm.example [22.90.12.7])"));
    assert_true(trace_ask(&d.trace));
    for (size_t i = 0; i < d.trace.question_count; i++) {
        for (size_t n = 0; n < i; n++) {
            const struct trace_question *a = &d.trace.questions[i], *b = &d.trace.questions[n];
            assert_false(a->kind == b->kind && str_eq(a->name, b->name) && ip_eq(a->ip, b->ip) &&
                         a->position == b->position);
        }
    }
    assert_int_equal(d.trace.hops[1].asked[TRACE_ABOUT_HELO],
                     d.trace.hops[1].asked[TRACE_ABOUT_RDNS]);
    judged_done(&d);
    judged_read(&d, LINE("pc.lan (pc.lan [10.1.2.3])"));
    assert_true(trace_ask(&d.trace));
    assert_true(d.trace.hops[1].asked[TRACE_ABOUT_IP] == TRACE_NONE);
    assert_true(d.trace.hops[1].asked[TRACE_ABOUT_RDNS] == TRACE_NONE);
    judged_done(&d);
}

static void questions_are_bounded(void **state)
{
    (void)state;
    struct judged d;
    struct buf message = {0};
    for (int i = 0; i < TRACE_HOPS_MAX + 5; i++) {
        buf_add_format(&message, "Received: from h%d.example (h%d.example [20.1.%d.%d])\n", i, i,
                       i / 250, i % 250);
    }
    buf_add_char(&message, '\0');
    assert_false(message.failed);
    judged_read(&d, message.ptr);
    assert_true(d.trace.truncated);
    assert_int_equal(d.trace.hop_count, TRACE_HOPS_MAX);
    assert_true(trace_ask(&d.trace));
    assert_int_equal(d.trace.question_count, TRACE_QUESTIONS_MAX);
    judged_top(&d);
    judged_done(&d);
    buf_done(&message);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_that_no_client_can_have_are_seen),
        cmocka_unit_test(where_all_addresses_are_for_examples_the_message_is_one),
        cmocka_unit_test(a_name_with_another_address_whose_own_name_is_another_is_forged),
        cmocka_unit_test(of_an_old_message_the_dns_weighs_half_and_it_is_said),
        cmocka_unit_test(a_name_the_client_gave_itself_has_its_address_or_not),
        cmocka_unit_test(a_writer_is_known_by_the_address_that_its_name_has),
        cmocka_unit_test(nothing_is_asked_twice_and_nothing_about_private_addresses),
        cmocka_unit_test(questions_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
