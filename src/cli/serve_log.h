/* serve_log.h: the log of `serve`, for the supervisor and for its worker. */
#pragma once

#include "config/config.h"
#include "world/log.h"

/* To standard error, as the configuration says. Null where memory is short. */
NODISCARD struct log *serve_log_new(const struct config *config);
