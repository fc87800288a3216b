/* hop.h: next hops made: from a mailbox's configuration, a transport, MX hosts, an alias's file or
 * program. Each function fills `hop` with texts in the arena; false: no memory. */
#pragma once

#include "config/config.h"
#include "core/dns/mx.h"
#include "core/mail/next_hop.h"
#include "path/route/template.h"

NODISCARD bool hop_to_mailbox(struct next_hop *hop, const struct config_mailboxes *mailboxes,
                              const struct template_values *values, struct arena *arena);
/* One host by SMTP or LMTP; `host` is a name, or an address with or without brackets. */
NODISCARD bool hop_to_host(struct next_hop *hop, enum hop_kind kind, struct str host, uint16_t port,
                           struct arena *arena);
NODISCARD bool hop_to_ip(struct next_hop *hop, struct ip ip, uint16_t port, struct arena *arena);
NODISCARD bool hop_to_socket(struct next_hop *hop, struct str path, struct arena *arena);
NODISCARD bool hop_to_mx(struct next_hop *hop, const struct mx *mx, uint16_t port,
                         struct arena *arena);
void hop_to_nowhere(struct next_hop *hop);
/* "/path", "/path/" (a Maildir), "|program argument ...": split at spaces and tabs, no shell, no
 * quoting. */
NODISCARD bool hop_to_file_or_program(struct next_hop *hop, struct str target, struct arena *arena);

/* "Maildir /srv/mail/…", for people. */
struct str hop_describe(const struct next_hop *hop, struct arena *arena);
