/* timer.h: something to be done later on this loop. The caller embeds and owns the timer, zeroed at
 * first; it must be cancelled before its memory goes. Spans only: wall time may jump. */
#pragma once

#include "core/base/heap.h"
#include "core/base/instant.h"

struct timer {
    void (*fire)(struct timer *timer); /* runs once an arming; may arm it again */
    struct heap_node node;             /* the implementer's */
};

struct timers {
    /* Arms it, again if it was armed. Zero or negative: as soon as the loop turns. */
    void (*arm)(struct timers *timers, struct timer *timer, struct span after);
    void (*cancel)(struct timers *timers, struct timer *timer); /* fine if not armed */
};
