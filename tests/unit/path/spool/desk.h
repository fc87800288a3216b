/* desk.h: a loop, a disk and a spool for the spool's tests. Time goes from event to event. */
#pragma once

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "path/spool/log.h"
#include "path/spool/segment.h"
#include "sim/disk.h"

struct desk {
    struct timers timers;
    struct clock clock;
    struct entropy entropy;
    struct log log;
    struct inbox inbox;
    struct sim_disk disk;
    struct ports ports;
    struct heap due;
    int64_t now;
    uint64_t random;
    struct parcel *first, *last;
    unsigned errors; /* log events of level error */
    struct spool *spool;
    struct spool_log_open open;
    struct spool_log_options options;
    bool ended;
};

static inline void desk_arm(struct timers *timers, struct timer *timer, struct span after)
{
    struct desk *k = CONTAINER_OF(timers, struct desk, timers);
    int64_t due = k->now + (after.us > 0 ? after.us : 0);
    if (timer->node.place) {
        heap_move(&k->due, &timer->node, due);
    } else {
        assert_true(heap_push(&k->due, &timer->node, due));
    }
}

static inline void desk_cancel(struct timers *timers, struct timer *timer)
{
    struct desk *k = CONTAINER_OF(timers, struct desk, timers);
    heap_remove(&k->due, &timer->node);
}

static inline void desk_post(struct inbox *inbox, struct parcel *parcel)
{
    struct desk *k = CONTAINER_OF(inbox, struct desk, inbox);
    parcel->next = NULL;
    *(k->last ? &k->last->next : &k->first) = parcel;
    k->last = parcel;
}

static inline uint64_t desk_random(struct entropy *entropy)
{
    struct desk *k = CONTAINER_OF(entropy, struct desk, entropy);
    k->random = k->random * 6364136223846793005U + 1442695040888963407U;
    return k->random >> 16;
}

static inline void desk_event(struct log *log, enum log_level level, const char *event,
                              const struct log_field *fields, size_t count)
{
    struct desk *k = CONTAINER_OF(log, struct desk, log);
    (void)event;
    (void)fields;
    (void)count;
    k->errors += level == LOG_ERROR;
}

static inline struct instant desk_wall(struct clock *clock)
{
    return (struct instant){CONTAINER_OF(clock, struct desk, clock)->now};
}

static inline int64_t desk_monotonic(struct clock *clock)
{
    return CONTAINER_OF(clock, struct desk, clock)->now;
}

static inline void desk_init(struct desk *k, uint64_t seed)
{
    *k = (struct desk){
        .timers = {desk_arm, desk_cancel},
        .clock = {desk_wall, desk_monotonic},
        .entropy = {desk_random},
        .log = {desk_event},
        .inbox = {desk_post},
        .random = seed,
        .options = {.folder = STR("/spool"), .segment_size = 64 * 1024, .inline_limit = 16 * 1024}};
    sim_disk_init(&k->disk, &k->timers, seed);
    k->ports = (struct ports){.clock = &k->clock,
                              .timers = &k->timers,
                              .entropy = &k->entropy,
                              .disk = &k->disk.disk,
                              .log = &k->log,
                              .inbox = &k->inbox};
}

/* One event; false: nothing is left to happen. */
static inline bool desk_step(struct desk *k)
{
    if (k->first) {
        struct parcel *parcel = k->first;
        k->first = parcel->next;
        k->last = k->first ? k->last : NULL;
        parcel->open(parcel);
        return true;
    }
    struct heap_node *node = heap_min(&k->due);
    if (!node) {
        return false;
    }
    k->now = node->key;
    heap_remove(&k->due, node);
    struct timer *timer = CONTAINER_OF(node, struct timer, node);
    timer->fire(timer);
    return true;
}

static inline void desk_run(struct desk *k)
{
    for (unsigned n = 0; desk_step(k); n++) {
        assert_true(n < 10000000); /* it comes to rest */
    }
}

static inline void desk_opened(struct spool_log_open *op)
{
    struct desk *k = op->owner;
    k->spool = op->result == 0 ? op->spool : NULL;
    k->ended = true;
}

/* Opens the spool; k->open.result tells. `found` may be null. */
static inline int desk_open(struct desk *k,
                            void (*found)(struct spool_log_open *, const struct spool_found *),
                            bool salvage)
{
    k->open = (struct spool_log_open){.found = found,
                                      .done = desk_opened,
                                      .ports = &k->ports,
                                      .options = k->options,
                                      .salvage = salvage,
                                      .owner = k};
    k->ended = false;
    k->spool = NULL;
    spool_log_open(&k->open);
    desk_run(k);
    assert_true(k->ended);
    return k->open.result;
}

static inline void desk_closed(void *owner)
{
    struct desk *k = owner;
    k->ended = true;
    k->spool = NULL;
}

static inline void desk_close(struct desk *k)
{
    if (k->spool) {
        k->ended = false;
        k->spool->ops->close(k->spool, desk_closed, k);
        desk_run(k);
        assert_true(k->ended);
    }
}

static inline void desk_done(struct desk *k)
{
    desk_close(k);
    sim_disk_done(&k->disk);
    heap_done(&k->due);
}

/* The time goes on with the spool's housekeeping until it has nothing to do. */
static inline void desk_tidy(struct desk *k)
{
    for (unsigned n = 0; k->spool->ops->tick(k->spool) && n < 2000; n++) {
        desk_run(k);
    }
    desk_run(k);
}

static inline void desk_put_done(struct spool_put *op)
{
    *(bool *)op->impl = true;
}

/* Puts one message and waits. */
static inline int desk_put(struct desk *k, uint64_t id, struct str envelope, struct str body)
{
    bool done = false;
    struct str pieces[2] = {str_head(body, body.len / 2), str_tail(body, body.len / 2)};
    struct spool_put op = {.done = desk_put_done,
                           .id = {id},
                           .envelope = envelope,
                           .additions = STR("Received: by us\r\n"),
                           .body = {pieces, 2},
                           .body_size = body.len,
                           .impl = &done};
    spool_put(k->spool, &op);
    assert_false(done);
    desk_run(k);
    assert_true(done);
    return op.result;
}

static inline void desk_mark_done(struct spool_mark *op)
{
    *(bool *)op->impl = true;
}

static inline int desk_mark(struct desk *k, uint64_t id, struct str outcomes, bool finished)
{
    bool done = false;
    struct spool_mark op = {.done = desk_mark_done,
                            .id = {id},
                            .outcomes = outcomes,
                            .finished = finished,
                            .impl = &done};
    spool_mark(k->spool, &op);
    assert_false(done);
    desk_run(k);
    assert_true(done);
    return op.result;
}

static inline void desk_get_done(struct spool_get *op)
{
    *(bool *)op->impl = true;
}

struct desk_message {
    struct arena arena;
    struct spool_get get;
    struct str body; /* read */
    struct disk_op op;
    bool done;
};

static inline void desk_body_read(struct disk_op *op)
{
    CONTAINER_OF(op, struct desk_message, op)->done = true;
}

/* Gets a message and reads its body; pinned until desk_release(). */
static inline int desk_get(struct desk *k, uint64_t id, struct desk_message *m)
{
    bool done = false;
    *m = (struct desk_message){0};
    m->get =
        (struct spool_get){.done = desk_get_done, .id = {id}, .arena = &m->arena, .impl = &done};
    spool_get(k->spool, &m->get);
    assert_false(done);
    desk_run(k);
    assert_true(done);
    if (m->get.result == 0) {
        char *bytes = arena_alloc(&m->arena, (size_t)m->get.body.size + 1);
        m->body = str_from(bytes, (size_t)m->get.body.size);
        m->op.done = desk_body_read;
        k->disk.disk.read(&k->disk.disk, &m->op, m->get.body.file, m->get.body.offset, m->body);
        desk_run(k);
        assert_int_equal(m->op.result, m->get.body.size);
    }
    return m->get.result;
}

static inline void desk_release(struct desk *k, struct desk_message *m)
{
    if (m->get.result == 0) {
        spool_release(k->spool, m->get.id);
    }
    arena_done(&m->arena);
}

#define assert_str(a, b) assert_true(str_eq((a), (b)))
