/* serve_servants.h: the processes that do one thing for the worker. Each returns its exit code. */
#pragma once

#include "config/config.h"

/* `serve --runner`: runs programs, as the user that the worker is, but without its fence: programs
 * have needs of their own. */
NODISCARD int serve_runner(const struct config *config);
/* `serve --keys`: reads the private keys, gives up everything, and signs. */
NODISCARD int serve_keys(const struct config *config);
