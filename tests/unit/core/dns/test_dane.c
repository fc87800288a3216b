/* test_dane.c: the TLSA records of a mail host. A name that holds "plain" is in an unsigned zone.
 */
#include "core/dns/dane.h"

#include "sim/zone.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define EE "3 1 1 " SHA256
#define TA "2 0 1 " SHA256
#define SHA256 "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

static enum dns_arrival arrival_of(enum zone_fault fault)
{
    return fault == ZONE_TIMEOUT  ? DNS_TIMEOUT
           : fault == ZONE_FORGED ? DNS_FORGED
           : fault == ZONE_BROKEN ? DNS_BROKEN
                                  : DNS_ARRIVED;
}

static void run(struct dane *d, const struct zone *zone, struct arena *arena)
{
    struct dns_question question;
    dane_start(d, arena, STR("MX.Example."), 25);
    for (int asked = 0; dane_question(d, &question); asked++) {
        struct zone_answer answer;
        zone_ask(zone, question.name, question.type, &answer);
        bool plain = str_find_str(question.name, STR("plain")) != STR_NONE;
        dane_answer(d, &(struct dns_answer){.arrival = arrival_of(answer.fault),
                                            .secure = !plain,
                                            .message = buf_str(&answer.message)});
        buf_done(&answer.message);
        assert_true(asked < 20);
    }
}

struct row {
    const char *row;
    const char *records[5];
    struct {
        const char *name;
        uint16_t type;
        enum zone_fault fault;
    } fault;
    enum dane_verdict verdict;
    size_t count;
    const char *base;
};

static const struct row rows[] = {
    {"signed, with a record",
     {"mx.example A 192.0.2.1", "_25._tcp.mx.example TLSA " EE},
     {0},
     DANE_USABLE,
     1,
     "mx.example"},
    {"IPv6 only",
     {"mx.example AAAA 2001:db8::1", "_25._tcp.mx.example TLSA " TA},
     {0},
     DANE_USABLE,
     1,
     "mx.example"},
    {"signed, without a record", {"mx.example A 192.0.2.1"}, {0}, DANE_NONE, 0, ""},
    {"no address", {"_25._tcp.mx.example TLSA " EE}, {0}, DANE_NONE, 0, ""},
    {"usages 0 and 1 are none; what is usable beside them is used",
     {"mx.example A 192.0.2.1", "_25._tcp.mx.example TLSA 1 1 1 " SHA256,
      "_25._tcp.mx.example TLSA 0 0 1 " SHA256, "_25._tcp.mx.example TLSA " EE},
     {0},
     DANE_USABLE,
     1,
     "mx.example"},
    {"none usable",
     {"mx.example A 192.0.2.1", "_25._tcp.mx.example TLSA 1 1 1 " SHA256,
      "_25._tcp.mx.example TLSA 3 1 1 0001", "_25._tcp.mx.example TLSA 3 1 9 " SHA256,
      "_25._tcp.mx.example TLSA 3 2 1 " SHA256},
     {0},
     DANE_UNUSABLE,
     0,
     "mx.example"},
    {"the whole certificate, SHA-512",
     {"mx.example A 192.0.2.1", "_25._tcp.mx.example TLSA 3 0 0 30",
      "_25._tcp.mx.example TLSA 3 1 2 " SHA256 SHA256},
     {0},
     DANE_USABLE,
     2,
     "mx.example"},
    {"the record is behind a CNAME of its own",
     {"mx.example A 192.0.2.1", "_25._tcp.mx.example CNAME tlsa.example", "tlsa.example TLSA " EE},
     {0},
     DANE_USABLE,
     1,
     "mx.example"},
    {"such a CNAME leads into an unsigned zone",
     {"mx.example A 192.0.2.1", "_25._tcp.mx.example CNAME tlsa.plain", "tlsa.plain TLSA " EE},
     {0},
     DANE_NONE,
     0,
     ""},
    {"an alias: the record at its end counts",
     {"mx.example CNAME end.example", "end.example A 192.0.2.1", "_25._tcp.end.example TLSA " EE,
      "_25._tcp.mx.example TLSA " TA},
     {0},
     DANE_USABLE,
     1,
     "end.example"},
    {"an alias: else the one at its beginning",
     {"mx.example CNAME end.example", "end.example A 192.0.2.1", "_25._tcp.mx.example TLSA " TA},
     {0},
     DANE_USABLE,
     1,
     "mx.example"},
    {"a signed alias into an unsigned zone: the one at its beginning",
     {"mx.example CNAME end.plain", "end.plain A 192.0.2.1", "_25._tcp.end.plain TLSA " EE,
      "_25._tcp.mx.example TLSA " TA},
     {0},
     DANE_USABLE,
     1,
     "mx.example"},
    {"forged records",
     {"mx.example A 192.0.2.1"},
     {"_25._tcp.mx.example", DNS_TLSA, ZONE_FORGED},
     DANE_FAILED,
     0,
     ""},
    {"no answer about them",
     {"mx.example A 192.0.2.1"},
     {"_25._tcp.mx.example", DNS_TLSA, ZONE_TIMEOUT},
     DANE_FAILED,
     0,
     ""},
    {"SERVFAIL",
     {"mx.example A 192.0.2.1"},
     {"_25._tcp.mx.example", DNS_TLSA, ZONE_SERVFAIL},
     DANE_FAILED,
     0,
     ""},
    {"forged addresses", {0}, {"mx.example", DNS_A, ZONE_FORGED}, DANE_FAILED, 0, ""},
    {"an alias that cannot be asked about",
     {"mx.example CNAME end.plain", "end.plain A 192.0.2.1"},
     {"mx.example", DNS_CNAME, ZONE_FORGED},
     DANE_FAILED,
     0,
     ""},
};

static void what_dnssec_vouches_for_counts_and_nothing_switches_it_off(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct row *row = &rows[i];
        struct zone zone = {0};
        struct arena arena = {0};
        struct dane d;
        for (size_t k = 0; k < ARRAY_LEN(row->records) && row->records[k]; k++) {
            zone_add(&zone, row->records[k]);
        }
        if (row->fault.name) {
            zone_break(&zone, row->fault.name, row->fault.type, row->fault.fault);
        }
        run(&d, &zone, &arena);
        if (d.verdict != row->verdict || d.count != row->count ||
            (d.verdict == DANE_USABLE && !str_eq(d.base, str_from_cstr(row->base)))) {
            fail_msg("%s: %d, %zu, %.*s", row->row, (int)d.verdict, d.count, STR_ARG(d.base));
        }
        assert_int_equal(d.reason != NULL, d.verdict != DANE_USABLE);
        arena_done(&arena);
        zone_done(&zone);
    }
}

static void without_a_signature_there_is_no_dane(void **state)
{
    (void)state;
    struct zone zone = {0};
    struct arena arena = {0};
    struct dane d;
    struct dns_question question;
    zone_add(&zone, "mx.plain A 192.0.2.1");
    zone_add(&zone, "_25._tcp.mx.plain TLSA " EE);
    dane_start(&d, &arena, STR("mx.plain"), 25);
    assert_true(dane_question(&d, &question));
    struct zone_answer answer;
    zone_ask(&zone, question.name, question.type, &answer);
    dane_answer(&d, &(struct dns_answer){.message = buf_str(&answer.message)});
    buf_done(&answer.message);
    assert_int_equal(d.verdict, DANE_NONE);
    assert_false(dane_question(&d, &question));
    arena_done(&arena);
    zone_done(&zone);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_dnssec_vouches_for_counts_and_nothing_switches_it_off),
        cmocka_unit_test(without_a_signature_there_is_no_dane),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
