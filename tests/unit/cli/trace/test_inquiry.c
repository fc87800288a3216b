#include "cli/trace/inquiry.h"

#include "sim/zone.h"

// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include <stdio.h>

static struct zone zone;
static struct arena arena;

static int make_zone(void **state)
{
    (void)state;
    zone = (struct zone){0};
    zone_add(&zone, "mail.example.net A 203.0.113.7");
    zone_add(&zone, "mail.example.net AAAA 2001:db8::7");
    zone_add(&zone, "www.example.net CNAME mail.example.net");
    zone_add(&zone, "7.113.0.203.in-addr.arpa CNAME 7.net.example");
    zone_add(&zone, "7.net.example PTR mail.example.net");
    zone_add(&zone, "7.net.example PTR Other.example.net");
    zone_add(&zone, "example.net TXT v=spf1 ip4:203.0.113.7 -all");
    for (int i = 0; i < 2 * TRACE_ANSWERS_MAX; i++) {
        char line[64];
        (void)snprintf(line, sizeof line, "many.example.net A 192.0.2.%d", i);
        zone_add(&zone, line);
    }
    return 0;
}

static int drop_zone(void **state)
{
    (void)state;
    zone_done(&zone);
    arena_done(&arena);
    return 0;
}

static void find_out(struct trace_question *q)
{
    struct inquiry i = {.question = q, .arena = &arena};
    struct dns_question question;
    bool begun = inquiry_start(&i);
    while (begun && !inquiry_ended(&i) && inquiry_question(&i, &question)) {
        struct zone_answer made = {0};
        zone_ask(&zone, question.name, question.type, &made);
        struct dns_answer answer = {.arrival =
                                        made.fault == ZONE_TIMEOUT ? DNS_TIMEOUT : DNS_ARRIVED,
                                    .message = buf_str(&made.message)};
        inquiry_answer(&i, question.id, &answer);
        buf_done(&made.message);
    }
    assert_true(inquiry_ended(&i));
}

static struct ip ip_of(const char *text)
{
    struct ip ip;
    assert_true(ip_parse(str_from_cstr(text), &ip));
    return ip;
}

static void a_name_is_known_by_both_families_and_through_aliases(void **state)
{
    (void)state;
    static const struct str names[] = {STR_INIT("mail.example.net"), STR_INIT("WWW.example.net")};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        struct trace_question q = {.kind = TRACE_ASK_ADDRESSES, .name = names[i]};
        find_out(&q);
        assert_true(q.answered);
        assert_int_equal(q.count, 2);
        assert_true(ip_eq(q.ips[0], ip_of("203.0.113.7")));
        assert_true(ip_eq(q.ips[1], ip_of("2001:db8::7")));
    }
}

static void an_address_has_all_its_names(void **state)
{
    (void)state;
    struct trace_question q = {.kind = TRACE_ASK_NAME, .ip = ip_of("203.0.113.7")};
    find_out(&q);
    assert_true(q.answered);
    assert_int_equal(q.count, 2);
    assert_true(str_eq(q.names[0], STR("mail.example.net")));
    assert_true(str_eq(q.names[1], STR("Other.example.net")));
}

static void that_there_is_nothing_is_an_answer(void **state)
{
    (void)state;
    struct trace_question rows[] = {
        {.kind = TRACE_ASK_ADDRESSES, .name = STR("none.example.net")},
        {.kind = TRACE_ASK_NAME, .ip = ip_of("2001:db8::1")},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        find_out(&rows[i]);
        assert_true(rows[i].answered);
        assert_int_equal(rows[i].count, 0);
    }
}

static void what_the_dns_leaves_open_stays_unanswered(void **state)
{
    (void)state;
    static const enum zone_fault faults[] = {ZONE_SERVFAIL, ZONE_TIMEOUT, ZONE_GARBAGE};
    for (size_t i = 0; i < ARRAY_LEN(faults); i++) {
        /* One family answers: the other might have had the address in question. */
        struct trace_question rows[] = {
            {.kind = TRACE_ASK_ADDRESSES, .name = STR("mail.example.net")},
            {.kind = TRACE_ASK_NAME, .ip = ip_of("203.0.113.7")},
            {.kind = TRACE_ASK_SPF, .name = STR("example.net"), .ip = ip_of("203.0.113.7")},
        };
        zone_break(&zone, "mail.example.net", DNS_AAAA, faults[i]);
        zone_break(&zone, "7.net.example", 0, faults[i]);
        zone_break(&zone, "example.net", DNS_TXT, faults[i]);
        for (size_t k = 0; k < ARRAY_LEN(rows); k++) {
            find_out(&rows[k]);
            assert_false(rows[k].answered);
            assert_int_equal(rows[k].count, 0);
        }
    }
}

static void more_addresses_than_there_is_room_for_are_left_out(void **state)
{
    (void)state;
    struct trace_question q = {.kind = TRACE_ASK_ADDRESSES, .name = STR("many.example.net")};
    find_out(&q);
    assert_true(q.answered);
    assert_int_equal(q.count, TRACE_ANSWERS_MAX);
}

static void what_is_no_name_is_not_asked(void **state)
{
    (void)state;
    static const struct str names[] = {STR_INIT("a..b"), STR_INIT("\xff"), STR_INIT("")};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        struct trace_question q = {.kind = TRACE_ASK_ADDRESSES, .name = names[i]};
        struct inquiry inquiry = {.question = &q, .arena = &arena};
        struct dns_question question;
        bool begun = inquiry_start(&inquiry);
        assert_true(!begun || inquiry_ended(&inquiry) || inquiry_question(&inquiry, &question));
        assert_int_equal(q.count, 0);
    }
}

static void the_senders_domain_says_who_may_send(void **state)
{
    (void)state;
    static const struct {
        const char *ip;
        struct str domain, result;
    } rows[] = {{"203.0.113.7", STR_INIT("example.net"), STR_INIT("pass")},
                {"203.0.113.8", STR_INIT("example.net"), STR_INIT("fail")},
                {"203.0.113.7", STR_INIT("none.example.net"), STR_INIT("none")}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct trace_question q = {.kind = TRACE_ASK_SPF,
                                   .name = rows[i].domain,
                                   .helo = STR("mail.example.net"),
                                   .ip = ip_of(rows[i].ip)};
        find_out(&q);
        assert_true(q.answered);
        assert_true(str_eq(q.result, rows[i].result));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_name_is_known_by_both_families_and_through_aliases,
                                        make_zone, drop_zone),
        cmocka_unit_test_setup_teardown(an_address_has_all_its_names, make_zone, drop_zone),
        cmocka_unit_test_setup_teardown(that_there_is_nothing_is_an_answer, make_zone, drop_zone),
        cmocka_unit_test_setup_teardown(what_the_dns_leaves_open_stays_unanswered, make_zone,
                                        drop_zone),
        cmocka_unit_test_setup_teardown(more_addresses_than_there_is_room_for_are_left_out,
                                        make_zone, drop_zone),
        cmocka_unit_test_setup_teardown(what_is_no_name_is_not_asked, make_zone, drop_zone),
        cmocka_unit_test_setup_teardown(the_senders_domain_says_who_may_send, make_zone, drop_zone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
