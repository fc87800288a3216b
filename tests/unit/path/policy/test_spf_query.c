#include "path/policy/spf_query.h"
#include "sim/resolver.h"
#include "sim/world.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

struct fixture {
    struct sim_world world;
    struct sim_loop loop;
    struct zone zone;
    struct sim_resolver resolver;
    struct ports ports;
    struct arena arena;
    struct spf_query query;
    unsigned done;
};

static void on_done(struct spf_query *query)
{
    ((struct fixture *)query->owner)->done++;
}

static void setup(struct fixture *f)
{
    sim_world_init(&f->world, 1);
    sim_loop_init(&f->loop, &f->world);
    sim_resolver_init(&f->resolver, &f->loop.timers, &f->zone);
    f->ports = (struct ports){.timers = &f->loop.timers, .resolver = &f->resolver.resolver};
    zone_add(&f->zone, "example.org TXT v=spf1 a -all");
    zone_add(&f->zone, "example.org A 192.0.2.1");
}

static void teardown(struct fixture *f)
{
    sim_resolver_done(&f->resolver);
    sim_loop_done(&f->loop);
    zone_done(&f->zone);
    arena_done(&f->arena);
}

static void start(struct fixture *f, struct str sender)
{
    f->query = (struct spf_query){.done = on_done,
                                  .ports = &f->ports,
                                  .arena = &f->arena,
                                  .request = {.sender = sender},
                                  .owner = f};
    assert_true(ip_parse(STR("192.0.2.1"), &f->query.request.ip));
    f->done = 0;
    spf_query_start(&f->query);
    assert_int_equal(f->done, 0);
}

static void turn(struct fixture *f, struct span time)
{
    int64_t until = f->world.now + time.us;
    while (sim_step(&f->world, until)) {}
}

static void the_resolvers_answers_reach_the_check_and_it_is_told_once(void **state)
{
    struct fixture f = {0};
    (void)state;
    setup(&f);
    start(&f, STR("a@example.org"));
    turn(&f, SPAN_S(60));
    assert_int_equal(f.done, 1);
    assert_int_equal(f.query.spf.result, SPF_PASS);
    assert_int_equal(f.resolver.asked, 2);
    teardown(&f);
}

static void what_needs_no_question_is_told_when_the_loop_turns(void **state)
{
    struct fixture f = {0};
    (void)state;
    setup(&f);
    start(&f, STR("a@nolabels"));
    turn(&f, SPAN_S(1));
    assert_int_equal(f.done, 1);
    assert_int_equal(f.query.spf.result, SPF_NONE);
    teardown(&f);
}

static void patience_ends_after_twenty_seconds(void **state)
{
    struct fixture f = {0};
    (void)state;
    setup(&f);
    zone_delay(&f.zone, "example.org", SPAN_S(15)); /* each of the two answers */
    start(&f, STR("a@example.org"));
    turn(&f, SPAN_MS(19999));
    assert_int_equal(f.done, 0);
    turn(&f, SPAN_MS(1));
    assert_int_equal(f.done, 1);
    assert_int_equal(f.query.spf.result, SPF_TEMPERROR);
    turn(&f, SPAN_S(60));
    assert_int_equal(f.done, 1);
    teardown(&f);
}

static void a_cancelled_check_is_silent(void **state)
{
    struct fixture f = {0};
    (void)state;
    setup(&f);
    start(&f, STR("a@example.org"));
    spf_query_cancel(&f.query);
    turn(&f, SPAN_S(60));
    assert_int_equal(f.done, 0);
    teardown(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_resolvers_answers_reach_the_check_and_it_is_told_once),
        cmocka_unit_test(what_needs_no_question_is_told_when_the_loop_turns),
        cmocka_unit_test(patience_ends_after_twenty_seconds),
        cmocka_unit_test(a_cancelled_check_is_silent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
