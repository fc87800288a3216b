/* inflate.h: gzip (RFC 1952), both ways, in memory. */
#pragma once

#include "core/base/buf.h"

/* Appends what was compressed, at most `limit` octets. False: no gzip, damaged, cut off, or more.
 */
NODISCARD bool gzip_inflate(struct str bytes, size_t limit, struct buf *out);
/* False: no memory. */
NODISCARD bool gzip_deflate(struct str bytes, struct buf *out);
