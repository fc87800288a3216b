/* encode.h: texts that stand for bytes. All append to `out`; decoders return false on input that is
 * not exactly of the form and may then have appended a part. */
#pragma once

#include "core/base/buf.h"

/* Base64 (RFC 4648 section 4), padded, without line breaks. */
void base64_encode(struct buf *out, struct str bytes);
NODISCARD bool base64_decode(struct buf *out, struct str text);

/* xtext (RFC 3461 section 4): "+" and two upper-case hex digits for what may not stand as itself.
 */
void xtext_encode(struct buf *out, struct str bytes);
NODISCARD bool xtext_decode(struct buf *out, struct str text);

/* Lower-case hex digits. */
void hex_encode(struct buf *out, struct str bytes);
