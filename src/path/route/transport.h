/* transport.h: which entry of `transports` a domain falls under. */
#pragma once

#include "config/config.h"

enum { TRANSPORT_LMTP_PORT = 24 };

/* "example.org", ".example.org", or "*", as below. */
bool transport_matches(struct str pattern, struct str domain);
/* The first entry that matches, or null: MX by DNS. "example.org" is that domain, ".example.org"
 * any below it, "*" every one, address literals too. `domain` in A-labels. */
const struct config_transport *transport_find(const struct config *config, struct str domain);
