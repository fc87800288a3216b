/* crc32c.h: CRC-32C (Castagnoli), as in RFC 3720 appendix B.4. Start with `crc` 0 or a seed; pass
 * the result on to continue over further bytes. */
#pragma once

#include "core/base/str.h"

uint32_t crc32c(uint32_t crc, struct str bytes);
