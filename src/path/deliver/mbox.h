/* mbox.h: the line that begins a message in an mbox (RFC 4155). The delivery itself is
 * mbox_deliver() of local_delivery.h: locked (mbox_lock.h), appended with mboxrd quoting
 * (mbox_quote.h) and an empty line behind, synced; only then is it delivered. What cannot be
 * written whole is taken back. A crash may leave a torn message at the end; the next one begins on
 * a line of its own. */
#pragma once

#include "core/base/buf.h"
#include "core/base/instant.h"

/* "From sender Tue Nov 24 05:11:52 2026\n": UTC, no colon; MAILER-DAEMON for the null reverse-path,
 * and what is no visible character "_", so that the sender stays one word. */
void mbox_from_line(struct buf *out, struct str sender, struct instant when);
