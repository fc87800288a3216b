/* serve_supervised.h: `serve` as it is started: the supervisor, whose worker is `serve --worker`.
 */
#pragma once

#include "cli/options.h"

/* The supervisor's whole life; returns the exit code. The configuration was read from `source` and
 * is taken over. */
NODISCARD int serve_supervised(struct options_config *source, const struct config *config,
                               bool salvage);
