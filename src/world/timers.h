/* timers.h: port/timer.h over one uv_timer and a heap. */
#pragma once

#include <uv.h>

#include "port/timer.h"

struct loop;

/* Timers for which the heap found no memory wait here; beyond them a timer is lost (and logged). */
enum { TIMERS_SPARE = 64 };

struct loop_timers {
    struct timers port;
    struct loop *loop;
    struct heap heap;
    uv_timer_t uv;
    int64_t set_for; /* when `uv` will fire; INT64_MAX: it is not set */
    struct timer *spare[TIMERS_SPARE];
    size_t spare_count;
};

int loop_timers_init(struct loop_timers *t, struct loop *loop);
void loop_timers_close(struct loop_timers *t);
void loop_timers_done(struct loop_timers *t);
