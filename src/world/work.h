/* work.h: a piece of work that would hold a loop up, done by a thread of libuv's pool. */
#pragma once

#include "world/loop.h"

struct work {
    void (*run)(struct work *work);    /* on a thread of the pool */
    void (*done)(struct work *work);   /* then, on the loop's thread */
    void (*forget)(struct work *work); /* instead of `done`, at the end of the loop */
    void *owner;
};

/* 0 or -errno. The memory must live until `done` or `forget`. On the loop's thread. */
NODISCARD int work_start(struct loop *loop, struct work *work);
