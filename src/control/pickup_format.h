/* pickup_format.h: a message as `postrider send` leaves it in the pickup folder while the server is
 * down: a line that names the format, the envelope's length and bytes, then the message up to the
 * file's end. */
#pragma once

#include "core/mail/envelope.h"

enum { PICKUP_HEAD_MAX = 1 << 20 }; /* octets before the message */

/* Appends all that stands before the message. */
void pickup_format_head(struct buf *out, const struct envelope *e);
/* Reads it back from a file's first bytes: slices of `bytes`, arrays in `arena`; `*head` is how
 * many octets stand before the message. False: damaged, more than PICKUP_HEAD_MAX, or no envelope
 * that could have come by SMTP: an address that is none, a control character, a report. */
NODISCARD bool pickup_read_head(struct str bytes, struct arena *arena, struct envelope *e,
                                size_t *head);
