/* local_world.h: what local delivery needs of a world, for its unit tests: a clock with timers, a
 * disk in memory, a program that does as it is told, and a job with one recipient. Included once a
 * program. */
#pragma once

#include "config/config.h"
#include "path/deliver/local_deliver.h"
#include "sim/disk.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* What the program does, and what it got. */
struct script {
    int error; /* cannot be started */
    int exit_status;
    int signal;
    bool hangs;       /* until it is killed */
    size_t reads;     /* exits when it has so many octets; 0: reads all */
    const char *says; /* its output */
    struct buf input;
    bool ended; /* it saw the end of its input */
    struct buf argv;
    struct buf environment;
    unsigned runs;
};

struct world {
    struct clock clock;
    struct timers timers;
    struct entropy entropy;
    struct log log;
    struct programs programs;
    struct sim_disk disk;
    struct ports ports;
    struct heap due;
    int64_t now;
    uint64_t random;
    struct script script;
    struct program_run *run;
    struct timer program; /* its next turn */
    struct timer program_limit;

    struct config config;
    struct envelope envelope;
    struct deliver_office office;
    struct next_hop hop;
    struct job_rcpt rcpt;
    struct delivery_job job;
    struct disk_op opening;
    bool opened;
    unsigned done;
};

static inline struct instant world_wall(struct clock *clock)
{
    return (struct instant){CONTAINER_OF(clock, struct world, clock)->now};
}

static inline int64_t world_monotonic(struct clock *clock)
{
    return CONTAINER_OF(clock, struct world, clock)->now;
}

static inline void world_cancel(struct timers *timers, struct timer *timer)
{
    heap_remove(&CONTAINER_OF(timers, struct world, timers)->due, &timer->node);
}

static inline void world_arm(struct timers *timers, struct timer *timer, struct span after)
{
    struct world *w = CONTAINER_OF(timers, struct world, timers);
    heap_remove(&w->due, &timer->node);
    assert_true(heap_push(&w->due, &timer->node, w->now + (after.us > 0 ? after.us : 0)));
}

static inline uint64_t world_u64(struct entropy *entropy)
{
    struct world *w = CONTAINER_OF(entropy, struct world, entropy);
    w->random = w->random * 6364136223846793005U + 1442695040888963407U;
    return w->random;
}

static inline void world_log(struct log *log, enum log_level level, const char *event,
                             const struct log_field *fields, size_t count)
{
    (void)log, (void)event, (void)fields, (void)count;
    assert_int_equal(level, LOG_DEBUG);
}

static inline void program_exit(struct world *w, bool timed_out)
{
    struct program_run *run = w->run;
    w->run = NULL;
    w->timers.cancel(&w->timers, &w->program);
    w->timers.cancel(&w->timers, &w->program_limit);
    run->error = w->script.error;
    run->timed_out = timed_out;
    run->signal = timed_out ? 9 : w->script.signal;
    run->exit_status = run->signal || run->error ? -1 : w->script.exit_status;
    struct str says = str_from_cstr(w->script.says);
    buf_add(&run->output, str_head(says, run->output_limit));
    run->done(run);
}

static inline void program_turn(struct timer *timer)
{
    struct world *w = CONTAINER_OF(timer, struct world, program);
    bool enough = w->script.reads > 0 && w->script.input.len >= w->script.reads;
    if (w->script.error != 0 || ((w->script.ended || enough) && !w->script.hangs)) {
        program_exit(w, false);
    } else if (!w->script.ended) {
        w->run->wants_input(w->run);
    }
}

static inline void program_killed(struct timer *timer)
{
    program_exit(CONTAINER_OF(timer, struct world, program_limit), true);
}

static inline void program_start(struct programs *programs, struct program_run *run)
{
    struct world *w = CONTAINER_OF(programs, struct world, programs);
    assert_null(w->run);
    w->run = run;
    w->script.runs++;
    for (size_t i = 0; i < run->argc; i++) {
        buf_add_format(&w->script.argv, "%.*s\n", STR_ARG(run->argv[i]));
    }
    for (size_t i = 0; i < run->environment_count; i++) {
        buf_add_format(&w->script.environment, "%.*s\n", STR_ARG(run->environment[i]));
    }
    w->program.fire = program_turn;
    w->program_limit.fire = program_killed;
    w->timers.arm(&w->timers, &w->program, SPAN_MS(1));
    w->timers.arm(&w->timers, &w->program_limit, run->limit);
}

static inline void program_write(struct programs *programs, struct program_run *run,
                                 struct str bytes)
{
    struct world *w = CONTAINER_OF(programs, struct world, programs);
    assert_ptr_equal(run, w->run);
    buf_add(&w->script.input, bytes);
    w->timers.arm(&w->timers, &w->program, SPAN_MS(1));
}

static inline void program_end(struct programs *programs, struct program_run *run)
{
    struct world *w = CONTAINER_OF(programs, struct world, programs);
    assert_ptr_equal(run, w->run);
    w->script.ended = true;
    w->timers.arm(&w->timers, &w->program, SPAN_MS(1));
}

/* One event; false: nothing is left to happen. */
static inline bool world_step(struct world *w)
{
    struct heap_node *node = heap_min(&w->due);
    if (!node) {
        return false;
    }
    w->now = node->key;
    heap_remove(&w->due, node);
    struct timer *timer = CONTAINER_OF(node, struct timer, node);
    timer->fire(timer);
    return true;
}

static inline void world_opened(struct disk_op *op)
{
    CONTAINER_OF(op, struct world, opening)->opened = true;
}

static inline struct disk_file *world_open(struct world *w, const char *path)
{
    w->opening = (struct disk_op){.done = world_opened};
    w->opened = false;
    w->disk.disk.open(&w->disk.disk, &w->opening, str_from_cstr(path), DISK_READ | DISK_WRITE);
    while (!w->opened && world_step(w)) {}
    assert_int_equal(w->opening.result, 0);
    return w->opening.file;
}

static inline void world_folder(struct world *w, const char *path)
{
    w->opening = (struct disk_op){.done = world_opened};
    w->opened = false;
    w->disk.disk.make_folder(&w->disk.disk, &w->opening, str_from_cstr(path));
    while (!w->opened && world_step(w)) {}
    assert_int_equal(w->opening.result, 0);
}

/* A message to deliver, to a@b.example. */
static inline void world_begin(struct world *w, enum hop_kind kind, const char *path,
                               struct str body)
{
    *w = (struct world){
        .clock = {world_wall, world_monotonic},
        .timers = {world_arm, world_cancel},
        .entropy = {world_u64},
        .log = {world_log},
        .programs = {program_start, program_write, program_end},
        .now = 1795497112345678, /* 24 Nov 2026 05:11:52 UTC */
        .random = 7,
    };
    sim_disk_init(&w->disk, &w->timers, 11);
    w->disk.clock = &w->clock;
    w->ports = (struct ports){.clock = &w->clock,
                              .timers = &w->timers,
                              .entropy = &w->entropy,
                              .disk = &w->disk.disk,
                              .programs = &w->programs,
                              .log = &w->log};
    w->config.hostname = STR("mx.example");
    w->config.deliver.pipe = SPAN_MIN(5);
    w->envelope = (struct envelope){.id = {0x1234567890}};
    deliver_office_init(&w->office, &w->ports);
    w->hop = (struct next_hop){.kind = kind, .path = str_from_cstr(path)};
    w->rcpt = (struct job_rcpt){.index = 3,
                                .address = STR("a@b.example"),
                                .final_mailbox = STR("a@b.example"),
                                .hop = &w->hop};
    world_folder(w, "/spool");
    sim_disk_put(&w->disk, "/spool/body", body);
    w->job = (struct delivery_job){
        .config = &w->config,
        .envelope = &w->envelope,
        .sender = STR("s@y.example"),
        .site = STR("here"),
        .additions = STR("Received: here\r\n"),
        .body = {.file = world_open(w, "/spool/body"), .size = body.len},
        .rcpts = &w->rcpt,
        .rcpt_count = 1,
        .owner = w,
    };
    w->disk.calls = w->disk.syncs = w->disk.writes = 0;
}

#define TOP "Return-Path: <s@y.example>\nDelivered-To: a@b.example\nReceived: here\n"

static inline void world_on_done(struct delivery_job *job, struct job_rcpt *rcpt)
{
    struct world *w = job->owner;
    assert_ptr_equal(rcpt, &w->rcpt);
    w->done++;
}

static inline void world_start(struct world *w)
{
    w->rcpt.outcome = (struct outcome){0};
    w->done = 0;
    local_deliver(&w->office, &w->job, &w->rcpt, world_on_done);
    assert_int_equal(w->done, 0);
}

static inline void world_finish(struct world *w)
{
    while (w->done == 0 && world_step(w)) {}
    assert_int_equal(w->done, 1);
    assert_int_equal(w->rcpt.outcome.rcpt, 3);
    assert_int_equal(w->rcpt.outcome.at.us, w->now);
    assert_true(str_eq(w->rcpt.outcome.site, STR("here")));
    assert_true(w->rcpt.outcome.text.len > 0);
    assert_false(world_step(w)); /* nothing is left under way */
    assert_int_equal(w->done, 1);
}

static inline void world_deliver(struct world *w)
{
    world_start(w);
    world_finish(w);
}

static inline bool world_delivered(const struct world *w)
{
    return w->rcpt.outcome.kind == OUTCOME_DELIVERED;
}

/* The power comes back. */
static inline void world_restart(struct world *w)
{
    w->disk.disk.close(&w->disk.disk, w->job.body.file);
    sim_disk_restart(&w->disk);
    w->job.body.file = world_open(w, "/spool/body");
    w->disk.calls = w->disk.syncs = w->disk.writes = 0;
}

static inline void world_end(struct world *w)
{
    w->disk.disk.close(&w->disk.disk, w->job.body.file);
    sim_disk_done(&w->disk);
    arena_done(&w->job.arena);
    heap_done(&w->due);
    buf_done(&w->script.input);
    buf_done(&w->script.argv);
    buf_done(&w->script.environment);
}

static inline void assert_outcome_(const struct world *w, enum outcome_kind kind,
                                   struct status_code status, const char *text, int line)
{
    const struct outcome *o = &w->rcpt.outcome;
    if (o->kind != kind || o->status.class != status.class || o->status.subject != status.subject ||
        o->status.detail != status.detail ||
        str_find_str(o->text, str_from_cstr(text)) == STR_NONE) {
        fail_msg("line %d: kind %d status %d.%d.%d \"%.*s\"", line, (int)o->kind, o->status.class,
                 o->status.subject, o->status.detail, STR_ARG(o->text));
    }
}
#define assert_outcome(w, kind, a, b, c, text)                                                     \
    assert_outcome_((w), (kind), (struct status_code){(a), (b), (c)}, (text), __LINE__)

static inline void assert_text_(struct str got, const char *want, int line)
{
    if (!str_eq(got, str_from_cstr(want))) {
        fail_msg("line %d: \"%.*s\"", line, STR_ARG(got));
    }
}
#define assert_text(got, want) assert_text_((got), (want), __LINE__)
