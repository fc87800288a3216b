/* transfer_encoding.h: quoted-printable and base64 as the bodies of MIME parts (RFC 2045 6.7, 6.8).
 */
#pragma once

#include "core/base/buf.h"

/* Lines of at most 76 characters that end with CRLF. In quoted-printable CRLF stays a line end;
 * a CR or LF alone is encoded. */
void quoted_printable_encode(struct buf *out, struct str bytes);
void base64_lines_encode(struct buf *out, struct str bytes);
/* Back again; false where the text is not of the form (what came before was appended). */
NODISCARD bool quoted_printable_decode(struct buf *out, struct str text);
