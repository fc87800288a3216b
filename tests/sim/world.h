/* world.h: the time of a simulation. Every machine in it has a loop of its own, whose timers are
 * gone at once when the machine loses power; events happen one at a time, and those of one instant
 * in an order that the seed decides. */
#pragma once

#include "core/base/list.h"
#include "port/clock.h"
#include "port/timer.h"

struct sim_world {
    struct list loops;
    int64_t now; /* microseconds since it began */
    uint64_t random;
    uint64_t events;
};

struct sim_loop {
    struct timers timers; /* what ports point to */
    struct heap heap;
    struct sim_world *world;
    struct list link;
};

void sim_world_init(struct sim_world *w, uint64_t seed);
uint64_t sim_draw(struct sim_world *w);
static inline uint64_t sim_below(struct sim_world *w, uint64_t below)
{
    return sim_draw(w) % below;
}
/* True once in `n` times. */
static inline bool sim_once_in(struct sim_world *w, uint64_t n)
{
    return sim_draw(w) % n == 0;
}
/* The next event happens; false: there is none before `until`, and it is `until`. */
bool sim_step(struct sim_world *w, int64_t until);

void sim_loop_init(struct sim_loop *loop, struct sim_world *w);
void sim_loop_done(struct sim_loop *loop);
void sim_loop_forget(
    struct sim_loop *loop); /* all timers, whose memory need not be there any more */
