/* stage.h: a queue on a stage of its own, for its tests: a clock that jumps from event to event, a
 * spool in memory whose writes take a millisecond and are lost by a crash before that, and
 * neighbouring stages that do what the test says and note what they were asked. */
#pragma once

#include "core/base/map.h"
#include "core/mail/outcome.h"
#include "path/queue/queue.h"
#include "path/queue/queue_control.h"
#include "sim/disk.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define START ((struct instant){INT64_C(1795514401000000)}) /* 2026-11-24 10:00:01 UTC */

struct stage_message {
    struct queue_id id;
    struct buf envelope, outcomes;
    unsigned pins;
    bool there;
};

struct stage_delivery { /* one recipient of one job */
    char address[64];
    char sender[64];
    struct instant began;
    unsigned job;
};

struct stage_report {
    enum report_kind kind;
    char to[64];
    char rcpt[64];
    char final_address[64];
    enum outcome_kind outcome;
    struct status_code status;
    size_t rcpts;
    struct instant at;
};

struct stage {
    struct clock clock;
    struct timers timers;
    struct entropy entropy;
    struct inbox inbox;
    struct log log;
    struct sim_disk disk;
    struct ports ports;
    struct spool spool;
    struct config config;
    struct queue *queue;

    struct instant now;
    struct heap armed;
    struct parcel *first, **last;
    uint64_t random;
    struct stage_message messages[2000];
    size_t message_count;
    struct list works; /* operations of the stage's own under way */
    unsigned marks_fail;
    unsigned reports_fail;

    struct stage_delivery deliveries[8000];
    size_t delivery_count;
    unsigned jobs_begun, jobs_out, jobs_most;
    struct stage_report reports[600];
    size_t report_count;
    struct buf log_text;
    unsigned events; /* steps made, to crash at each */
    unsigned stopped;
    bool dead; /* the program is: nothing begun now ends */

    /* What the test says; null: routed by domain, and taken after a second. */
    void (*route)(struct stage *s, struct queue_route *ask);
    /* Fills the outcome; returns how long it took. */
    struct span (*deliver)(struct stage *s, const struct delivery_job *job, struct job_rcpt *r);
    struct span route_time;
};

struct stage_work {
    struct list link;
    struct timer timer;
    struct stage *stage;
    struct spool_mark *mark;
    struct spool_get *get;
    struct queue_route *route;
    struct delivery_job *job;
    struct queue_report *report;
};

static inline struct instant stage_wall(struct clock *clock)
{
    return CONTAINER_OF(clock, struct stage, clock)->now;
}

static inline int64_t stage_monotonic(struct clock *clock)
{
    return CONTAINER_OF(clock, struct stage, clock)->now.us;
}

static inline void stage_cancel(struct timers *timers, struct timer *timer)
{
    heap_remove(&CONTAINER_OF(timers, struct stage, timers)->armed, &timer->node);
}

static inline void stage_arm(struct timers *timers, struct timer *timer, struct span after)
{
    struct stage *s = CONTAINER_OF(timers, struct stage, timers);
    stage_cancel(timers, timer);
    assert_true(heap_push(&s->armed, &timer->node, s->now.us + (after.us > 0 ? after.us : 0)));
}

static inline uint64_t stage_u64(struct entropy *entropy)
{
    struct stage *s = CONTAINER_OF(entropy, struct stage, entropy);
    return hash_u64(++s->random * 0x9e3779b97f4a7c15U);
}

static inline void stage_post(struct inbox *inbox, struct parcel *parcel)
{
    struct stage *s = CONTAINER_OF(inbox, struct stage, inbox);
    parcel->next = NULL;
    *s->last = parcel;
    s->last = &parcel->next;
}

static inline void stage_event(struct log *log, enum log_level level, const char *event,
                               const struct log_field *fields, size_t count)
{
    struct stage *s = CONTAINER_OF(log, struct stage, log);
    (void)level;
    buf_add_format(&s->log_text, "%s", event);
    for (size_t i = 0; i < count; i++) {
        if (fields[i].kind == LOG_STR) {
            buf_add_format(&s->log_text, " %s=%.*s", fields[i].name, STR_ARG(fields[i].text));
        } else if (fields[i].kind == LOG_INT) {
            buf_add_format(&s->log_text, " %s=%lld", fields[i].name, (long long)fields[i].number);
        }
    }
    buf_add_char(&s->log_text, '\n');
}

static inline bool stage_logged(const struct stage *s, const char *text)
{
    return str_find_str(buf_str(&s->log_text), str_from_cstr(text)) != STR_NONE;
}

static inline void stage_copy(char out[64], struct str text)
{
    (void)snprintf(out, 64, "%.*s", STR_ARG(text));
}

static inline struct stage_message *stage_find(struct stage *s, struct queue_id id)
{
    for (size_t i = 0; i < s->message_count; i++) {
        if (s->messages[i].id.value == id.value) {
            return &s->messages[i];
        }
    }
    return NULL;
}

static inline void end_mark(struct stage *s, struct spool_mark *op)
{
    struct stage_message *m = stage_find(s, op->id);
    op->result = !m || !m->there ? -ENOENT : 0;
    if (s->marks_fail > 0) {
        s->marks_fail--;
        op->result = -EIO;
    }
    if (op->result == 0 && op->finished) {
        m->there = false;
    } else if (op->result == 0) {
        buf_add(&m->outcomes, op->outcomes);
    }
    op->done(op);
}

static inline void end_get(struct stage *s, struct spool_get *op)
{
    struct stage_message *m = stage_find(s, op->id);
    op->result = !m || !m->there ? -ENOENT : 0;
    if (op->result == 0) {
        op->envelope = arena_copy(op->arena, buf_str(&m->envelope));
        op->outcomes = arena_copy(op->arena, buf_str(&m->outcomes));
        m->pins++;
    }
    op->done(op);
}

static inline void end_report(struct stage *s, struct queue_report *ask)
{
    struct stage_report *r = &s->reports[s->report_count];
    if (s->reports_fail > 0) {
        s->reports_fail--;
        ask->result = -ENOSPC;
        ask->done(ask);
        return;
    }
    s->report_count++;
    r->kind = ask->kind;
    r->at = s->now;
    r->rcpts = ask->rcpt_count;
    r->outcome = ask->rcpts[0].outcome.kind;
    r->status = ask->rcpts[0].outcome.status;
    stage_copy(r->to, ask->envelope->reverse_path);
    stage_copy(r->rcpt, ask->rcpts[0].address);
    stage_copy(r->final_address, ask->rcpts[0].final_address);
    ask->result = 0;
    ask->id = (struct queue_id){s->report_count};
    ask->done(ask);
}

static inline void work_ended(struct timer *timer)
{
    struct stage_work *w = CONTAINER_OF(timer, struct stage_work, timer);
    struct stage_work work = *w;
    list_remove(&w->link);
    free(w);
    if (work.mark) {
        end_mark(work.stage, work.mark);
    } else if (work.get) {
        end_get(work.stage, work.get);
    } else if (work.route) {
        work.route->done(work.route);
    } else if (work.job) {
        work.stage->jobs_out--;
        work.job->done(work.job);
    } else {
        end_report(work.stage, work.report);
    }
}

static inline void stage_drop_job(struct delivery_job *job)
{
    arena_done(&job->arena);
    free(job->owner);
}

static inline void stage_begin(struct stage *s, struct stage_work work, struct span time)
{
    if (s->dead) {
        return;
    }
    struct stage_work *w = malloc(sizeof *w);
    assert_non_null(w);
    *w = work;
    w->stage = s;
    w->timer = (struct timer){.fire = work_ended};
    list_append(&s->works, &w->link);
    stage_arm(&s->timers, &w->timer, time);
}

static inline void stage_mark(struct spool *spool, struct spool_mark *op)
{
    struct stage *s = CONTAINER_OF(spool, struct stage, spool);
    stage_begin(s, (struct stage_work){.mark = op}, SPAN_MS(1));
}

static inline void stage_get(struct spool *spool, struct spool_get *op)
{
    struct stage *s = CONTAINER_OF(spool, struct stage, spool);
    stage_begin(s, (struct stage_work){.get = op}, SPAN_MS(1));
}

static inline void stage_release(struct spool *spool, struct queue_id id)
{
    struct stage *s = CONTAINER_OF(spool, struct stage, spool);
    struct stage_message *m = stage_find(s, id);
    if (!m || m->pins == 0) {
        fail_msg("released, but not pinned");
        return;
    }
    m->pins--;
}

static const struct spool_ops stage_spool_ops = {
    .mark = stage_mark, .get = stage_get, .release = stage_release};

static inline struct str stage_domain(struct str address)
{
    return str_tail(address, str_rfind(address, '@') + 1);
}

static inline void stage_hop(struct queue_route *ask)
{
    struct str domain = stage_domain(ask->address);
    ask->result = (struct routing){.verdict = ROUTING_HOP, .hop = {.kind = HOP_SMTP}};
    ask->result.hop.site = arena_format(ask->arena, "smtp:%.*s:25", STR_ARG(domain));
}

static inline void stage_route(void *owner, struct queue_route *ask)
{
    struct stage *s = owner;
    if (s->route) {
        s->route(s, ask);
    } else {
        stage_hop(ask);
    }
    stage_begin(s, (struct stage_work){.route = ask}, s->route_time);
}

static inline struct span stage_accept(struct stage *s, const struct delivery_job *job,
                                       struct job_rcpt *r)
{
    (void)job;
    r->outcome = (struct outcome){.kind = OUTCOME_RELAYED,
                                  .at = s->now,
                                  .status = {2, 0, 0},
                                  .reply_code = 250,
                                  .host = STR("mx.example"),
                                  .text = STR("250 2.0.0 Ok")};
    return SPAN_S(1);
}

static inline struct outcome stage_reply(const char *text)
{
    struct outcome o = {.kind = OUTCOME_DEFERRED, .host = STR("mx.example")};
    o.text = str_from_cstr(text);
    o.reply_code = (uint16_t)((text[0] - '0') * 100 + (text[1] - '0') * 10 + (text[2] - '0'));
    o.status = (struct status_code){(uint8_t)(text[0] - '0'), 2, 1};
    if (text[0] == '5') {
        o.kind = OUTCOME_FAILED;
    }
    return o;
}

static inline struct outcome stage_unreachable(void)
{
    return (struct outcome){.kind = OUTCOME_DEFERRED,
                            .status = {4, 4, 1},
                            .text = STR("mx.example refused the connection")};
}

static inline void stage_deliver(void *owner, struct delivery_job *job)
{
    struct stage *s = owner;
    struct span time = {0};
    if (s->dead) {
        stage_drop_job(job);
        return;
    }
    s->jobs_begun++;
    for (size_t i = 0; i < job->rcpt_count; i++) {
        struct stage_delivery *d = &s->deliveries[s->delivery_count++];
        assert_true(s->delivery_count < ARRAY_LEN(s->deliveries));
        stage_copy(d->address, job->rcpts[i].address);
        stage_copy(d->sender, job->sender);
        d->began = s->now;
        d->job = s->jobs_begun;
        time =
            s->deliver ? s->deliver(s, job, &job->rcpts[i]) : stage_accept(s, job, &job->rcpts[i]);
    }
    s->jobs_out++;
    s->jobs_most = s->jobs_out > s->jobs_most ? s->jobs_out : s->jobs_most;
    stage_begin(s, (struct stage_work){.job = job}, time);
}

static inline void stage_report_asked(void *owner, struct queue_report *ask)
{
    stage_begin(owner, (struct stage_work){.report = ask}, SPAN_MS(2));
}

/* One event; false: nothing is planned before `until`. */
static inline bool stage_step(struct stage *s, struct instant until)
{
    struct parcel *parcel = s->first;
    if (parcel) {
        s->first = parcel->next;
        s->last = s->first ? s->last : &s->first;
        parcel->open(parcel);
        s->events++;
        return true;
    }
    struct heap_node *n = heap_min(&s->armed);
    if (!n || n->key > until.us) {
        s->now = until;
        return false;
    }
    s->now.us = n->key > s->now.us ? n->key : s->now.us;
    heap_remove(&s->armed, n);
    struct timer *timer = CONTAINER_OF(n, struct timer, node);
    timer->fire(timer);
    s->events++;
    return true;
}

static inline void stage_run(struct stage *s, struct span time)
{
    struct instant until = instant_add(s->now, time);
    while (stage_step(s, until)) {}
}

/* Takes up what the spool holds, as after a start of the program. */
static inline void stage_open(struct stage *s)
{
    struct queue_hands hands = {stage_route, stage_deliver, stage_report_asked, s};
    s->queue = queue_new(&s->ports, &s->spool, &s->config, hands);
    assert_non_null(s->queue);
    for (size_t i = 0; i < s->message_count; i++) {
        struct stage_message *m = &s->messages[i];
        struct spool_found found = {m->id, buf_str(&m->envelope), buf_str(&m->outcomes)};
        if (m->there) {
            assert_true(queue_found(s->queue, &found));
        }
    }
    queue_start(s->queue);
}

/* What was under way is lost; what was durable stays. The disk's own operations end, with an error,
 * before their owners go. */
static inline void stage_crash(struct stage *s)
{
    LIST_EACH (n, &s->works) {
        struct stage_work *w = CONTAINER_OF(n, struct stage_work, link);
        if (w->job) {
            stage_drop_job(w->job);
        }
        list_remove(&w->link);
        stage_cancel(&s->timers, &w->timer);
        free(w);
    }
    s->dead = true;
    sim_disk_cut(&s->disk);
    stage_run(s, SPAN_MS(10));
    queue_free(s->queue);
    s->queue = NULL;
    for (size_t i = 0; i < s->message_count; i++) {
        s->messages[i].pins = 0;
    }
    s->jobs_out = 0;
    s->first = NULL;
    s->last = &s->first;
    sim_disk_restart(&s->disk);
    s->dead = false;
}

static struct span stage_schedule[] = {{INT64_C(300000000)},
                                       {INT64_C(600000000)},
                                       {INT64_C(1200000000)},
                                       {INT64_C(2400000000)},
                                       {INT64_C(3600000000)}};

static inline struct stage *stage_new(void)
{
    struct stage *s = calloc(1, sizeof *s);
    assert_non_null(s);
    s->clock = (struct clock){stage_wall, stage_monotonic};
    s->timers = (struct timers){stage_arm, stage_cancel};
    s->entropy.u64 = stage_u64;
    s->inbox.post = stage_post;
    s->log.event = stage_event;
    s->spool.ops = &stage_spool_ops;
    s->now = START;
    s->last = &s->first;
    list_init(&s->works);
    sim_disk_init(&s->disk, &s->timers, 7);
    s->disk.clock = &s->clock;
    s->ports = (struct ports){.clock = &s->clock,
                              .timers = &s->timers,
                              .entropy = &s->entropy,
                              .disk = &s->disk.disk,
                              .log = &s->log,
                              .inbox = &s->inbox};
    s->config.holders = 1000000; /* nobody frees it */
    s->config.hostname = STR("mx.test");
    s->config.spool_path = STR("/spool");
    s->config.queue = (struct config_queue){.retry = stage_schedule,
                                            .retry_count = ARRAY_LEN(stage_schedule),
                                            .expire = SPAN_D(5),
                                            .delay_notice = SPAN_H(4),
                                            .history = SPAN_D(7),
                                            .history_size = 1 << 20,
                                            .active = 10000,
                                            .site_connections = 20,
                                            .connection_messages = 1000};
    s->config.deliver.transaction_recipients = 100;
    stage_open(s);
    return s;
}

static inline void stage_free(struct stage *s)
{
    stage_crash(s);
    sim_disk_done(&s->disk);
    heap_done(&s->armed);
    for (size_t i = 0; i < s->message_count; i++) {
        buf_done(&s->messages[i].envelope);
        buf_done(&s->messages[i].outcomes);
    }
    buf_done(&s->log_text);
    free(s);
}

/* A message arrives and is durable. */
static inline struct queue_id stage_send_envelope(struct stage *s, struct envelope e)
{
    struct stage_message *m = &s->messages[s->message_count++];
    assert_true(s->message_count < ARRAY_LEN(s->messages));
    e.id = (struct queue_id){(uint64_t)s->now.us << 8 | (s->message_count & 255)};
    e.arrived = s->now;
    e.protocol = STR("ESMTP");
    e.body_size = 1234;
    *m = (struct stage_message){.id = e.id, .there = true};
    envelope_encode(&m->envelope, &e);
    assert_false(m->envelope.failed);
    queue_arrived(s->queue, &e);
    s->now.us++;
    return e.id;
}

static inline struct queue_id stage_send_notify(struct stage *s, const char *from, const char *to,
                                                unsigned notify)
{
    struct envelope_rcpt rcpt = {.address = str_from_cstr(to), .notify = (uint8_t)notify};
    struct envelope e = {.reverse_path = str_from_cstr(from), .rcpts = &rcpt, .rcpt_count = 1};
    return stage_send_envelope(s, e);
}

static inline struct queue_id stage_send(struct stage *s, const char *to)
{
    return stage_send_notify(s, "sender@home.test", to, 0);
}

static inline size_t stage_queued(struct stage *s)
{
    size_t count = 0;
    for (size_t i = 0; i < s->message_count; i++) {
        count += s->messages[i].there;
    }
    return count;
}

static inline size_t stage_count(const struct stage *s, const char *address)
{
    size_t count = 0;
    for (size_t i = 0; i < s->delivery_count; i++) {
        count += strcmp(s->deliveries[i].address, address) == 0;
    }
    return count;
}
