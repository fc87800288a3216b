/* dns_bench.h: a loop and a resolver over a zone in memory, for the queries of path/policy. */
#pragma once

#include "core/base/arena.h"
#include "port/ports.h"
#include "sim/resolver.h"
#include "sim/world.h"

#include <string.h>

struct dns_bench {
    struct sim_world world;
    struct sim_loop loop;
    struct zone zone;
    struct sim_resolver resolver;
    struct ports ports;
    struct arena arena;
};

static inline void dns_bench_init(struct dns_bench *b)
{
    memset(b, 0, sizeof *b);
    b->zone.chase = true;
    sim_world_init(&b->world, 1);
    sim_loop_init(&b->loop, &b->world);
    sim_resolver_init(&b->resolver, &b->loop.timers, &b->zone);
    b->ports = (struct ports){.timers = &b->loop.timers, .resolver = &b->resolver.resolver};
}

static inline void dns_bench_done(struct dns_bench *b)
{
    sim_resolver_done(&b->resolver);
    sim_loop_done(&b->loop);
    zone_done(&b->zone);
    arena_done(&b->arena);
}

static inline void dns_bench_turn(struct dns_bench *b, struct span time)
{
    int64_t until = b->world.now + time.us;
    while (sim_step(&b->world, until)) {}
}
