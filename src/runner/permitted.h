/* permitted.h: which programs the configuration names: those of `pipe:` mailboxes, with arguments
 * that its templates can give, and those of alias files, word for word. */
#pragma once

#include "config/config.h"
#include "runner/order.h"

/* Also false where a variable could make a program load or do other things than its own. */
NODISCARD bool program_is_permitted(const struct config *config, const struct order *order);
/* Whether all of it are variables that deliveries are given. */
NODISCARD bool environment_is_plain(const struct order *order);
