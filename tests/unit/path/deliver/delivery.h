/* delivery.h: a delivery office in a small world with two servers, and a job to give it. Included
 * once a program. */
#pragma once

#include "path/deliver/deliver.h"
#include "path/deliver/local_deliver.h"
#include "small_world.h"

#include "scripted_server.h"

enum { RCPTS = 6 };

struct test {
    struct small_world w;
    struct server a, b; /* at preference 10 and 20 */
    struct config config;
    struct envelope envelope;
    struct deliver_office office;
    struct hop_host hosts[2];
    struct next_hop hop;
    struct job_rcpt rcpts[RCPTS];
    struct delivery_job job;
    unsigned done;
};

static struct str addresses[RCPTS] = {
    STR_INIT("a1@x.example"), STR_INIT("b1@x.example"), STR_INIT("a2@x.example"),
    STR_INIT("b2@x.example"), STR_INIT("a3@x.example"), STR_INIT("b3@x.example"),
};

static void on_job_done(struct delivery_job *job)
{
    struct test *t = job->owner;
    t->done++;
    for (size_t i = 0; i < job->rcpt_count; i++) {
        assert_int_not_equal(job->rcpts[i].outcome.kind, 0);
    }
}

static void begin(struct test *t)
{
    *t = (struct test){0};
    world_init(&t->w);
    server_init(&t->a, &t->w.wire, "192.0.2.10");
    server_init(&t->b, &t->w.wire, "192.0.2.20");
    t->config.hostname = STR("me.example");
    t->config.deliver = world_times();
    t->config.queue.connection_messages = 1000;
    t->hosts[0] = (struct hop_host){.name = STR("mx1.example"), .literal = t->a.host.ip4};
    t->hosts[1] = (struct hop_host){.name = STR("mx2.example"), .literal = t->b.host.ip4};
    t->hop = (struct next_hop){.kind = HOP_SMTP, .hosts = t->hosts, .host_count = 2, .port = 25};
    t->w.body = STR("Subject: x\r\n\r\n.dot\r\n");
    deliver_office_init(&t->office, &t->w.ports);
}

static void start(struct test *t, size_t rcpts)
{
    arena_done(&t->job.arena);
    t->job = (struct delivery_job){
        .done = on_job_done,
        .home = &t->w.inbox,
        .config = &t->config,
        .envelope = &t->envelope,
        .sender = STR("s@y.example"),
        .site = STR("smtp:mx1.example,mx2.example:25"),
        .additions = STR("Received: here\r\n"),
        .body = {.size = t->w.body.len},
        .rcpts = t->rcpts,
        .rcpt_count = rcpts,
        .owner = t,
    };
    for (size_t i = 0; i < rcpts; i++) {
        t->rcpts[i] =
            (struct job_rcpt){.index = (uint32_t)(i + 7), .address = addresses[i], .hop = &t->hop};
    }
    t->done = 0;
    deliver_job(&t->office, &t->job);
    assert_int_equal(t->done, 0);
}

/* Starts a job and gives it an hour. */
static void deliver(struct test *t, size_t rcpts)
{
    start(t, rcpts);
    int64_t until = t->w.now + SPAN_H(1).us;
    while (t->done == 0 && world_step(&t->w, until)) {}
    assert_int_equal(t->done, 1);
}

static void end(struct test *t)
{
    world_run(&t->w, SPAN_H(1));
    deliver_office_done(&t->office);
    world_run(&t->w, SPAN_S(5));
    assert_true(list_empty(&t->w.wire.ends));
    server_done(&t->a);
    server_done(&t->b);
    arena_done(&t->job.arena);
    world_done(&t->w);
}

static void assert_outcome_(const struct test *t, size_t i, const struct outcome *want,
                            const char *text, int line)
{
    const struct outcome *o = &t->rcpts[i].outcome;
    if (o->kind != want->kind || o->reply_code != want->reply_code ||
        o->status.class != want->status.class || o->status.subject != want->status.subject ||
        o->status.detail != want->status.detail || o->rcpt != i + 7 ||
        str_find_str(o->text, str_from_cstr(text)) == STR_NONE) {
        fail_msg("line %d: kind %d code %d status %d.%d.%d \"%.*s\"", line, (int)o->kind,
                 o->reply_code, o->status.class, o->status.subject, o->status.detail,
                 STR_ARG(o->text));
    }
}
#define assert_outcome(t, i, text, ...)                                                            \
    assert_outcome_((t), (i), &(struct outcome){__VA_ARGS__}, (text), __LINE__)

#define RELAYED .kind = OUTCOME_RELAYED, .reply_code = 250, .status = {2, 0, 0}
#define SENT "Received: here\r\nSubject: x\r\n\r\n.dot\r\n<end>"

static void assert_taken_(const struct server *s, const char *messages, int line)
{
    if (!str_eq(buf_str(&s->messages), str_from_cstr(messages))) {
        fail_msg("line %d: taken \"%.*s\"", line, STR_ARG(buf_str(&s->messages)));
    }
}
#define assert_taken(s, messages) assert_taken_((s), (messages), __LINE__)

/* Local delivery's place is taken here: it settles one recipient at a time. */
static struct {
    unsigned running, calls;
    struct timer timer;
    struct delivery_job *job;
    struct job_rcpt *rcpt;
    void (*done)(struct delivery_job *job, struct job_rcpt *rcpt);
} local;

static void local_done(struct timer *timer)
{
    (void)timer;
    local.running--;
    local.rcpt->outcome =
        (struct outcome){.kind = OUTCOME_DELIVERED, .status = {2, 0, 0}, .text = STR("kept")};
    local.done(local.job, local.rcpt);
}

void local_deliver(struct deliver_office *office, struct delivery_job *job, struct job_rcpt *rcpt,
                   void (*done)(struct delivery_job *job, struct job_rcpt *rcpt))
{
    assert_int_equal(local.running, 0);
    local.running++;
    local.calls++;
    local.job = job;
    local.rcpt = rcpt;
    local.done = done;
    local.timer.fire = local_done;
    office->ports->timers->arm(office->ports->timers, &local.timer, SPAN_MS(1));
}
