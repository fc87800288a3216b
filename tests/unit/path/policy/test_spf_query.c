#include "path/policy/spf_query.h"
#include "unit/path/policy/dns_bench.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

struct fixture {
    struct dns_bench bench;
    struct spf_query query;
    unsigned done;
};

static void on_done(struct spf_query *query)
{
    ((struct fixture *)query->owner)->done++;
}

static void setup(struct fixture *f)
{
    dns_bench_init(&f->bench);
    zone_add(&f->bench.zone, "example.org TXT v=spf1 a -all");
    zone_add(&f->bench.zone, "example.org A 192.0.2.1");
}

static void start(struct fixture *f, struct str sender)
{
    f->query = (struct spf_query){.done = on_done,
                                  .ports = &f->bench.ports,
                                  .arena = &f->bench.arena,
                                  .request = {.sender = sender},
                                  .owner = f};
    assert_true(ip_parse(STR("192.0.2.1"), &f->query.request.ip));
    f->done = 0;
    spf_query_start(&f->query);
    assert_int_equal(f->done, 0);
}

static void the_resolvers_answers_reach_the_check_and_it_is_told_once(void **state)
{
    struct fixture f = {0};
    (void)state;
    setup(&f);
    start(&f, STR("a@example.org"));
    dns_bench_turn(&f.bench, SPAN_S(60));
    assert_int_equal(f.done, 1);
    assert_int_equal(f.query.spf.result, SPF_PASS);
    assert_int_equal(f.bench.resolver.asked, 2);
    dns_bench_done(&f.bench);
}

static void what_needs_no_question_is_told_when_the_loop_turns(void **state)
{
    struct fixture f = {0};
    (void)state;
    setup(&f);
    start(&f, STR("a@nolabels"));
    dns_bench_turn(&f.bench, SPAN_S(1));
    assert_int_equal(f.done, 1);
    assert_int_equal(f.query.spf.result, SPF_NONE);
    dns_bench_done(&f.bench);
}

static void patience_ends_after_twenty_seconds(void **state)
{
    struct fixture f = {0};
    (void)state;
    setup(&f);
    zone_delay(&f.bench.zone, "example.org", SPAN_S(15)); /* each of the two answers */
    start(&f, STR("a@example.org"));
    dns_bench_turn(&f.bench, SPAN_MS(19999));
    assert_int_equal(f.done, 0);
    dns_bench_turn(&f.bench, SPAN_MS(1));
    assert_int_equal(f.done, 1);
    assert_int_equal(f.query.spf.result, SPF_TEMPERROR);
    dns_bench_turn(&f.bench, SPAN_S(60));
    assert_int_equal(f.done, 1);
    dns_bench_done(&f.bench);
}

static void a_cancelled_check_is_silent(void **state)
{
    struct fixture f = {0};
    (void)state;
    setup(&f);
    start(&f, STR("a@example.org"));
    spf_query_cancel(&f.query);
    dns_bench_turn(&f.bench, SPAN_S(60));
    assert_int_equal(f.done, 0);
    dns_bench_done(&f.bench);
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
