/* runner.h: the process that runs programs for the worker, which may not. It reads orders from one
 * socket, checks each against the configuration, runs it, and tells how it ended; nothing else. */
#pragma once

#include "config/config.h"
#include "runner/order.h"

enum { RUNNER_SOCKET = 3, RUNNER_PROGRAMS_MAX = 512 };

/* What is done for an order, by a process of its own. */
struct runner_work {
    bool (*permitted)(const struct config *config, const struct order *order);
    /* In the child, which has the order's streams and no other descriptor; null: executes it. */
    void (*child)(const struct config *config, const struct order *order);
};
extern const struct runner_work runner_programs; /* what the configuration names, permitted.h */

/* Until nobody can send an order any more and all that were begun have ended; the exit code. */
NODISCARD int runner_run(const struct config *config, const struct runner_work *work);
