/* mbox_quote.h: a message as it stands in an mbox (RFC 4155, "mboxrd"): every line that begins with
 * any number of ">" and then "From " gets one ">" more, so that taking one off gives the message
 * back, and a line "From " begins the next message and nothing else. Fed in pieces, of any size,
 * it holds back at most five octets. */
#pragma once

#include "core/base/buf.h"

/* Zeroed: at the start of a message. */
struct mbox_quoter {
    bool in_line;    /* past the place where "From " would count */
    uint8_t matched; /* octets of "From " that came at that place and are held back */
    bool open;       /* what came last was no LF */
};

/* Appends what `text` (lines ended by LF) becomes. */
void mbox_quote(struct mbox_quoter *q, struct str text, struct buf *out);
/* The end: what was held back, and a LF where the last line has none. */
void mbox_quote_end(struct mbox_quoter *q, struct buf *out);
