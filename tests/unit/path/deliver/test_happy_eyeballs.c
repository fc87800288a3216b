#include "path/deliver/happy_eyeballs.h"

#include "small_world.h"

/* The DNS of this test: each family's addresses come at a time of their own. */
static struct dns {
    struct addresses_query *query;
    struct timer t4, t6;
    struct span at4, at6;
    struct ip v4[4], v6[4];
    size_t n4, n6;
    bool done4, done6;
    bool cancelled;
} dns;

static void answered(enum ip_family family)
{
    struct addresses_query *q = dns.query;
    bool all = dns.done4 && dns.done6;
    if (!all && q->family_done) {
        q->family_done(q, family);
    }
    if (all) {
        if (dns.n4 + dns.n6 == 0) {
            q->status = (struct status_code){5, 4, 4};
            q->text = STR("it has no address");
        }
        q->done(q);
    }
}

static void answer4(struct timer *timer)
{
    (void)timer;
    dns.done4 = true;
    dns.query->v4 =
        (struct addresses_family){.finding = ADDRESSES_FOUND, .ips = dns.v4, .count = dns.n4};
    answered(IP_V4);
}

static void answer6(struct timer *timer)
{
    (void)timer;
    dns.done6 = true;
    dns.query->v6 =
        (struct addresses_family){.finding = ADDRESSES_FOUND, .ips = dns.v6, .count = dns.n6};
    answered(IP_V6);
}

void addresses_start(struct addresses_query *query)
{
    dns.query = query;
    dns.t4.fire = answer4;
    dns.t6.fire = answer6;
    query->ports->timers->arm(query->ports->timers, &dns.t4, dns.at4);
    query->ports->timers->arm(query->ports->timers, &dns.t6, dns.at6);
}

void addresses_cancel(struct addresses_query *query)
{
    dns.cancelled = true;
    query->ports->timers->cancel(query->ports->timers, &dns.t4);
    query->ports->timers->cancel(query->ports->timers, &dns.t6);
}

static struct ip ip(const char *text)
{
    struct ip ip_;
    assert_true(ip_parse(str_from_cstr(text), &ip_));
    return ip_;
}

struct test {
    struct small_world w;
    struct sim_host them;
    struct sim_host them2;
    struct net_listener listeners[2];
    struct config_deliver config;
    struct arena arena;
    struct hop_host host;
    struct happy_eyeballs race;
    int64_t started, took;
    unsigned done;
};

static void on_accepted(struct net_listener *listener, struct stream *stream)
{
    (void)listener, (void)stream;
}

static void on_done(struct happy_eyeballs *race)
{
    struct test *t = race->owner;
    t->took = t->w.now - t->started;
    t->done++;
}

static void begin(struct test *t)
{
    memset(&dns, 0, sizeof dns);
    *t = (struct test){0};
    world_init(&t->w);
    sim_host_init(&t->them, &t->w.wire, "192.0.2.7", "2001:db8::7");
    sim_host_init(&t->them2, &t->w.wire, "192.0.2.8", "2001:db8::8");
    assert_true(endpoint_parse(STR("0.0.0.0:25"), &t->listeners[0].at));
    assert_true(endpoint_parse(STR("[::]:25"), &t->listeners[1].at));
    for (size_t i = 0; i < 2; i++) {
        t->listeners[i].accepted = on_accepted;
        assert_int_equal(t->them.net.listen(&t->them.net, &t->listeners[i]), 0);
    }
    dns.v4[0] = ip("192.0.2.7");
    dns.v6[0] = ip("2001:db8::7");
    dns.n4 = dns.n6 = 1;
    t->config = world_times();
    t->host = (struct hop_host){.name = STR("mx.example")};
}

static void go(struct test *t)
{
    t->race = (struct happy_eyeballs){
        .done = on_done,
        .ports = &t->w.ports,
        .arena = &t->arena,
        .host = &t->host,
        .port = 25,
        .config = &t->config,
        .owner = t,
    };
    t->started = t->w.now;
    happy_eyeballs_start(&t->race);
    assert_int_equal(t->done, 0);
    world_run(&t->w, SPAN_MIN(2));
    assert_int_equal(t->done, 1);
}

static void end(struct test *t)
{
    if (t->race.stream) {
        stream_close(t->race.stream);
    }
    world_run(&t->w, SPAN_S(1));
    world_done(&t->w);
    arena_done(&t->arena);
}

static void assert_reached(const struct test *t, const char *address, int64_t ms)
{
    assert_non_null(t->race.stream);
    assert_true(ip_eq(t->race.peer.ip, ip(address)));
    if (t->took < ms * 1000 || t->took > (ms + 3) * 1000) {
        fail_msg("took %lld us", (long long)t->took);
    }
}

static void ipv6_is_preferred(void **state)
{
    (void)state;
    struct test t;
    begin(&t);
    go(&t);
    assert_reached(&t, "2001:db8::7", 2);
    end(&t);
}

static void a_dead_family_costs_a_quarter_of_a_second(void **state)
{
    (void)state;
    struct test t;
    begin(&t);
    sim_fault(&t.w.wire, "[2001:db8::7]:25")->silent = true;
    go(&t);
    assert_reached(&t, "192.0.2.7", 252);
    end(&t);
}

static void a_refusal_costs_nothing(void **state)
{
    (void)state;
    struct test t;
    begin(&t);
    sim_fault(&t.w.wire, "[2001:db8::7]:25")->refuse = true;
    go(&t);
    assert_reached(&t, "192.0.2.7", 3);
    end(&t);
}

static void a_late_aaaa_is_waited_for_50_ms_and_no_longer(void **state)
{
    (void)state;
    struct test t;
    begin(&t);
    dns.at6 = SPAN_MS(40);
    go(&t);
    assert_reached(&t, "2001:db8::7", 42);
    end(&t);
    begin(&t);
    dns.at6 = SPAN_S(4);
    go(&t);
    assert_reached(&t, "192.0.2.7", 52);
    assert_true(dns.cancelled);
    end(&t);
}

static void an_aaaa_that_comes_after_a_dead_a_is_used_at_once(void **state)
{
    (void)state;
    struct test t;
    begin(&t);
    sim_fault(&t.w.wire, "192.0.2.7:25")->silent = true;
    dns.at6 = SPAN_S(4);
    go(&t);
    assert_reached(&t, "2001:db8::7", 4002);
    end(&t);
}

static void families_take_turns(void **state)
{
    (void)state;
    struct test t;
    begin(&t);
    dns.v6[0] = ip("2001:db8::9");
    dns.v6[1] = ip("2001:db8::7");
    dns.v4[0] = ip("192.0.2.9");
    dns.n6 = 2;
    sim_fault(&t.w.wire, "[2001:db8::9]:25")->silent = true;
    sim_fault(&t.w.wire, "192.0.2.9:25")->silent = true;
    go(&t);
    assert_reached(&t, "2001:db8::7", 502);
    end(&t);
}

static void all_refusing_fails_with_the_reason(void **state)
{
    (void)state;
    struct test t;
    begin(&t);
    sim_fault(&t.w.wire, "*")->refuse = true;
    go(&t);
    assert_null(t.race.stream);
    assert_int_equal(t.race.status.class, 4);
    assert_int_equal(t.race.status.subject, 4);
    assert_int_equal(t.race.status.detail, 1);
    assert_true(str_eq(
        t.race.text, STR("cannot connect to mx.example [192.0.2.7] port 25: connection refused")));
    end(&t);
}

static void all_silent_ends_at_the_limit(void **state)
{
    (void)state;
    struct test t;
    begin(&t);
    sim_fault(&t.w.wire, "*")->silent = true;
    go(&t);
    assert_null(t.race.stream);
    assert_int_equal(t.took, 30000000);
    assert_true(
        str_eq(t.race.text, STR("cannot connect to mx.example port 25: no answer in time")));
    end(&t);
}

static void no_address_is_what_the_dns_says(void **state)
{
    (void)state;
    struct test t;
    begin(&t);
    dns.n4 = dns.n6 = 0;
    go(&t);
    assert_null(t.race.stream);
    assert_int_equal(t.race.status.class, 5);
    assert_true(str_eq(t.race.text, STR("it has no address")));
    end(&t);
}

static void a_literal_needs_no_dns_and_the_source_is_kept(void **state)
{
    (void)state;
    struct test t;
    begin(&t);
    t.host.literal = ip("192.0.2.7");
    t.config.source4 = ip("192.0.2.99");
    go(&t);
    assert_null(dns.query);
    assert_non_null(t.race.stream);
    assert_true(ip_eq(t.race.stream->local.ip, ip("192.0.2.99")));
    end(&t);
}

static void a_literal_is_named_once(void **state)
{
    (void)state;
    struct test t;
    begin(&t);
    t.host = (struct hop_host){.name = STR("[192.0.2.7]"), .literal = ip("192.0.2.7")};
    sim_fault(&t.w.wire, "*")->refuse = true;
    go(&t);
    assert_true(
        str_eq(t.race.text, STR("cannot connect to [192.0.2.7] port 25: connection refused")));
    end(&t);
}

static void a_cancelled_race_leaves_nothing(void **state)
{
    (void)state;
    for (int steps = 0; steps < 8; steps++) {
        struct test t;
        begin(&t);
        sim_fault(&t.w.wire, "[2001:db8::7]:25")->delay = SPAN_MS(200);
        dns.at4 = SPAN_MS(100);
        t.race = (struct happy_eyeballs){.done = on_done,
                                         .ports = &t.w.ports,
                                         .arena = &t.arena,
                                         .host = &t.host,
                                         .port = 25,
                                         .config = &t.config,
                                         .owner = &t};
        happy_eyeballs_start(&t.race);
        for (int i = 0; i < steps && !t.race.stream; i++) {
            (void)world_step(&t.w, INT64_MAX / 2048);
        }
        happy_eyeballs_cancel(&t.race);
        unsigned done = t.done;
        world_run(&t.w, SPAN_MIN(2));
        assert_int_equal(t.done, done);
        end(&t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ipv6_is_preferred),
        cmocka_unit_test(a_dead_family_costs_a_quarter_of_a_second),
        cmocka_unit_test(a_refusal_costs_nothing),
        cmocka_unit_test(a_late_aaaa_is_waited_for_50_ms_and_no_longer),
        cmocka_unit_test(an_aaaa_that_comes_after_a_dead_a_is_used_at_once),
        cmocka_unit_test(families_take_turns),
        cmocka_unit_test(all_refusing_fails_with_the_reason),
        cmocka_unit_test(all_silent_ends_at_the_limit),
        cmocka_unit_test(no_address_is_what_the_dns_says),
        cmocka_unit_test(a_literal_needs_no_dns_and_the_source_is_kept),
        cmocka_unit_test(a_literal_is_named_once),
        cmocka_unit_test(a_cancelled_race_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
