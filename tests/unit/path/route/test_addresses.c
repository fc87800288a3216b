#include "path/route/addresses.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "bench.h"

struct lookup {
    struct addresses_query query;
    unsigned done, v4, v6;
    bool cancel_at_family;
    struct bench *bench;
    int64_t v4_at, v6_at;
};

static void on_done(struct addresses_query *query)
{
    ((struct lookup *)query->owner)->done++;
}

static void on_family(struct addresses_query *query, enum ip_family family)
{
    struct lookup *l = query->owner;
    assert_int_equal(l->done, 0);
    if (family == IP_V4) {
        l->v4++;
        l->v4_at = l->bench->now;
    } else {
        l->v6++;
        l->v6_at = l->bench->now;
    }
    if (l->cancel_at_family) {
        addresses_cancel(query);
    }
}

static void start(struct lookup *l, struct bench *b, const char *host)
{
    bool no_ipv4 = l->query.no_ipv4;
    bool no_ipv6 = l->query.no_ipv6;
    bool cancel = l->cancel_at_family;
    *l = (struct lookup){.bench = b, .cancel_at_family = cancel};
    l->query = (struct addresses_query){.done = on_done,
                                        .family_done = on_family,
                                        .ports = &b->ports,
                                        .arena = &b->arena,
                                        .host = str_from_cstr(host),
                                        .no_ipv4 = no_ipv4,
                                        .no_ipv6 = no_ipv6,
                                        .owner = l};
    addresses_start(&l->query);
    assert_int_equal(l->done + l->v4 + l->v6, 0);
}

static void assert_ips(const struct addresses_query *q, const char *expected)
{
    struct buf text = {0};
    for (size_t i = 0; i < q->ip_count; i++) {
        buf_add(&text, i ? STR(" ") : STR(""));
        ip_format(&text, q->ips[i]);
    }
    buf_add_char(&text, '\0');
    assert_string_equal(text.ptr, expected);
    buf_done(&text);
}

static void both_families_are_asked_at_once_and_take_turns(void **state)
{
    (void)state;
    struct bench b;
    struct lookup l = {0};
    bench_init(&b);
    zone_add(&b.zone, "mx.example A 192.0.2.1");
    zone_add(&b.zone, "mx.example A 192.0.2.2");
    zone_add(&b.zone, "mx.example A 192.0.2.3");
    zone_add(&b.zone, "mx.example AAAA 2001:db8::1");
    start(&l, &b, "mx.example");
    assert_int_equal(b.resolver.asked, 2);
    bench_run(&b);
    assert_int_equal(l.done, 1);
    assert_int_equal(l.v4, 1);
    assert_int_equal(l.v6, 1);
    assert_int_equal(b.now, 1000); /* one round trip */
    assert_ips(&l.query, "2001:db8::1 192.0.2.1 192.0.2.2 192.0.2.3");
    assert_int_equal(l.query.status.class, 0);
    bench_done(&b);
}

static void a_family_that_fails_leaves_the_other(void **state)
{
    (void)state;
    struct bench b;
    struct lookup l = {0};
    bench_init(&b);
    zone_add(&b.zone, "mx.example A 192.0.2.1");
    zone_break(&b.zone, "mx.example", DNS_AAAA, ZONE_TIMEOUT);
    start(&l, &b, "mx.example");
    bench_run(&b);
    assert_int_equal(l.done, 1);
    assert_int_equal(l.v4_at, 1000);
    assert_int_equal(l.v6_at, 10000000);
    assert_int_equal(l.query.v6.finding, ADDRESSES_TEMPORARY);
    assert_int_equal(l.query.v4.finding, ADDRESSES_FOUND);
    assert_ips(&l.query, "192.0.2.1");
    bench_done(&b);
}

static void no_address_says_why(void **state)
{
    (void)state;
    static const struct {
        const char *record;
        enum zone_fault fault;
        struct status_code status;
    } rows[] = {
        {"mx.example TXT x", ZONE_NO_FAULT, {5, 4, 4}},
        {"other.example TXT x", ZONE_NO_FAULT, {5, 4, 4}},
        {"mx.example A 192.0.2.1", ZONE_SERVFAIL, {4, 4, 3}},
        {"mx.example A 192.0.2.1", ZONE_TIMEOUT, {4, 4, 3}},
        {"mx.example CNAME mx.example", ZONE_NO_FAULT, {5, 4, 6}},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct bench b;
        struct lookup l = {0};
        bench_init(&b);
        zone_add(&b.zone, rows[i].record);
        if (rows[i].fault != ZONE_NO_FAULT) {
            zone_break(&b.zone, "mx.example", 0, rows[i].fault);
        }
        start(&l, &b, "mx.example.");
        bench_run(&b);
        assert_int_equal(l.done, 1);
        assert_int_equal(l.query.ip_count, 0);
        assert_true(l.query.text.len > 0);
        assert_int_equal(l.query.status.class, rows[i].status.class);
        assert_int_equal(l.query.status.detail, rows[i].status.detail);
        bench_done(&b);
    }
}

static void an_unwanted_family_is_not_asked(void **state)
{
    (void)state;
    for (int way = 1; way <= 3; way++) {
        struct bench b;
        struct lookup l = {.query = {.no_ipv4 = way & 1, .no_ipv6 = way & 2}};
        bench_init(&b);
        zone_add(&b.zone, "mx.example A 192.0.2.1");
        zone_add(&b.zone, "mx.example AAAA 2001:db8::1");
        start(&l, &b, "mx.example");
        bench_run(&b);
        assert_int_equal(l.done, 1);
        assert_int_equal(b.resolver.asked, way == 3 ? 0 : 1);
        assert_int_equal(l.query.ip_count, way == 3 ? 0 : 1);
        assert_int_equal(l.query.status.class, way == 3 ? 5 : 0);
        bench_done(&b);
    }
}

static void a_host_that_is_an_alias_is_used_and_noted(void **state)
{
    (void)state;
    struct bench b;
    struct lookup l = {0};
    bench_init(&b);
    zone_add(&b.zone, "mx.example CNAME real.example");
    zone_add(&b.zone, "real.example A 192.0.2.1");
    start(&l, &b, "mx.example");
    bench_run(&b);
    bool noted = false;
    for (size_t i = 0; i < l.query.step_count; i++) {
        noted = noted || str_find_str(l.query.steps[i].what, STR("RFC 2181 10.3")) != STR_NONE;
    }
    assert_true(noted);
    assert_ips(&l.query, "192.0.2.1");
    bench_done(&b);
}

static void sixteen_addresses_are_kept_and_no_more(void **state)
{
    (void)state;
    struct bench b;
    struct lookup l = {0};
    bench_init(&b);
    for (int i = 1; i <= ADDRESSES_FAMILY_MAX + 1; i++) {
        zone_add(&b.zone, arena_format(&b.arena, "mx.example A 192.0.2.%d", i).ptr);
    }
    start(&l, &b, "mx.example");
    bench_run(&b);
    assert_int_equal(l.query.v4.count, ADDRESSES_FAMILY_MAX);
    bench_done(&b);
}

static void a_cancelled_lookup_is_silent(void **state)
{
    (void)state;
    for (int steps = 0; steps <= 1; steps++) {
        struct bench b;
        struct lookup l = {0};
        bench_init(&b);
        zone_add(&b.zone, "mx.example A 192.0.2.1");
        zone_break(&b.zone, "mx.example", DNS_AAAA, ZONE_TIMEOUT);
        start(&l, &b, "mx.example");
        for (int i = 0; i < steps; i++) {
            assert_true(bench_step(&b));
        }
        addresses_cancel(&l.query);
        addresses_cancel(&l.query);
        assert_false(bench_step(&b));
        assert_int_equal(l.done, 0);
        l.cancel_at_family = true;
        start(&l, &b, "mx.example");
        bench_run(&b);
        assert_int_equal(l.v4 + l.v6, 1);
        assert_int_equal(l.done, 0);
        bench_done(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_families_are_asked_at_once_and_take_turns),
        cmocka_unit_test(a_family_that_fails_leaves_the_other),
        cmocka_unit_test(no_address_says_why),
        cmocka_unit_test(an_unwanted_family_is_not_asked),
        cmocka_unit_test(a_host_that_is_an_alias_is_used_and_noted),
        cmocka_unit_test(sixteen_addresses_are_kept_and_no_more),
        cmocka_unit_test(a_cancelled_lookup_is_silent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
