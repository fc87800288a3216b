/* threads.h: loops, each in a thread of its own. */
#pragma once

#include "world/loop.h"

struct threads;

/* Runs each loop in a new thread; `begin` (may be null) is called first in each, with the loop's
 * number. The array is borrowed for the call, the loops until threads_join(). Null where threads
 * could not be made; then none runs. */
NODISCARD struct threads *
threads_start(struct loop *const *loops, size_t count,
              void (*begin)(struct loop *loop, size_t number, void *owner), void *owner);
/* Waits until every loop was stopped, and frees. */
void threads_join(struct threads *threads);
