/* test_routing.c: how often the way is asked for, of the recipients of a message. */
#include "path/queue/inside.h"
#include "stage.h"

static unsigned asked, asked_at_once;

/* The way to far.test is every recipient's; "ours.test" has a way for each. */
static void count_and_route(struct stage *s, struct queue_route *ask)
{
    (void)s;
    asked++;
    stage_hop(ask);
    ask->result.whole_domain = !str_eq(stage_domain(ask->address), STR("ours.test"));
    if (!ask->result.whole_domain) {
        ask->result.hop.kind = HOP_MAILDIR;
        ask->result.hop.site = arena_format(ask->arena, "box:%.*s", STR_ARG(ask->address));
    }
}

static void fail_all(struct stage *s, struct queue_route *ask)
{
    (void)s;
    asked++;
    ask->result = (struct routing){.verdict = ROUTING_FAIL,
                                   .status = {5, 1, 2},
                                   .text = STR("no such domain"),
                                   .whole_domain = true};
}

static void count_most(struct stage *s, struct queue_route *ask)
{
    unsigned out = 1;
    LIST_EACH (n, &s->works) {
        out += CONTAINER_OF(n, struct stage_work, link)->route != NULL;
    }
    asked_at_once = out > asked_at_once ? out : asked_at_once;
    count_and_route(s, ask);
}

/* A message to `count` recipients, a hundred of each of the domains in turn. */
static void send_to_many(struct stage *s, const char *const domains[], size_t count)
{
    static char addresses[3000][32];
    static struct envelope_rcpt rcpts[3000];
    assert_true(count <= ARRAY_LEN(rcpts));
    for (size_t i = 0; i < count; i++) {
        (void)snprintf(addresses[i], 32, "u%zu@%s", i, domains[i / 100]);
        rcpts[i] = (struct envelope_rcpt){.address = str_from_cstr(addresses[i])};
    }
    stage_send_envelope(
        s,
        (struct envelope){.reverse_path = STR("a@home.test"), .rcpts = rcpts, .rcpt_count = count});
}

static struct stage *begin(void (*route)(struct stage *s, struct queue_route *ask))
{
    struct stage *s = stage_new();
    asked = asked_at_once = 0;
    s->route = route;
    s->route_time = SPAN_MS(5);
    return s;
}

static void a_way_that_is_the_whole_domains_is_asked_for_once(void **state)
{
    (void)state;
    struct stage *s = begin(count_and_route);
    send_to_many(s, (const char *const[]){"one.test", "two.test", "three.test"}, 300);
    stage_run(s, SPAN_MIN(1));
    assert_int_equal(asked, 3);
    assert_int_equal(s->jobs_begun, 3);
    assert_int_equal(s->delivery_count, 300);
    assert_int_equal(stage_queued(s), 0);
    stage_free(s);
}

static void a_way_of_its_own_is_asked_for_by_each_and_many_at_once(void **state)
{
    (void)state;
    struct stage *s = begin(count_most);
    send_to_many(s, (const char *const[]){"ours.test"}, 100);
    stage_run(s, SPAN_MIN(1));
    assert_int_equal(asked, 100);
    assert_int_equal(asked_at_once, MESSAGE_ROUTES);
    assert_int_equal(s->delivery_count, 100);
    assert_int_equal(stage_queued(s), 0);
    stage_free(s);
}

static void recipients_of_both_kinds_all_find_their_ways(void **state)
{
    (void)state;
    struct stage *s = begin(count_and_route);
    const char *const domains[] = {"one.test",  "ours.test", "two.test",  "ours.test", "ours.test",
                                   "ours.test", "six.test",  "one.test",  "ours.test", "ten.test",
                                   "ours.test", "two.test",  "ours.test", "ours.test", "six.test"};
    send_to_many(s, domains, 1500);
    stage_run(s, SPAN_MIN(5));
    assert_in_range(asked, 800 + 6, 800 + 20); /* a round ends within a domain */
    assert_int_equal(s->delivery_count, 1500);
    for (size_t i = 0; i < s->delivery_count; i++) {
        assert_int_equal(stage_count(s, s->deliveries[i].address), 1);
    }
    assert_int_equal(stage_queued(s), 0);
    stage_free(s);
}

static void far_is_slow(struct stage *s, struct queue_route *ask)
{
    bool far = !str_eq(stage_domain(ask->address), STR("ours.test"));
    s->route_time = far ? SPAN_MS(500) : SPAN_MS(5);
    count_and_route(s, ask);
}

static void near_is_slow_at_first(struct stage *s, struct queue_route *ask)
{
    s->route_time = asked == 0 ? SPAN_MS(500) : SPAN_MS(5);
    count_and_route(s, ask);
}

static void a_domain_whose_way_comes_after_a_later_ones_is_not_forgotten(void **state)
{
    (void)state;
    static const struct {
        void (*route)(struct stage *s, struct queue_route *ask);
        const char *domains[4];
    } cases[] = {
        {far_is_slow, {"one.test", "ours.test", "two.test", "ours.test"}},
        {near_is_slow_at_first, {"ours.test", "one.test", "ours.test", "two.test"}},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct stage *s = begin(cases[i].route);
        send_to_many(s, cases[i].domains, 400);
        stage_run(s, SPAN_MIN(1));
        /* Beside "ours.test" all that are asked for at once may be of another domain. */
        assert_in_range(asked, 202, 202 + MESSAGE_ROUTES);
        assert_int_equal(s->jobs_begun, 202);
        assert_int_equal(s->delivery_count, 400);
        assert_int_equal(stage_queued(s), 0);
        stage_free(s);
    }
}

static void a_domain_that_is_not_there_fails_all_its_recipients(void **state)
{
    (void)state;
    struct stage *s = begin(fail_all);
    send_to_many(s, (const char *const[]){"none.test", "nil.test"}, 200);
    stage_run(s, SPAN_MIN(1));
    assert_int_equal(asked, 2);
    assert_int_equal(s->delivery_count, 0);
    assert_int_equal(s->report_count, 1);
    assert_int_equal(s->reports[0].rcpts, 200);
    assert_int_equal(stage_queued(s), 0);
    stage_free(s);
}

static struct span greylists(struct stage *s, const struct delivery_job *job, struct job_rcpt *r)
{
    if (s->jobs_begun > 3) {
        return stage_accept(s, job, r);
    }
    r->outcome = stage_reply("451 4.7.1 Come again");
    return SPAN_S(1);
}

static void recipients_that_were_put_off_together_come_again_together(void **state)
{
    (void)state;
    struct stage *s = begin(count_and_route);
    s->deliver = greylists;
    send_to_many(s, (const char *const[]){"one.test", "two.test", "three.test"}, 300);
    stage_run(s, SPAN_MIN(10));
    assert_int_equal(s->jobs_begun, 6);
    assert_int_equal(s->delivery_count, 600);
    assert_int_equal(stage_queued(s), 0);
    stage_free(s);
}

static size_t most_of_a_round;

/* Ways of a kilobyte. */
static void large_ways(struct stage *s, struct queue_route *ask)
{
    LIST_EACH (n, &s->queue->actives) {
        size_t used = CONTAINER_OF(n, struct active, link)->round.used;
        most_of_a_round = used > most_of_a_round ? used : most_of_a_round;
    }
    count_and_route(s, ask);
    assert_non_null(arena_alloc(ask->arena, 1024));
}

static struct span none_at_dead(struct stage *s, const struct delivery_job *job, struct job_rcpt *r)
{
    if (str_eq(job->site, STR("smtp:dead.test:25")) &&
        s->now.us < instant_add(START, SPAN_MIN(4)).us) {
        r->outcome = stage_unreachable();
        return SPAN_S(1);
    }
    return stage_accept(s, job, r);
}

static void who_waits_for_a_dead_site_holds_no_way_while_others_go(void **state)
{
    (void)state;
    struct stage *s = begin(large_ways);
    s->deliver = none_at_dead;
    most_of_a_round = 0;
    stage_send(s, "first@dead.test"); /* and now it is known to be down */
    stage_run(s, SPAN_S(10));
    static const char *domains[30];
    for (size_t i = 0; i < ARRAY_LEN(domains); i++) {
        domains[i] = i % 7 == 0 ? "dead.test" : "ours.test";
    }
    send_to_many(s, domains, 3000);
    stage_run(s, SPAN_MIN(3));
    assert_int_equal(s->delivery_count, 1 + 2500);
    assert_true(most_of_a_round < 2 << 20);
    assert_int_equal(stage_queued(s), 2);
    stage_run(s, SPAN_MIN(20));
    assert_int_equal(s->delivery_count, 1 + 2500 + 1 + 500);
    assert_int_equal(stage_queued(s), 0);
    stage_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_way_that_is_the_whole_domains_is_asked_for_once),
        cmocka_unit_test(a_way_of_its_own_is_asked_for_by_each_and_many_at_once),
        cmocka_unit_test(recipients_of_both_kinds_all_find_their_ways),
        cmocka_unit_test(a_domain_whose_way_comes_after_a_later_ones_is_not_forgotten),
        cmocka_unit_test(a_domain_that_is_not_there_fails_all_its_recipients),
        cmocka_unit_test(who_waits_for_a_dead_site_holds_no_way_while_others_go),
        cmocka_unit_test(recipients_that_were_put_off_together_come_again_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
