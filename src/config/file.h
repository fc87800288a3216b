/* file.h: small files read whole, for the configuration. */
#pragma once

#include "core/base/buf.h"

/* Appends the file to `out`. 0, or -errno with nothing appended: -EFBIG where it is larger than
 * `limit` octets, -EISDIR for a folder, -EINVAL for a device, FIFO or socket (which are not
 * waited for), -ENOMEM. Symbolic links are followed. Blocks: for start and reload alone. */
NODISCARD int file_read(struct str path, size_t limit, struct buf *out);
