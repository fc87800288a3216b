/* check_security.h: what is open: `postrider check --security`. */
#pragma once

#include "cli/findings.h"
#include "cli/options.h"

/* What the configuration allows, what lies around in files, what the kernel lacks. */
void check_security(struct findings *findings, const struct options_config *source,
                    const struct config *config);
/* The certificates and keys. */
void check_certificates(struct findings *findings, const struct config *config);
/* What others look for in the DNS: MX, SPF, DMARC, and the names of our own addresses. Asks the
 * configuration's servers. False, with the reason told on standard error, where that cannot be. */
NODISCARD bool check_records(struct findings *findings, const struct config *config);
