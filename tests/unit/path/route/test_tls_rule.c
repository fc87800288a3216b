/* test_tls_rule.c: which TLS policy a way gets by `deliver.tls`, and what `verify` wants. */
#include "path/route/route.h"
#include "path/route/tls_rule.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "bench.h"
#include "house.h"

static struct config_tls_rule rules[] = {
    {STR_INIT("smart.example"), {.level = TLS_VERIFY}},
    {STR_INIT("two.example"), {.level = TLS_VERIFY}},
    {STR_INIT("named.example"), {.level = TLS_VERIFY, .names = STR_INIT("a.example .b.example")}},
    {STR_INIT("asmx.example"), {.level = TLS_VERIFY}},
    {STR_INIT(".below.example"), {.level = TLS_ENCRYPT}},
    {STR_INIT("hole.example"), {.level = TLS_ENCRYPT}},
};

static void on_done(struct route_query *query)
{
    *(bool *)query->owner = true;
}

static const struct next_hop *hop_for(struct bench *b, struct route_query *query,
                                      const char *address)
{
    struct config config = house;
    bool done = false;
    config.trust_anchor = STR("anchor");
    config.tls_rules = rules;
    config.tls_rule_count = ARRAY_LEN(rules);
    *query = (struct route_query){.done = on_done,
                                  .ports = &b->ports,
                                  .config = &config,
                                  .arena = &b->arena,
                                  .address = str_from_cstr(address),
                                  .owner = &done};
    route_start(query);
    bench_run(b);
    assert_true(done);
    assert_int_equal(query->result.verdict, ROUTING_HOP);
    return &query->result.hop;
}

struct row {
    const char *address;
    bool secure; /* DNSSEC validates the MX records */
    enum tls_level level;
    const char *names; /* empty: the host's own */
    const char *site;
};

static const struct row rows[] = {
    {"x@one.example", false, TLS_MAY, "", "smtp:mx.one.example:25"},
    {"x@one.example", true, TLS_MAY, "one.example", "smtp:mx.one.example:25/tls=dane"},
    {"x@mail.smart.example", false, TLS_MAY, "", "smtp:[192.0.2.9]:25"},
    {"x@smart.example", false, TLS_VERIFY, "", "smtp:relay.example:2525/tls=verify:smart.example"},
    {"x@two.example", true, TLS_VERIFY, "", "smtp:mx.one.example:25/tls=verify:two.example"},
    {"x@two.example", false, TLS_VERIFY, "two.example .two.example",
     "smtp:mx.one.example:25/tls=verify:two.example:two.example"},
    {"x@named.example", false, TLS_VERIFY, "a.example .b.example",
     "smtp:mx.one.example:25/tls=verify:named.example:a.example"},
    {"x@asmx.example", false, TLS_VERIFY, "other.example .other.example",
     "smtp:mx.one.example:25/tls=verify:asmx.example:other.example"},
    {"x@y.below.example", false, TLS_ENCRYPT, "",
     "smtp:mx.one.example:25/tls=encrypt:.below.example"},
    {"x@below.example", false, TLS_MAY, "", "smtp:mx.one.example:25"},
    {"x@hole.example", false, TLS_MAY, "", "discard"},
    {"ann@example.org", false, TLS_MAY, "", "maildir"},
};

static void verify_wants_a_name_that_nobody_can_forge(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct bench b;
        struct route_query query;
        bench_init(&b);
        zone_add(&b.zone, "one.example MX 1 mx.one.example");
        zone_add(&b.zone, "two.example MX 1 mx.one.example");
        zone_add(&b.zone, "named.example MX 1 mx.one.example");
        zone_add(&b.zone, "other.example MX 1 mx.one.example");
        zone_add(&b.zone, "below.example MX 1 mx.one.example");
        zone_add(&b.zone, "y.below.example MX 1 mx.one.example");
        b.zone.secure = rows[i].secure;
        const struct next_hop *hop = hop_for(&b, &query, rows[i].address);
        bool right = hop->tls.level == rows[i].level &&
                     str_eq(hop->tls.names, str_from_cstr(rows[i].names)) &&
                     str_eq(hop->site, str_from_cstr(rows[i].site));
        if (!right) {
            fail_msg("row %zu, %s: %d, %.*s, %.*s", i, rows[i].address, (int)hop->tls.level,
                     STR_ARG(hop->tls.names), STR_ARG(hop->site));
        }
        bench_done(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(verify_wants_a_name_that_nobody_can_forge),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
