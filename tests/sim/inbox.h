/* inbox.h: port/inbox.h in memory: parcels are opened in their order, a moment later, as timers of
 * their loop. */
#pragma once

#include "port/inbox.h"
#include "sim/world.h"

struct sim_inbox {
    struct inbox inbox; /* what ports point to */
    struct timer timer;
    struct parcel *first, *last;
    struct sim_loop *loop;
};

void sim_inbox_init(struct sim_inbox *in, struct sim_loop *loop);
