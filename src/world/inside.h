/* inside.h: a loop's insides, for this folder alone. */
#pragma once

#include <uv.h>

#include "core/base/list.h"
#include "world/clock.h"
#include "world/disk.h"
#include "world/entropy.h"
#include "world/inbox.h"
#include "world/loop.h"
#include "world/net.h"
#include "world/programs.h"
#include "world/resolver.h"
#include "world/soon.h"
#include "world/timers.h"

enum { LOOP_SCRATCH = 65536 };

struct loop {
    uv_loop_t uv;
    uv_prepare_t before_waiting;
    uv_idle_t turn; /* active while something is to be done soon */
    struct list soon;
    char *scratch; /* where every socket's input is read; LOOP_SCRATCH bytes */
    bool closing;  /* loop_free(): nothing is called back any more */
    struct ports ports;
    struct clock clock;
    struct loop_entropy entropy;
    struct loop_timers timers;
    struct loop_inbox inbox;
    struct loop_net net;
    struct loop_disk disk;
    struct loop_programs programs;
    struct loop_resolver resolver;
};

/* libuv's allocation callback: the shared buffer. */
void loop_scratch(uv_handle_t *handle, size_t suggested, uv_buf_t *buf);
