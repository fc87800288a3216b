#include "core/dns/chain.h"

#include "sim/zone.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

struct fixture {
    struct zone zone;
    struct arena arena;
    struct dns_notes notes;
    struct chain chain;
    size_t asked;
};

static void setup(struct fixture *f, bool chase)
{
    memset(f, 0, sizeof *f);
    f->zone.chase = chase;
    f->notes.arena = &f->arena;
}

static void teardown(struct fixture *f)
{
    zone_done(&f->zone);
    arena_done(&f->arena);
}

static enum dns_arrival arrival_of(enum zone_fault fault)
{
    switch (fault) {
    case ZONE_TIMEOUT:
        return DNS_TIMEOUT;
    case ZONE_BROKEN:
        return DNS_BROKEN;
    case ZONE_FORGED:
        return DNS_FORGED;
    case ZONE_NO_FAULT:
    case ZONE_SERVFAIL:
    case ZONE_REFUSED:
    case ZONE_GARBAGE:
    case ZONE_WRONG:
        break;
    }
    return DNS_ARRIVED;
}

static enum chain_verdict run(struct fixture *f, const char *name, uint16_t type)
{
    struct dns_question question;
    chain_start(&f->chain, &f->arena, &f->notes, str_from_cstr(name), type);
    f->asked = 0;
    while (chain_question(&f->chain, &question)) {
        struct zone_answer answer;
        struct dns_question second;
        assert_false(chain_question(&f->chain, &second)); /* one at a time */
        zone_ask(&f->zone, question.name, question.type, &answer);
        struct dns_answer given = {.arrival = arrival_of(answer.fault),
                                   .secure = f->zone.secure,
                                   .message = buf_str(&answer.message)};
        chain_answer(&f->chain, &given);
        buf_done(&answer.message);
        f->asked++;
        assert_true(f->asked < 50);
    }
    return f->chain.verdict;
}

static size_t found(const struct fixture *f)
{
    size_t count = 0;
    struct dns_record_iter it = chain_records_begin(&f->chain);
    for (struct dns_record record; chain_record_next(&f->chain, &it, &record);) {
        count++;
    }
    return count;
}

/* a0 -> a1 -> ... -> aN, where aN has an address. */
static void add_chain(struct zone *z, int cnames)
{
    char line[64];
    for (int i = 0; i < cnames; i++) {
        (void)snprintf(line, sizeof line, "a%d.example CNAME a%d.example", i, i + 1);
        zone_add(z, line);
    }
    (void)snprintf(line, sizeof line, "a%d.example A 192.0.2.1", cnames);
    zone_add(z, line);
}

static void a_name_with_the_record_is_found_at_once(void **state)
{
    (void)state;
    struct fixture f;
    setup(&f, true);
    zone_add(&f.zone, "example.org A 192.0.2.1");
    zone_add(&f.zone, "example.org A 192.0.2.2");
    assert_int_equal(run(&f, "Example.ORG.", DNS_A), CHAIN_FOUND);
    assert_int_equal(found(&f), 2);
    assert_int_equal(f.asked, 1);
    assert_int_equal(run(&f, "example.org", DNS_AAAA), CHAIN_NODATA);
    assert_int_equal(run(&f, "nowhere.example.org", DNS_A), CHAIN_NXDOMAIN);
    teardown(&f);
}

static void ten_cnames_are_followed_and_eleven_are_not(void **state)
{
    (void)state;
    for (int chase = 0; chase <= 1; chase++) {
        struct fixture f;
        setup(&f, chase);
        add_chain(&f.zone, CHAIN_MAX);
        assert_int_equal(run(&f, "a0.example", DNS_A), CHAIN_FOUND);
        assert_true(str_eq(f.chain.end, STR("a10.example")));
        assert_int_equal(found(&f), 1);
        assert_int_equal(f.notes.count, CHAIN_MAX);
        assert_int_equal(f.asked, chase ? 1 : 11);
        teardown(&f);

        setup(&f, chase);
        add_chain(&f.zone, CHAIN_MAX + 1);
        assert_int_equal(run(&f, "a0.example", DNS_A), CHAIN_TOO_LONG);
        teardown(&f);
    }
}

static void a_circle_of_cnames_is_told_from_a_fault_that_passes(void **state)
{
    (void)state;
    for (int chase = 0; chase <= 1; chase++) {
        struct fixture f;
        setup(&f, chase);
        zone_add(&f.zone, "a.example CNAME b.example");
        zone_add(&f.zone, "b.example CNAME c.example");
        zone_add(&f.zone, "c.example CNAME B.example");
        zone_add(&f.zone, "self.example CNAME self.example");
        assert_int_equal(run(&f, "a.example", DNS_MX), CHAIN_LOOP);
        assert_int_equal(run(&f, "self.example", DNS_MX), CHAIN_LOOP);
        teardown(&f);
    }
}

static void a_chain_over_the_resolvers_limit_is_too_long_and_not_a_fault(void **state)
{
    (void)state;
    struct fixture f;
    setup(&f, true);
    add_chain(&f.zone, 14); /* the resolver says SERVFAIL */
    assert_int_equal(run(&f, "a0.example", DNS_A), CHAIN_TOO_LONG);
    teardown(&f);
}

static void a_servfail_is_temporary(void **state)
{
    (void)state;
    static const enum zone_fault faults[] = {ZONE_SERVFAIL, ZONE_REFUSED, ZONE_TIMEOUT, ZONE_BROKEN,
                                             ZONE_FORGED,   ZONE_GARBAGE, ZONE_WRONG};
    for (size_t i = 0; i < ARRAY_LEN(faults); i++) {
        for (int any = 0; any <= 1; any++) {
            struct fixture f;
            setup(&f, true);
            zone_add(&f.zone, "example.org A 192.0.2.1");
            zone_break(&f.zone, "example.org", any ? 0 : DNS_A, faults[i]);
            assert_int_equal(run(&f, "example.org", DNS_A), CHAIN_TEMPORARY);
            assert_non_null(f.chain.reason);
            assert_true(f.asked <= 2);
            teardown(&f);
        }
    }
}

static void a_servfail_behind_a_cname_is_temporary(void **state)
{
    (void)state;
    for (int chase = 0; chase <= 1; chase++) {
        struct fixture f;
        setup(&f, chase);
        zone_add(&f.zone, "a.example CNAME b.example");
        zone_add(&f.zone, "b.example A 192.0.2.1");
        zone_break(&f.zone, "b.example", DNS_A, ZONE_SERVFAIL);
        assert_int_equal(run(&f, "a.example", DNS_A), CHAIN_TEMPORARY);
        zone_break(&f.zone, "b.example", DNS_A, ZONE_NO_FAULT);
        assert_int_equal(run(&f, "a.example", DNS_A), CHAIN_FOUND);
        teardown(&f);
    }
}

static void a_cname_that_leads_to_no_name_is_nxdomain_of_the_end(void **state)
{
    (void)state;
    for (int chase = 0; chase <= 1; chase++) {
        struct fixture f;
        setup(&f, chase);
        zone_add(&f.zone, "a.example CNAME gone.example");
        zone_add(&f.zone, "c.example CNAME d.example");
        zone_add(&f.zone, "d.example TXT here");
        assert_int_equal(run(&f, "a.example", DNS_A), CHAIN_NXDOMAIN);
        assert_true(str_eq(f.chain.end, STR("gone.example")));
        assert_int_equal(run(&f, "c.example", DNS_A), CHAIN_NODATA);
        teardown(&f);
    }
}

static void an_answer_is_secure_only_if_every_step_was(void **state)
{
    (void)state;
    struct fixture f;
    setup(&f, false);
    f.zone.secure = true;
    add_chain(&f.zone, 2);
    assert_int_equal(run(&f, "a0.example", DNS_A), CHAIN_FOUND);
    assert_true(f.chain.secure);
    f.zone.secure = false;
    assert_int_equal(run(&f, "a0.example", DNS_A), CHAIN_FOUND);
    assert_false(f.chain.secure);
    teardown(&f);
}

static void records_of_other_names_in_the_answer_are_not_believed(void **state)
{
    (void)state;
    struct fixture f;
    struct dns_name asked;
    struct dns_name other;
    struct dns_build b;
    struct dns_question question;
    struct ip ip;
    setup(&f, true);
    assert_true(dns_name_parse(STR("example.org"), &asked));
    assert_true(dns_name_parse(STR("evil.example"), &other));
    assert_true(ip_parse(STR("192.0.2.66"), &ip));
    dns_build_start(&b, &asked, DNS_A, DNS_NOERROR);
    dns_build_ip(&b, &other, ip);
    dns_build_name(&b, &other, DNS_CNAME, &asked);
    chain_start(&f.chain, &f.arena, NULL, STR("example.org"), DNS_A);
    assert_true(chain_question(&f.chain, &question));
    chain_answer(&f.chain, &(struct dns_answer){.message = buf_str(&b.out)});
    assert_int_equal(f.chain.verdict, CHAIN_NODATA);
    buf_done(&b.out);
    teardown(&f);
}

static void what_is_no_name_is_not_asked(void **state)
{
    (void)state;
    struct fixture f;
    setup(&f, true);
    assert_int_equal(run(&f, "a..b", DNS_A), CHAIN_NXDOMAIN);
    assert_int_equal(run(&f, "", DNS_A), CHAIN_NXDOMAIN);
    assert_int_equal(f.asked, 0);
    teardown(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_with_the_record_is_found_at_once),
        cmocka_unit_test(ten_cnames_are_followed_and_eleven_are_not),
        cmocka_unit_test(a_circle_of_cnames_is_told_from_a_fault_that_passes),
        cmocka_unit_test(a_chain_over_the_resolvers_limit_is_too_long_and_not_a_fault),
        cmocka_unit_test(a_servfail_is_temporary),
        cmocka_unit_test(a_servfail_behind_a_cname_is_temporary),
        cmocka_unit_test(a_cname_that_leads_to_no_name_is_nxdomain_of_the_end),
        cmocka_unit_test(an_answer_is_secure_only_if_every_step_was),
        cmocka_unit_test(records_of_other_names_in_the_answer_are_not_believed),
        cmocka_unit_test(what_is_no_name_is_not_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
