/* utf8.h: UTF-8 as RFC 3629 section 4 has it: no overlong forms, no surrogates, nothing beyond
 * U+10FFFF. */
#pragma once

#include "core/base/str.h"

/* Octets (2 to 4) of the well-formed character beyond ASCII that `s` begins with, or 0 where it
 * begins with ASCII, with something malformed, or is empty. */
size_t utf8_beyond_ascii(struct str s);

bool str_has_high_octet(struct str s); /* any octet above 0x7f */
bool utf8_valid(struct str s);         /* ASCII is */
