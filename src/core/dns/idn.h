/* idn.h: internationalised domain names (RFC 5890): what people write to what the DNS knows. */
#pragma once

#include "core/base/buf.h"

/* Appends the name in A-labels and lower case: "Bücher.example" as "xn--bcher-kva.example". A name
 * in ASCII is only made lower case. False: not a name by IDNA 2008 (UTS 46, non-transitional), or
 * no memory; nothing is then appended. */
NODISCARD bool idn_to_ascii(struct buf *out, struct str domain);
