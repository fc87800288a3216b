/* convert.h: a message for a next hop that lacks 8BITMIME or BINARYMIME (RFC 6152 section 3, RFC
 * 3030 section 3): its parts in quoted-printable or base64, all else as it was. */
#pragma once

#include "core/base/buf.h"
#include "core/mail/envelope.h"

enum { CONVERT_DEPTH_MAX = 16, CONVERT_PARTS_MAX = 10000 };

enum convert_result {
    CONVERT_OK,
    CONVERT_IMPOSSIBLE, /* its structure forbids it (signed, encrypted, partial), or is damaged */
    CONVERT_NO_MEMORY,
};

/* Appends the whole message in a form that `target` (BODY_7BIT or BODY_8BITMIME) can carry: short
 * lines that end with CRLF, no NUL, and for 7BIT no octet beyond ASCII. On failure `out` holds a
 * part of it. */
NODISCARD enum convert_result convert_body(struct str message, enum envelope_body target,
                                           struct buf *out);
