/* user_limits.h: what users have sent of late, asked of the running server. Exit codes of
 * sysexits.h. */
#pragma once

#include "config/config.h"

/* All who have sent something, or the user of that `name` (null: all). */
NODISCARD int user_limits_show(const struct config *config, const char *name, bool json);
/* From now on he has sent nothing. */
NODISCARD int user_limits_reset(const struct config *config, const char *name);
