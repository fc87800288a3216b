/* whole_file.h: small files read and replaced as a whole. Blocks. All return 0 or -errno. */
#pragma once

#include "core/base/buf.h"

/* Tells one state of a file from another. Compared by memcmp(): every byte is set. */
struct file_stamp {
    int64_t changed_ns;
    uint64_t inode;
    uint64_t size;
};

NODISCARD int file_stamp_of(const char *path, struct file_stamp *stamp);
/* Appends it, at most 64 MiB (-EFBIG). A folder is -EISDIR, what else is no file (a FIFO, a device)
 * -EINVAL, and not waited for. */
NODISCARD int whole_file_read(const char *path, struct buf *out, struct file_stamp *stamp);
/* The same of a small file, with a limit in octets. */
NODISCARD int whole_file_read_small(const char *path, size_t limit, struct buf *out);
/* Whether a library that opens and reads it by itself may be given it: a file that may be read, no
 * FIFO and no device, of at most 64 MiB. */
NODISCARD int whole_file_check(const char *path);
/* Beside it, synced, then renamed over it; owner and mode stay. A reader sees old or new. */
NODISCARD int whole_file_replace(const char *path, struct str text);
/* Made (mode 0600) if it is not there. A descriptor, or -errno; waits for another holder. */
NODISCARD int whole_file_lock(const char *path);
void whole_file_unlock(int lock);
