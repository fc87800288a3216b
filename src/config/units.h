/* units.h: sizes and times as people write them in the configuration. Parsers take the whole text
 * or nothing, and refuse what does not fit the type. */
#pragma once

#include "core/base/buf.h"
#include "core/base/instant.h"

/* Octets: "0", "4096", "64 KiB", "50MiB", "1GB". KB, MB, GB, TB are powers of 1000, KiB, MiB, GiB,
 * TiB of 1024, and so are K, M, G, T alone; "B" for octets may stand too. Any case. */
NODISCARD bool text_size(struct str text, uint64_t *size);
/* "250ms", "5m", "1h30m", "5d": units w, d, h, m, s, ms, us, each once,
 * the largest first, spaces allowed between. A bare number is refused, but for "0". */
NODISCARD bool text_span(struct str text, struct span *span);

/* Back to a short text that means exactly the same: "50MiB", "1GB", "1h30m", "5d". */
void size_format(struct buf *out, uint64_t size);
void span_format(struct buf *out, struct span span); /* a negative one with a "-" before it */
