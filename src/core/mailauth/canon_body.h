/* canon_body.h: a message's body as a signature sees it (RFC 6376 section 3.4.3, 3.4.4), as a
 * stream: any pieces in, canonical pieces out, nothing kept but a count. A line may end in CRLF or
 * LF; the canonical one ends in CRLF. Linear, and never more than two octets out for one in. */
#pragma once

#include "core/base/str.h"

struct canon_body {
    bool relaxed;
    bool has_limit;
    uint64_t limit; /* l=: no more than so many octets come out */

    uint64_t length; /* of the canonical body so far, the limit aside */

    /* Its own: */
    uint64_t owed; /* line ends that count only if something follows */
    bool space;    /* relaxed: likewise a blank */
    bool cr;       /* the last octet was a CR */
    bool content, ended;
};

enum { CANON_ROOM = 2 }; /* `cap` must be so much at least */

/* Takes from `*in` as much as `out` has room for; returns how many octets are in `out`. Again,
 * until
 * `*in` is empty; then the body's next piece. */
size_t canon_body_take(struct canon_body *c, struct str *in, char *out, size_t cap);
/* After the last piece: again, until it returns 0. */
size_t canon_body_end(struct canon_body *c, char *out, size_t cap);
