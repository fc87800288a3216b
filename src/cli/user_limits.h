/* user_limits.h: what users have sent of late, asked of the running server. Exit codes of
 * sysexits.h. */
#pragma once

#include "config/config.h"

struct user_limits_show {
    bool json;
    uint32_t most; /* users, those nearest to a limit; 0: the server's default */
};

/* All who have sent something, or the user of that `name` (null: all). */
NODISCARD int user_limits_show(const struct config *config, const char *name,
                               const struct user_limits_show *show);
/* From now on he has sent nothing. */
NODISCARD int user_limits_reset(const struct config *config, const char *name);
