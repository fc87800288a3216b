/* small_world.h: what the deliver stage needs of a world, for its unit tests: a clock with timers,
 * the network in memory, a disk that reads one body, an inbox. Included once a program. */
#pragma once

#include "config/config.h"
#include "path/deliver/deliver.h"
#include "sim/net.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct small_world {
    struct clock clock;
    struct timers timers;
    struct entropy entropy;
    struct disk disk;
    struct log log;
    struct inbox inbox;
    struct ports ports;
    struct heap heap;
    int64_t now;
    int64_t order; /* keeps timers of one instant in their order */

    struct sim_wire wire;
    struct sim_host us;

    struct str body; /* what the disk holds */
    int read_error;
    size_t reads;
    struct disk_op *reading;
    struct timer disk_timer;
    struct parcel *posted;
    struct timer inbox_timer;
};

static struct instant world_wall(struct clock *clock)
{
    return (struct instant){CONTAINER_OF(clock, struct small_world, clock)->now};
}

static int64_t world_monotonic(struct clock *clock)
{
    return CONTAINER_OF(clock, struct small_world, clock)->now;
}

static void world_cancel(struct timers *timers, struct timer *timer)
{
    heap_remove(&CONTAINER_OF(timers, struct small_world, timers)->heap, &timer->node);
}

/* Keys are time in units of 1/1024 microsecond, so that each arming has its place. */
static void world_arm(struct timers *timers, struct timer *timer, struct span after)
{
    struct small_world *w = CONTAINER_OF(timers, struct small_world, timers);
    heap_remove(&w->heap, &timer->node);
    int64_t at = w->now + (after.us > 0 ? after.us : 0);
    assert_true(heap_push(&w->heap, &timer->node, at * 1024 + w->order++ % 1024));
}

static uint64_t world_u64(struct entropy *entropy)
{
    (void)entropy;
    return 4;
}

static void world_log(struct log *log, enum log_level level, const char *event,
                      const struct log_field *fields, size_t count)
{
    (void)log, (void)event, (void)fields, (void)count;
    assert_int_equal(level, LOG_DEBUG);
}

static void world_read(struct disk *disk, struct disk_op *op, struct disk_file *file,
                       uint64_t offset, struct str into)
{
    struct small_world *w = CONTAINER_OF(disk, struct small_world, disk);
    (void)file;
    assert_null(w->reading);
    struct str bytes = str_head(str_tail(w->body, (size_t)offset), into.len);
    memcpy((char *)(uintptr_t)into.ptr, bytes.ptr, bytes.len);
    op->result = w->read_error ? w->read_error : (int64_t)bytes.len;
    w->reads++;
    w->reading = op;
    w->timers.arm(&w->timers, &w->disk_timer, SPAN_MS(1));
}

static void world_read_done(struct timer *timer)
{
    struct small_world *w = CONTAINER_OF(timer, struct small_world, disk_timer);
    struct disk_op *op = w->reading;
    w->reading = NULL;
    op->done(op);
}

static void world_post(struct inbox *inbox, struct parcel *parcel)
{
    struct small_world *w = CONTAINER_OF(inbox, struct small_world, inbox);
    parcel->next = w->posted;
    w->posted = parcel;
    w->timers.arm(&w->timers, &w->inbox_timer, SPAN_MS(0));
}

static void world_open(struct timer *timer)
{
    struct small_world *w = CONTAINER_OF(timer, struct small_world, inbox_timer);
    struct parcel *parcel = w->posted;
    w->posted = NULL;
    for (struct parcel *next; parcel; parcel = next) {
        next = parcel->next;
        parcel->open(parcel);
    }
}

static void world_init(struct small_world *w)
{
    *w = (struct small_world){
        .clock = {world_wall, world_monotonic},
        .timers = {world_arm, world_cancel},
        .entropy = {world_u64},
        .disk = {.read = world_read},
        .log = {world_log},
        .inbox = {world_post},
        .disk_timer = {.fire = world_read_done},
        .inbox_timer = {.fire = world_open},
        .now = 1000000000,
    };
    w->ports = (struct ports){
        .clock = &w->clock,
        .timers = &w->timers,
        .entropy = &w->entropy,
        .disk = &w->disk,
        .net = &w->us.net,
        .log = &w->log,
        .inbox = &w->inbox,
    };
    sim_wire_init(&w->wire, &w->timers);
    sim_host_init(&w->us, &w->wire, "192.0.2.1", "2001:db8::1");
}

/* One event; false: none is left before `until`. */
static bool world_step(struct small_world *w, int64_t until)
{
    struct heap_node *node = heap_min(&w->heap);
    if (!node || node->key / 1024 > until) {
        return false;
    }
    w->now = node->key / 1024 > w->now ? node->key / 1024 : w->now;
    heap_remove(&w->heap, node);
    struct timer *timer = CONTAINER_OF(node, struct timer, node);
    timer->fire(timer);
    return true;
}

static void world_run(struct small_world *w, struct span time)
{
    int64_t until = w->now + time.us;
    while (world_step(w, until)) {}
    w->now = until;
}

static void world_done(struct small_world *w)
{
    sim_wire_done(&w->wire);
    heap_done(&w->heap);
}

static struct config_deliver world_times(void)
{
    return (struct config_deliver){
        .port = 25,
        .connect = SPAN_S(30),
        .greeting = SPAN_MIN(5),
        .helo = SPAN_MIN(5),
        .mail = SPAN_MIN(5),
        .rcpt = SPAN_MIN(5),
        .data_init = SPAN_MIN(2),
        .data_block = SPAN_MIN(3),
        .data_done = SPAN_MIN(10),
        .quit = SPAN_MIN(5),
        .transaction_recipients = 100,
        .pipe = SPAN_MIN(5),
        .connection_idle = SPAN_S(5),
    };
}
