/* secure.h: TLS in a session (RFC 3207, RFC 8314). After STARTTLS nothing that was said before
 * counts, and what came in the same breath ends the session: it was not private, and a server that
 * took it up afterwards would obey whoever stands in between. */
#pragma once

#include "path/session/session_inside.h"

/* May STARTTLS be offered now? */
bool secure_may_offer(const struct session *s);
/* The stream becomes TLS's, the handshake begins at the next resume. False: no memory. */
NODISCARD bool secure_begin(struct session *s);
enum { HANDSHAKES_MAX = 1000 }; /* on a loop; each takes 50 KiB */

/* Whether one more handshake may begin. Where there are HANDSHAKES_MAX whose clients have said
 * nothing by TLS yet, the oldest ends if it has had its time. Nothing may be on its way into a
 * stream. */
NODISCARD bool secure_has_room(struct session_office *office);
/* The client has said something by TLS, or is gone. Fine twice. */
void secure_settled(struct session *s);
/* STARTTLS came; `behind` octets came with it. */
void secure_on_starttls(struct session *s, size_t behind);
