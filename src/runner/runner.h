/* runner.h: the process that runs programs for the worker, which may not. It reads orders from one
 * socket, checks each against the configuration, runs it, and tells how it ended; nothing else. */
#pragma once

#include "config/config.h"

enum { RUNNER_SOCKET = 3, RUNNER_PROGRAMS_MAX = 512 };

/* Until nobody can send an order any more and all programs have ended; the exit code. What the
 * configuration does not name is not run (permitted.h). */
NODISCARD int runner_run(const struct config *config);
