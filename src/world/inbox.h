/* inbox.h: port/inbox.h: a stack that any thread pushes onto and the loop takes whole. What the
 * loop posts to itself is opened when the events that came together have been seen: the system has
 * not to be asked to wake who is awake. */
#pragma once

#include <stdatomic.h>
#include <uv.h>

#include "port/inbox.h"

struct loop;

struct loop_inbox {
    struct inbox port;
    struct loop *loop;
    uv_async_t wake;
    _Atomic(struct parcel *) posted; /* newest first */
    struct parcel *own;              /* by the loop itself, newest first */
    uv_check_t after_events;
    uv_idle_t again; /* active while own parcels wait for the next turn */
    atomic_bool stop;
};

int loop_inbox_init(struct loop_inbox *in, struct loop *loop);
/* From now on this thread is the loop's: what it posts there is its own. */
void loop_inbox_settle(struct loop_inbox *in);
void loop_inbox_stop_loop(struct loop_inbox *in); /* from any thread */
void loop_inbox_close(struct loop_inbox *in);
