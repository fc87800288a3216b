/* check.h: what no single key shows: values that do not fit each other, and an open relay. For this
 * folder alone. */
#pragma once

#include "config/config.h"
#include "config/problems.h"

void config_check(const struct config *config, struct str file, struct config_problems *problems);
