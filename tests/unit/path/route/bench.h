/* bench.h: what the tests of this folder stand on: ports with timers on a clock that jumps from one
 * event to the next, a fixed entropy, and a resolver over a zone in memory. */
#pragma once

#include "port/ports.h"
#include "sim/resolver.h"

#include <stdlib.h>
#include <string.h>

struct bench {
    struct ports ports;
    struct timers timers;
    struct entropy entropy;
    struct heap due;
    int64_t now;
    uint64_t drawn;
    struct zone zone;
    struct sim_resolver resolver;
    struct arena arena;
};

static inline void bench_arm(struct timers *timers, struct timer *timer, struct span after)
{
    struct bench *b = CONTAINER_OF(timers, struct bench, timers);
    heap_remove(&b->due, &timer->node);
    if (!heap_push(&b->due, &timer->node, b->now + (after.us > 0 ? after.us : 0))) {
        abort();
    }
}

static inline void bench_cancel(struct timers *timers, struct timer *timer)
{
    heap_remove(&CONTAINER_OF(timers, struct bench, timers)->due, &timer->node);
}

static inline uint64_t bench_u64(struct entropy *entropy)
{
    return CONTAINER_OF(entropy, struct bench, entropy)->drawn++;
}

static inline void bench_init(struct bench *b)
{
    memset(b, 0, sizeof *b);
    b->timers = (struct timers){bench_arm, bench_cancel};
    b->entropy = (struct entropy){bench_u64};
    b->zone.chase = true;
    sim_resolver_init(&b->resolver, &b->timers, &b->zone);
    b->ports.timers = &b->timers;
    b->ports.entropy = &b->entropy;
    b->ports.resolver = &b->resolver.resolver;
}

/* The next event; false: there is none. */
static inline bool bench_step(struct bench *b)
{
    struct heap_node *node = heap_min(&b->due);
    if (!node) {
        return false;
    }
    b->now = node->key;
    heap_remove(&b->due, node);
    struct timer *timer = CONTAINER_OF(node, struct timer, node);
    timer->fire(timer);
    return true;
}

static inline void bench_run(struct bench *b)
{
    while (bench_step(b)) {}
}

static inline void bench_done(struct bench *b)
{
    sim_resolver_done(&b->resolver);
    heap_done(&b->due);
    zone_done(&b->zone);
    arena_done(&b->arena);
}
