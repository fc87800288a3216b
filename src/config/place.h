/* place.h: where mail goes, from its text in the configuration: a domain's `mailboxes` and a
 * transport's `to`. On failure nothing is written but `*reason`, a fixed text that says what was
 * expected; it is null where memory failed. What is made borrows from the arena, not from `text`.
 */
#pragma once

#include "config/config.h"

enum { PLACE_LMTP_PORT = 24, PLACE_SMTPS_PORT = 465, PLACE_ARGUMENTS_MAX = 64 };

/* "maildir:PATH", "mbox:PATH", "lmtp:HOST[:PORT]", "lmtp:[V6][:PORT]", "lmtp:unix:PATH",
 * "pipe:PROGRAM ARGUMENT ...", "discard:". Paths and arguments are templates
 * (path/route/template.h): {domain}, {local}, {user}, {tag}, {sender}, and no other name in braces.
 * A program's words are cut at blanks, but within '…' or "…"; there is no shell, and the program is
 * an absolute path without template. */
NODISCARD bool place_parse_mailboxes(struct str text, struct arena *arena,
                                     struct config_mailboxes *mailboxes, const char **reason);

/* "smtp://HOST[:PORT]", "smtp://[V6][:PORT]", "smtps://…" (implicit TLS), "lmtp://…" likewise,
 * "lmtp:unix:PATH", "mx" (the domain's own MX records), "mx:DOMAIN" (that one's), "discard:",
 * "error:TEXT". Sets kind, host, port (0: not given) and path; leaves `match` alone. */
NODISCARD bool place_parse_transport(struct str text, struct arena *arena,
                                     struct config_transport *transport, const char **reason);
