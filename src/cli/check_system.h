/* check_system.h: whether mail can be delivered to users of this host. */
#pragma once

#include "config/config.h"
#include "config/problems.h"

/* False, and told, where the configuration wants that of a server that root does not start. */
NODISCARD bool check_system_users(struct config_problems *problems, const struct config *config,
                                  struct str file);
