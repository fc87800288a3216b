/* check.h: what no single key shows: values that do not fit each other, and an open relay. For this
 * folder alone. */
#pragma once

#include "config/config.h"
#include "config/problems.h"

/* Domains of system users that name none get all that may have mail. Before config_check(). */
void config_find_system_users(struct config *config, struct str file,
                              struct config_problems *problems);
void config_check(const struct config *config, struct str file, struct config_problems *problems);
