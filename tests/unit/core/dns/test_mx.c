#include "core/dns/mx.h"

#include "sim/zone.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static enum dns_arrival arrival_of(enum zone_fault fault)
{
    return fault == ZONE_TIMEOUT ? DNS_TIMEOUT : DNS_ARRIVED;
}

static void run(struct mx *m, const struct zone *zone, struct arena *arena, const char *domain,
                uint64_t random)
{
    struct dns_question question;
    mx_start(m, arena, str_from_cstr(domain), STR("mx.here.example"), random);
    for (int asked = 0; mx_question(m, &question); asked++) {
        struct zone_answer answer;
        zone_ask(zone, question.name, question.type, &answer);
        mx_answer(m, &(struct dns_answer){.arrival = arrival_of(answer.fault),
                                          .message = buf_str(&answer.message)});
        buf_done(&answer.message);
        assert_true(asked < 50);
    }
}

struct row {
    const char *row;
    const char *records[6];
    enum mx_verdict verdict;
    const char *hosts; /* "name preference, ..." */
    const char *noted; /* stands in a note */
};

static const struct row rows[] = {
    {"by preference",
     {"example.org MX 20 b.example", "example.org MX 5 a.example", "example.org MX 300 c.example"},
     MX_HOSTS,
     "a.example 5,b.example 20,c.example 300",
     "has MX 20 b.example"},
    {"a name twice counts once, the better",
     {"example.org MX 20 a.example", "example.org MX 10 A.Example", "example.org MX 30 b.example"},
     MX_HOSTS,
     "a.example 10,b.example 30",
     ""},
    {"no MX but A",
     {"example.org A 192.0.2.1"},
     MX_HOSTS,
     "example.org 0",
     "has an address, so it is the host itself"},
    {"no MX but AAAA", {"example.org AAAA 2001:db8::1"}, MX_HOSTS, "example.org 0", "no MX record"},
    {"no MX behind a CNAME",
     {"example.org CNAME www.example.org", "www.example.org A 192.0.2.1"},
     MX_HOSTS,
     "www.example.org 0",
     "is an alias (CNAME) of www.example.org"},
    {"MX behind a CNAME",
     {"example.org CNAME real.example", "real.example MX 1 mx.real.example"},
     MX_HOSTS,
     "mx.real.example 1",
     "alias"},
    {"null MX", {"example.org MX 0 .", "example.org A 192.0.2.1"}, MX_NULL, "", "RFC 7505"},
    {"null MX beside others",
     {"example.org MX 0 .", "example.org MX 10 a.example"},
     MX_HOSTS,
     "a.example 10",
     "not used"},
    {"nothing at all", {"example.org TXT x"}, MX_NO_ADDRESS, "", "has no address"},
    {"no such domain", {"example.net TXT x"}, MX_NXDOMAIN, "", "NXDOMAIN"},
    {"MX is an address",
     {"example.org MX 5 192.0.2.1", "example.org MX 10 a.example"},
     MX_HOSTS,
     "a.example 10",
     "an address where a name must stand"},
    {"every MX is an address", {"example.org MX 5 192.0.2.1"}, MX_UNUSABLE, "", "address"},
    {"we are the best", {"example.org MX 5 MX.here.example"}, MX_OURSELVES, "", "this host"},
    {"we are in the middle",
     {"example.org MX 5 a.example", "example.org MX 10 mx.here.example",
      "example.org MX 10 b.example", "example.org MX 20 c.example"},
     MX_HOSTS,
     "a.example 5",
     "left out, with every host of preference 10 and over"},
    {"we are first among others",
     {"example.org MX 5 mx.here.example", "example.org MX 20 c.example"},
     MX_OURSELVES,
     "",
     "left out"},
    {"localhost is us", {"example.org MX 5 localhost"}, MX_OURSELVES, "", ""},
    {"a circle",
     {"example.org CNAME b.example", "b.example CNAME example.org"},
     MX_LOOP,
     "",
     "circle"},
};

static bool noted(const struct mx *m, const char *text)
{
    for (const struct dns_note *n = m->notes.first; n; n = n->next) {
        if (str_find_str(n->what, str_from_cstr(text)) != STR_NONE) {
            return true;
        }
    }
    return text[0] == '\0';
}

static void check_row(const struct row *row, bool chase)
{
    struct zone zone = {.chase = chase};
    struct arena arena = {0};
    struct mx m;
    struct buf hosts = {0};
    for (size_t i = 0; i < ARRAY_LEN(row->records) && row->records[i]; i++) {
        zone_add(&zone, row->records[i]);
    }
    run(&m, &zone, &arena, "Example.org", 1);
    for (size_t i = 0; i < m.host_count; i++) {
        buf_add_format(&hosts, "%s%.*s %u", i ? "," : "", STR_ARG(m.hosts[i].name),
                       (unsigned)m.hosts[i].preference);
    }
    struct str found = buf_str(&hosts);
    bool implicit = str_ends(str_from_cstr(row->hosts), STR(" 0"));
    if (m.verdict != row->verdict || !noted(&m, row->noted) || m.implicit != implicit ||
        !str_eq_nocase(found, str_from_cstr(row->hosts))) {
        fail_msg("%s (chase %d): verdict %d, hosts %.*s", row->row, chase, (int)m.verdict,
                 STR_ARG(found));
    }
    buf_done(&hosts);
    arena_done(&arena);
    zone_done(&zone);
}

static void the_hosts_of_a_domain_are_chosen_by_rfc_5321_5_1(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        check_row(&rows[i], false);
        check_row(&rows[i], true);
    }
}

static void a_failure_of_the_dns_is_temporary_and_never_an_implicit_mx(void **state)
{
    (void)state;
    static const struct {
        uint16_t type;
        enum zone_fault fault;
    } faults[] = {{DNS_MX, ZONE_SERVFAIL},
                  {DNS_MX, ZONE_TIMEOUT},
                  {DNS_MX, ZONE_GARBAGE},
                  {DNS_AAAA, ZONE_TIMEOUT},
                  {DNS_A, ZONE_SERVFAIL}};
    for (size_t i = 0; i < ARRAY_LEN(faults); i++) {
        struct zone zone = {.chase = true};
        struct arena arena = {0};
        struct mx m;
        zone_add(&zone, "example.org TXT x");
        if (faults[i].type == DNS_MX) {
            zone_add(&zone, "example.org A 192.0.2.1");
        }
        zone_break(&zone, "example.org", faults[i].type, faults[i].fault);
        run(&m, &zone, &arena, "example.org", 1);
        assert_int_equal(m.verdict, MX_TEMPORARY);
        assert_non_null(m.reason);
        arena_done(&arena);
        zone_done(&zone);
    }
}

static void an_address_of_either_family_is_enough_where_the_other_fails(void **state)
{
    (void)state;
    struct zone zone = {.chase = true};
    struct arena arena = {0};
    struct mx m;
    zone_add(&zone, "example.org AAAA 2001:db8::1");
    zone_break(&zone, "example.org", DNS_A, ZONE_TIMEOUT);
    run(&m, &zone, &arena, "example.org", 1);
    assert_int_equal(m.verdict, MX_HOSTS);
    arena_done(&arena);
    zone_done(&zone);
}

static void equal_hosts_are_shuffled_each_coming_first_at_times(void **state)
{
    (void)state;
    struct zone zone = {.chase = true};
    unsigned first[3] = {0};
    zone_add(&zone, "example.org MX 10 a.example");
    zone_add(&zone, "example.org MX 10 b.example");
    zone_add(&zone, "example.org MX 10 c.example");
    zone_add(&zone, "example.org MX 20 last.example");
    for (uint64_t random = 0; random < 300; random++) {
        struct arena arena = {0};
        struct mx m;
        run(&m, &zone, &arena, "example.org", random);
        assert_int_equal(m.host_count, 4);
        assert_true(str_eq(m.hosts[3].name, STR("last.example")));
        first[m.hosts[0].name.ptr[0] - 'a']++;
        arena_done(&arena);
    }
    assert_true(first[0] > 70 && first[1] > 70 && first[2] > 70);
    zone_done(&zone);
}

static void fifty_hosts_are_kept_and_the_rest_noted(void **state)
{
    (void)state;
    for (int count = MX_HOSTS_MAX; count <= MX_HOSTS_MAX + 1; count++) {
        struct zone zone = {.chase = true};
        struct arena arena = {0};
        struct mx m;
        char line[64];
        for (int i = 0; i < count; i++) {
            (void)snprintf(line, sizeof line, "example.org MX %d m%d.example", i, i);
            zone_add(&zone, line);
        }
        run(&m, &zone, &arena, "example.org", 1);
        assert_int_equal(m.host_count, MX_HOSTS_MAX);
        assert_int_equal(noted(&m, "left out"), count > MX_HOSTS_MAX);
        arena_done(&arena);
        zone_done(&zone);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_hosts_of_a_domain_are_chosen_by_rfc_5321_5_1),
        cmocka_unit_test(a_failure_of_the_dns_is_temporary_and_never_an_implicit_mx),
        cmocka_unit_test(an_address_of_either_family_is_enough_where_the_other_fails),
        cmocka_unit_test(equal_hosts_are_shuffled_each_coming_first_at_times),
        cmocka_unit_test(fifty_hosts_are_kept_and_the_rest_noted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
