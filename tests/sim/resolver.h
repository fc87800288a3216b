/* resolver.h: port/resolver.h over a zone in memory, one for each simulated loop; several may share
 * a zone. Answers come by the loop's timers, so they are late as the zone says and never come from
 * inside a call. What changes in the zone counts for questions asked afterwards. */
#pragma once

#include "core/base/list.h"
#include "port/resolver.h"
#include "port/timer.h"
#include "sim/zone.h"

struct sim_resolver {
    struct resolver resolver; /* what the ports point to */
    struct timers *timers;
    const struct zone *zone;
    struct span delay;   /* of every answer; 1 ms at first */
    struct span timeout; /* when ZONE_TIMEOUT is told; 10 s at first */
    uint64_t asked;      /* questions so far */
    struct list open;
};

void sim_resolver_init(struct sim_resolver *r, struct timers *timers, const struct zone *zone);
/* Forgets every open question, as a power cut does; `done` will not run. */
void sim_resolver_done(struct sim_resolver *r);
