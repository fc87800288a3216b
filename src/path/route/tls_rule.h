/* tls_rule.h: which TLS policy a domain falls under. */
#pragma once

#include "config/config.h"
#include "core/mail/next_hop.h"

/* Whether there is a rule: then neither DANE nor MTA-STS is asked. */
bool tls_rule_exists(const struct config *config, struct str domain);
/* Puts the policy of the first rule of `deliver.tls` that matches the domain into the hop, else
 * that DANE is to be looked for where the hosts' names cannot be forged; and a mark into the site:
 * connections made under another policy are not used. `served`: the domain whose MX records the
 * hosts are from; where nothing vouches for those, `verify` wants its name. True: one applies.
 * False also when memory is short, then with hop->site null. */
NODISCARD bool tls_rule_apply(const struct config *config, struct str domain, struct str served,
                              struct next_hop *hop, struct arena *arena);
/* "encrypt", "verify"… */
struct str tls_level_word(enum tls_level level);
