#include "core/dns/hostcheck.h"

#include "sim/zone.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { OPEN_MAX = 16 };

static struct ip ip_of(const char *text)
{
    struct ip ip;
    assert_true(ip_parse(str_from_cstr(text), &ip));
    return ip;
}

/* Asks everything there is to ask, then answers in order or from the last to the first: the finding
 * must be the same. The result is how many questions there were. */
static size_t run(struct hostcheck *h, const struct zone *zone, bool backwards)
{
    size_t asked = 0;
    while (!h->done) {
        struct dns_question open[OPEN_MAX];
        size_t count = 0;
        while (count < OPEN_MAX && hostcheck_question(h, &open[count])) {
            count++;
        }
        assert_true(count > 0 && count <= HOSTCHECK_SLOTS);
        asked += count;
        for (size_t i = 0; i < count; i++) {
            struct dns_question *q = &open[backwards ? count - 1 - i : i];
            struct zone_answer answer;
            zone_ask(zone, q->name, q->type, &answer);
            struct dns_answer given = {.arrival =
                                           answer.fault == ZONE_TIMEOUT ? DNS_TIMEOUT : DNS_ARRIVED,
                                       .message = buf_str(&answer.message)};
            hostcheck_answer(h, q->id, &given);
            buf_done(&answer.message);
        }
    }
    return asked;
}

struct row {
    const char *row;
    const char *ip;
    const char *helo; /* null: the reverse name is looked for */
    const char *records[4];
    const char *times_out;
    int finding;
    const char *name; /* verified */
};

static const struct row rows[] = {
    {"forward and reverse agree",
     "192.0.2.1",
     NULL,
     {"1.2.0.192.in-addr.arpa PTR Mail.example", "mail.example A 192.0.2.1"},
     NULL,
     REVERSE_VERIFIED,
     "mail.example"},
    {"IPv6",
     "2001:db8::1",
     NULL,
     {"1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa PTR m.example",
      "m.example AAAA 2001:db8::1"},
     NULL,
     REVERSE_VERIFIED,
     "m.example"},
    {"an IPv4-mapped address is the IPv4 address",
     "::ffff:192.0.2.1",
     NULL,
     {"1.2.0.192.in-addr.arpa PTR m.example", "m.example A 192.0.2.1"},
     NULL,
     REVERSE_VERIFIED,
     "m.example"},
    {"by way of CNAMEs (RFC 2317)",
     "192.0.2.1",
     NULL,
     {"1.2.0.192.in-addr.arpa CNAME 1.0-7.2.0.192.in-addr.arpa",
      "1.0-7.2.0.192.in-addr.arpa PTR m.example", "m.example CNAME n.example",
      "n.example A 192.0.2.1"},
     NULL,
     REVERSE_VERIFIED,
     "m.example"},
    {"the second name leads back",
     "192.0.2.1",
     NULL,
     {"1.2.0.192.in-addr.arpa PTR a.example", "1.2.0.192.in-addr.arpa PTR b.example",
      "a.example A 192.0.2.9", "b.example A 192.0.2.1"},
     NULL,
     REVERSE_VERIFIED,
     "b.example"},
    {"the name leads elsewhere",
     "192.0.2.1",
     NULL,
     {"1.2.0.192.in-addr.arpa PTR bank.example", "bank.example A 198.51.100.1"},
     NULL,
     REVERSE_MISMATCH,
     ""},
    {"no name", "192.0.2.1", NULL, {"other.example A 192.0.2.1"}, NULL, REVERSE_NONE, ""},
    {"no answer",
     "192.0.2.1",
     NULL,
     {"1.2.0.192.in-addr.arpa PTR m.example"},
     "1.2.0.192.in-addr.arpa",
     REVERSE_TEMPORARY,
     ""},
    {"no answer about the name",
     "192.0.2.1",
     NULL,
     {"1.2.0.192.in-addr.arpa PTR m.example", "m.example A 192.0.2.1"},
     "m.example",
     REVERSE_TEMPORARY,
     ""},
    {"HELO is true", "192.0.2.1", "M.example", {"m.example A 192.0.2.1"}, NULL, HELO_MATCHES, ""},
    {"HELO is another's",
     "192.0.2.1",
     "bank.example",
     {"bank.example A 198.51.100.1"},
     NULL,
     HELO_ELSEWHERE,
     ""},
    {"HELO has the other family only",
     "192.0.2.1",
     "m.example",
     {"m.example AAAA 2001:db8::1"},
     NULL,
     HELO_ELSEWHERE,
     ""},
    {"HELO is no name", "192.0.2.1", "x", {"m.example A 192.0.2.1"}, NULL, HELO_UNRESOLVED, ""},
    {"HELO is no answer",
     "192.0.2.1",
     "m.example",
     {"m.example A 192.0.2.1"},
     "m.example",
     HELO_TEMPORARY,
     ""},
    {"HELO in U-labels",
     "192.0.2.1",
     "b\xc3\xbc"
     "cher.example",
     {"xn--bcher-kva.example A 192.0.2.1"},
     NULL,
     HELO_MATCHES,
     ""},
};

static void check_row(const struct row *row, bool chase, bool backwards)
{
    struct zone zone = {.chase = chase};
    struct arena arena = {0};
    struct hostcheck h;
    for (size_t i = 0; i < ARRAY_LEN(row->records) && row->records[i]; i++) {
        zone_add(&zone, row->records[i]);
    }
    if (row->times_out) {
        zone_break(&zone, row->times_out, 0, ZONE_TIMEOUT);
    }
    if (row->helo) {
        hostcheck_helo(&h, &arena, ip_of(row->ip), str_from_cstr(row->helo));
    } else {
        hostcheck_reverse(&h, &arena, ip_of(row->ip));
    }
    (void)run(&h, &zone, backwards);
    int finding = row->helo ? (int)h.helo : (int)h.reverse;
    if (finding != row->finding || !str_eq(h.name, str_from_cstr(row->name))) {
        fail_msg("%s: finding %d, name %.*s", row->row, finding, STR_ARG(h.name));
    }
    arena_done(&arena);
    zone_done(&zone);
}

static void a_client_is_found_out_whatever_it_claims(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        for (int way = 0; way < 4; way++) {
            check_row(&rows[i], way & 1, way & 2);
        }
    }
}

static void literals_are_compared_without_asking(void **state)
{
    (void)state;
    static const struct {
        const char *helo, *ip;
        enum hostcheck_helo_finding finding;
    } cases[] = {
        {"[192.0.2.1]", "192.0.2.1", HELO_MATCHES},
        {"[192.0.2.2]", "192.0.2.1", HELO_ELSEWHERE},
        {"[IPv6:2001:db8::1]", "2001:db8::1", HELO_MATCHES},
        {"[ipv6:2001:DB8:0::1]", "2001:db8::1", HELO_MATCHES},
        {"[2001:db8::1]", "2001:db8::1", HELO_UNRESOLVED}, /* without its tag it is no literal */
        {"[x]", "192.0.2.1", HELO_UNRESOLVED},
        {"[]", "192.0.2.1", HELO_UNRESOLVED},
        {"", "192.0.2.1", HELO_UNRESOLVED},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct zone zone = {0};
        struct arena arena = {0};
        struct hostcheck h;
        hostcheck_helo(&h, &arena, ip_of(cases[i].ip), str_from_cstr(cases[i].helo));
        if (!h.done) {
            (void)run(&h, &zone, false);
        }
        assert_int_equal(h.helo, cases[i].finding);
        arena_done(&arena);
    }
}

static void five_names_of_an_address_are_looked_at_and_no_sixth(void **state)
{
    (void)state;
    for (int good = HOSTCHECK_NAMES_MAX; good <= HOSTCHECK_NAMES_MAX + 1; good++) {
        struct zone zone = {.chase = true};
        struct arena arena = {0};
        struct hostcheck h;
        char line[80];
        for (int i = 1; i <= good; i++) {
            (void)snprintf(line, sizeof line, "1.2.0.192.in-addr.arpa PTR n%d.example", i);
            zone_add(&zone, line);
            (void)snprintf(line, sizeof line, "n%d.example A 192.0.2.%d", i, i == good ? 1 : 9);
            zone_add(&zone, line);
        }
        hostcheck_reverse(&h, &arena, ip_of("192.0.2.1"));
        assert_int_equal(run(&h, &zone, false), 1 + HOSTCHECK_NAMES_MAX);
        assert_int_equal(h.reverse,
                         good == HOSTCHECK_NAMES_MAX ? REVERSE_VERIFIED : REVERSE_MISMATCH);
        assert_int_equal(h.claimed.len > 0, good != HOSTCHECK_NAMES_MAX);
        arena_done(&arena);
        zone_done(&zone);
    }
}

static void giving_up_is_a_temporary_finding(void **state)
{
    (void)state;
    struct arena arena = {0};
    struct hostcheck h;
    struct dns_question q;
    hostcheck_reverse(&h, &arena, ip_of("192.0.2.1"));
    assert_true(hostcheck_question(&h, &q));
    hostcheck_give_up(&h);
    assert_true(h.done && h.reverse == REVERSE_TEMPORARY);
    assert_false(hostcheck_question(&h, &q));
    hostcheck_helo(&h, &arena, ip_of("192.0.2.1"), STR("a.example"));
    hostcheck_give_up(&h);
    assert_true(h.done && h.helo == HELO_TEMPORARY);
    arena_done(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_client_is_found_out_whatever_it_claims),
        cmocka_unit_test(literals_are_compared_without_asking),
        cmocka_unit_test(five_names_of_an_address_are_looked_at_and_no_sixth),
        cmocka_unit_test(giving_up_is_a_temporary_finding),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
