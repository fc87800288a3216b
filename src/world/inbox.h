/* inbox.h: port/inbox.h: a stack that any thread pushes onto and the loop takes whole. */
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
    atomic_bool stop;
};

int loop_inbox_init(struct loop_inbox *in, struct loop *loop);
void loop_inbox_stop_loop(struct loop_inbox *in); /* from any thread */
void loop_inbox_close(struct loop_inbox *in);
