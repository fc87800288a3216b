/* test_sts_office.c: policies of MTA-STS over time: fetched, kept, made young again, changed, lost.
 */
#include "path/route/sts_inside.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "bench.h"

#define ENFORCE "version: STSv1\nmode: enforce\nmx: mx.far.example\nmax_age: 1000\n"
#define TESTING "version: STSv1\nmode: testing\nmx: *.far.example\nmax_age: 1000\n"

/* A web server that gives `text`, or fails; `silent`: it never answers. */
struct web {
    struct https https;
    struct bench *bench;
    struct timer timer;
    struct https_request *request;
    const char *text;
    enum https_result result;
    int status;
    bool silent;
    unsigned asked;
};

struct scene {
    struct bench bench;
    struct clock clock;
    struct log log;
    struct web web;
    struct sts_office office;
};

struct asked {
    struct sts_query query;
    unsigned done;
};

static struct instant wall(struct clock *clock)
{
    struct scene *s = CONTAINER_OF(clock, struct scene, clock);
    return (struct instant){1000000LL * 1800000000 + s->bench.now};
}

static void no_event(struct log *log, enum log_level level, const char *event,
                     const struct log_field *fields, size_t count)
{
    (void)log, (void)level, (void)event, (void)fields, (void)count;
}

static void on_web(struct timer *timer)
{
    struct web *web = CONTAINER_OF(timer, struct web, timer);
    struct https_request *request = web->request;
    web->request = NULL;
    request->result = web->result;
    request->status = web->status;
    request->answer = request->reason = (struct buf){0};
    buf_add(&request->answer, str_from_cstr(web->text));
    request->done(request);
}

static bool web_ask(struct https *https, struct https_request *request)
{
    struct web *web = CONTAINER_OF(https, struct web, https);
    assert_true(str_eq(request->host, STR("mta-sts.far.example")));
    assert_int_equal(request->ip_count, 1);
    web->asked++;
    web->request = request;
    web->timer.fire = on_web;
    if (!web->silent) {
        bench_arm(&web->bench->timers, &web->timer, SPAN_MS(20));
    }
    return true;
}

static void web_cancel(struct https *https, struct https_request *request)
{
    struct web *web = CONTAINER_OF(https, struct web, https);
    (void)request;
    bench_cancel(&web->bench->timers, &web->timer);
    web->request = NULL;
}

static void open_scene(struct scene *s)
{
    *s = (struct scene){.clock = {.wall = wall}, .log = {.event = no_event}};
    bench_init(&s->bench);
    s->web = (struct web){
        .https = {web_ask, web_cancel}, .bench = &s->bench, .text = ENFORCE, .status = 200};
    s->bench.ports.clock = &s->clock;
    s->bench.ports.log = &s->log;
    s->bench.ports.https = &s->web.https;
    s->office = (struct sts_office){.ports = &s->bench.ports, .port = 443, .patience = SPAN_S(5)};
    sts_office_init(&s->office);
    zone_add(&s->bench.zone, "mta-sts.far.example A 192.0.2.1");
}

static void close_scene(struct scene *s)
{
    sts_office_stop(&s->office);
    sts_office_done(&s->office);
    bench_done(&s->bench);
}

/* The record that is there from now on. */
static void announce(struct scene *s, const char *id)
{
    zone_done(&s->bench.zone);
    s->bench.zone.chase = true;
    zone_add(&s->bench.zone, "mta-sts.far.example A 192.0.2.1");
    if (id) {
        struct str line =
            arena_format(&s->bench.arena, "_mta-sts.far.example TXT v=STSv1; id=%s;", id);
        zone_add(&s->bench.zone, line.ptr);
    }
}

static void on_done(struct sts_query *query)
{
    ((struct asked *)query->owner)->done++;
}

static void start(struct scene *s, struct asked *a)
{
    *a = (struct asked){0};
    a->query = (struct sts_query){.done = on_done,
                                  .office = &s->office,
                                  .arena = &s->bench.arena,
                                  .domain = STR("far.example"),
                                  .owner = a};
    assert_true(sts_start(&a->query));
    assert_int_equal(a->done, 0);
}

static enum sts_mode mode_now(struct scene *s)
{
    struct asked a;
    start(s, &a);
    bench_run(&s->bench);
    assert_int_equal(a.done, 1);
    return a.query.policy.mode;
}

static void pass(struct scene *s, int seconds)
{
    s->bench.now += seconds * 1000000LL;
}

/* Nothing is kept of finding out: only what was found. */
static bool is_at_rest(const struct scene *s)
{
    struct map_iter it = map_begin(&s->office.entries);
    for (struct map_node *n; (n = map_next(&it));) {
        if (CONTAINER_OF(n, struct sts_entry, node)->work) {
            return false;
        }
    }
    return true;
}

static void a_policy_is_fetched_once_and_kept_for_its_age(void **state)
{
    (void)state;
    struct scene s;
    struct asked a, b;
    open_scene(&s);
    announce(&s, "one");
    start(&s, &a);
    start(&s, &b);
    bench_run(&s.bench);
    assert_int_equal(a.done + b.done, 2);
    assert_int_equal(b.query.policy.mode, STS_ENFORCE);
    assert_true(str_eq(b.query.policy.mx, STR("mx.far.example")));
    assert_int_equal(s.web.asked, 1);
    pass(&s, 490);
    assert_int_equal(mode_now(&s), STS_ENFORCE);
    assert_int_equal(s.web.asked, 1);
    close_scene(&s);
}

static void it_is_made_young_again_before_it_ends(void **state)
{
    (void)state;
    struct scene s;
    open_scene(&s);
    announce(&s, "one");
    assert_int_equal(mode_now(&s), STS_ENFORCE);
    pass(&s, 510);
    assert_int_equal(mode_now(&s), STS_ENFORCE);
    assert_int_equal(s.web.asked, 2);
    s.web.result = HTTPS_FAILED;
    pass(&s, 900); /* 900 seconds after the second: still good, and cannot be renewed */
    assert_int_equal(mode_now(&s), STS_ENFORCE);
    assert_int_equal(s.web.asked, 3);
    pass(&s, 200);
    assert_int_equal(mode_now(&s), STS_NONE);
    close_scene(&s);
}

static void another_id_brings_the_new_policy_at_once(void **state)
{
    (void)state;
    struct scene s;
    open_scene(&s);
    announce(&s, "one");
    assert_int_equal(mode_now(&s), STS_ENFORCE);
    s.web.text = TESTING;
    assert_int_equal(mode_now(&s), STS_ENFORCE);
    announce(&s, "two");
    assert_int_equal(mode_now(&s), STS_TESTING);
    assert_int_equal(s.web.asked, 2);
    close_scene(&s);
}

static void a_policy_outlives_its_record_and_its_server(void **state)
{
    (void)state;
    struct scene s;
    open_scene(&s);
    announce(&s, "one");
    assert_int_equal(mode_now(&s), STS_ENFORCE);
    announce(&s, NULL);
    assert_int_equal(mode_now(&s), STS_ENFORCE);
    announce(&s, "two");
    s.web.result = HTTPS_CERTIFICATE;
    assert_int_equal(mode_now(&s), STS_ENFORCE);
    pass(&s, 1000);
    assert_int_equal(mode_now(&s), STS_NONE);
    close_scene(&s);
}

static void what_cannot_be_had_is_said_and_not_asked_for_again_at_once(void **state)
{
    static const struct {
        enum https_result result;
        int status;
        const char *text;
        enum sts_trouble trouble;
    } rows[] = {
        {HTTPS_FAILED, 0, "", STS_NOT_FETCHED},
        {HTTPS_TIMEOUT, 0, "", STS_NOT_FETCHED},
        {HTTPS_CERTIFICATE, 0, "", STS_NOT_TRUSTED},
        {HTTPS_TOO_LONG, 0, "", STS_NOT_VALID},
        {HTTPS_ANSWERED, 301, ENFORCE, STS_NOT_FETCHED},
        {HTTPS_ANSWERED, 404, ENFORCE, STS_NOT_FETCHED},
        {HTTPS_ANSWERED, 200, "no policy", STS_NOT_VALID},
        {HTTPS_ANSWERED, 200, "", STS_NOT_VALID},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct scene s;
        struct asked a;
        open_scene(&s);
        announce(&s, "one");
        s.web.result = rows[i].result;
        s.web.status = rows[i].status;
        s.web.text = rows[i].text;
        for (unsigned round = 1; round <= 3; round++) {
            start(&s, &a);
            bench_run(&s.bench);
            assert_int_equal(a.query.policy.mode, STS_NONE);
            assert_int_equal(a.query.trouble, rows[i].trouble);
            assert_true(a.query.why.len > 0);
            assert_int_equal(s.web.asked, round == 3 ? 2 : 1);
            pass(&s, round == 2 ? 300 : 100);
        }
        close_scene(&s);
    }
}

static void a_silent_server_holds_nobody_up_for_long(void **state)
{
    (void)state;
    struct scene s;
    struct asked a;
    open_scene(&s);
    announce(&s, "one");
    s.web.silent = true;
    start(&s, &a);
    bench_run(&s.bench);
    assert_int_equal(a.done, 1);
    assert_in_range(s.bench.now, 5000000, 6000000);
    assert_int_equal(a.query.policy.mode, STS_NONE);
    assert_int_equal(a.query.trouble, STS_NOT_FETCHED);
    bench_arm(&s.bench.timers, &s.web.timer, SPAN_S(1)); /* it comes after all */
    bench_run(&s.bench);
    assert_int_equal(mode_now(&s), STS_ENFORCE);
    assert_int_equal(s.web.asked, 1);
    close_scene(&s);
}

static void without_a_record_nothing_is_fetched(void **state)
{
    (void)state;
    struct scene s;
    struct asked a;
    open_scene(&s);
    start(&s, &a);
    bench_run(&s.bench);
    assert_int_equal(a.query.policy.mode, STS_NONE);
    assert_int_equal(a.query.trouble, STS_FINE);
    announce(&s, "one");
    zone_add(&s.bench.zone, "_mta-sts.far.example TXT v=STSv1; id=two;");
    assert_int_equal(mode_now(&s), STS_NONE); /* two records are none */
    assert_int_equal(s.web.asked, 0);
    close_scene(&s);
}

static void a_cancelled_question_is_silent(void **state)
{
    (void)state;
    for (int steps = 0; steps < 6; steps++) {
        struct scene s;
        struct asked a;
        open_scene(&s);
        announce(&s, "one");
        start(&s, &a);
        for (int i = 0; i < steps; i++) {
            (void)bench_step(&s.bench);
        }
        sts_cancel(&a.query);
        sts_cancel(&a.query);
        unsigned done = a.done;
        bench_run(&s.bench);
        assert_int_equal(a.done, done);
        assert_true(is_at_rest(&s));
        close_scene(&s);
    }
}

static void what_finding_out_took_is_given_back_when_nobody_waits(void **state)
{
    (void)state;
    struct scene s;
    struct asked first, second;
    open_scene(&s);
    announce(&s, "one");
    start(&s, &first);
    start(&s, &second);
    assert_false(is_at_rest(&s));
    bench_run(&s.bench);
    assert_int_equal(first.done + second.done, 2);
    assert_true(is_at_rest(&s));
    pass(&s, 2000);
    s.web.status = 404;
    assert_int_equal(mode_now(&s), STS_NONE);
    assert_true(is_at_rest(&s));
    close_scene(&s);
}

static void what_is_written_is_read_again(void **state)
{
    (void)state;
    struct arena arena = {0};
    struct buf text = {0};
    struct sts_kept kept = {.policy = {STS_TESTING, STR_INIT("a.example *.b.example"), 86400},
                            .id = STR_INIT("abc"),
                            .fetched = {1800000000LL * 1000000}};
    struct sts_kept again;
    sts_file_write(&text, &kept);
    assert_true(sts_file_read(buf_str(&text), &arena, &again));
    assert_true(str_eq(again.policy.mx, kept.policy.mx) && str_eq(again.id, kept.id));
    assert_int_equal(again.fetched.us, kept.fetched.us);
    assert_false(sts_file_read(str_tail(buf_str(&text), 1), &arena, &again));
    assert_false(sts_file_read(STR("postrider-sts 2 1 a\n"), &arena, &again));
    assert_false(sts_file_read((struct str){0}, &arena, &again));
    buf_done(&text);
    arena_done(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_policy_is_fetched_once_and_kept_for_its_age),
        cmocka_unit_test(it_is_made_young_again_before_it_ends),
        cmocka_unit_test(another_id_brings_the_new_policy_at_once),
        cmocka_unit_test(a_policy_outlives_its_record_and_its_server),
        cmocka_unit_test(what_cannot_be_had_is_said_and_not_asked_for_again_at_once),
        cmocka_unit_test(a_silent_server_holds_nobody_up_for_long),
        cmocka_unit_test(without_a_record_nothing_is_fetched),
        cmocka_unit_test(a_cancelled_question_is_silent),
        cmocka_unit_test(what_finding_out_took_is_given_back_when_nobody_waits),
        cmocka_unit_test(what_is_written_is_read_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
