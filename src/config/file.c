#include "config/file.h"

#include "core/base/arena.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PIECE = 64 << 10 };

static int refuse_unless_regular(const struct stat *st)
{
    if (S_ISREG(st->st_mode)) {
        return 0;
    }
    return S_ISDIR(st->st_mode) ? -EISDIR : -EINVAL;
}

/* Looked at before, for to open a device can already do something; looked at again after, for a
 * file of :include: may belong to a user who exchanges it meanwhile. O_NONBLOCK: a FIFO put there
 * must not hold up the server. */
static int open_regular(const char *path, size_t limit)
{
    struct stat st;
    int error = stat(path, &st) == 0 ? refuse_unless_regular(&st) : -errno;
    if (error) {
        return error;
    }
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0) {
        return -errno;
    }
    error = fstat(fd, &st) == 0 ? refuse_unless_regular(&st) : -errno;
    if (!error && (uint64_t)st.st_size > limit) {
        error = -EFBIG;
    }
    if (error) {
        (void)close(fd);
        return error;
    }
    return fd;
}

/* One byte more than the limit is asked for, for the file may have grown. */
static int read_all(int fd, size_t limit, struct buf *out)
{
    size_t start = out->len;
    for (;;) {
        size_t left = limit - (out->len - start);
        size_t want = left < PIECE ? left + 1 : PIECE;
        if (!buf_reserve(out, want)) {
            return -ENOMEM;
        }
        ssize_t n = read(fd, out->ptr + out->len, want);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return -errno;
        }
        if (n == 0) {
            return 0;
        }
        if ((size_t)n > left) {
            return -EFBIG;
        }
        out->len += (size_t)n;
    }
}

int file_read(struct str path, size_t limit, struct buf *out)
{
    if (out->failed) {
        return -ENOMEM;
    }
    if (path.len == 0 || str_find(path, '\0') != STR_NONE) {
        return path.len == 0 ? -ENOENT : -EINVAL;
    }
    struct arena arena = {0};
    struct str name = arena_copy(&arena, path); /* with its NUL */
    int fd = name.ptr ? open_regular(name.ptr, limit) : -ENOMEM;
    arena_done(&arena);
    if (fd < 0) {
        return fd;
    }
    size_t start = out->len;
    int error = read_all(fd, limit, out);
    (void)close(fd);
    if (error) {
        out->len = start;
        out->failed = false;
    }
    return error;
}
