/* domains.h: which domains are ours, found in the configuration's structs. */
#pragma once

#include "config/config.h"
#include "core/base/arena.h"
#include "core/mail/mailbox.h"

/* config_find_domain() for an address's domain, whatever its form: U-labels as A-labels; a literal
 * is ours where we listen at that very address (RFC 5321 4.1.3), as the first domain. `ascii` gets
 * the name in A-labels and lower case (a literal as it is), empty where it is no name. */
const struct config_domain *local_own_domain(const struct config *config,
                                             const struct domain *domain, struct arena *arena,
                                             struct str *ascii);

/* The alias of that name (lower case), or null. */
const struct alias *local_find_alias(const struct config_domain *domain, struct str name);
/* The user of that name (lower case), or null. */
const struct config_user *local_find_user(const struct config_domain *domain, struct str local);
