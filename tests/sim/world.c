#include "sim/world.h"

#include <stdlib.h>

/* Keys are time in units of 1/1024 microsecond: the rest is the order within one instant. */
enum { PER_US = 1024 };

uint64_t sim_draw(struct sim_world *w)
{
    w->random += 0x9e3779b97f4a7c15U; /* SplitMix64 */
    uint64_t z = w->random;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9U;
    z = (z ^ z >> 27) * 0x94d049bb133111ebU;
    return z ^ z >> 31;
}

static void arm(struct timers *timers, struct timer *timer, struct span after)
{
    struct sim_loop *loop = CONTAINER_OF(timers, struct sim_loop, timers);
    struct sim_world *w = loop->world;
    heap_remove(&loop->heap, &timer->node);
    int64_t at = w->now + (after.us > 0 ? after.us : 0);
    if (!heap_push(&loop->heap, &timer->node, at * PER_US + (int64_t)sim_below(w, PER_US))) {
        abort();
    }
}

static void cancel(struct timers *timers, struct timer *timer)
{
    heap_remove(&CONTAINER_OF(timers, struct sim_loop, timers)->heap, &timer->node);
}

void sim_world_init(struct sim_world *w, uint64_t seed)
{
    *w = (struct sim_world){.random = seed * 2 + 1};
    list_init(&w->loops);
}

void sim_loop_init(struct sim_loop *loop, struct sim_world *w)
{
    *loop = (struct sim_loop){.timers = {arm, cancel}, .world = w};
    list_append(&w->loops, &loop->link);
}

void sim_loop_done(struct sim_loop *loop)
{
    heap_done(&loop->heap);
    list_remove(&loop->link);
}

void sim_loop_forget(struct sim_loop *loop)
{
    loop->heap.count = 0;
}

bool sim_step(struct sim_world *w, int64_t until)
{
    struct sim_loop *first = NULL;
    struct heap_node *next = NULL;
    LIST_EACH (node, &w->loops) {
        struct sim_loop *loop = CONTAINER_OF(node, struct sim_loop, link);
        struct heap_node *least = heap_min(&loop->heap);
        if (least && (!next || least->key < next->key)) {
            next = least;
            first = loop;
        }
    }
    if (!next || next->key / PER_US > until) {
        w->now = until;
        return false;
    }
    w->now = next->key / PER_US > w->now ? next->key / PER_US : w->now;
    heap_remove(&first->heap, next);
    w->events++;
    struct timer *timer = CONTAINER_OF(next, struct timer, node);
    timer->fire(timer);
    return true;
}
