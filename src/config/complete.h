/* complete.h: what addresses without a domain are made whole with, from the whole configuration.
 * For this folder alone. */
#pragma once

#include "config/config.h"

/* Sets config->completion. The domain, where `policy.complete.domain` names none: of our domains
 * the one that the host's name is in; else the only one; else the host's name. Whole with one label
 * are localhost, our domains of one label, and those that transports name. False: no memory. */
NODISCARD bool config_set_completion(struct config *config);
