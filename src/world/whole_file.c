#include "world/whole_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_MAX = 64 << 20, PIECE = 1 << 16 };

static void stamp_from(const struct stat *st, struct file_stamp *stamp)
{
    *stamp = (struct file_stamp){.changed_ns =
                                     (int64_t)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec,
                                 .inode = st->st_ino,
                                 .size = (uint64_t)st->st_size};
}

int file_stamp_of(const char *path, struct file_stamp *stamp)
{
    struct stat st;
    if (stat(path, &st) != 0) {
        return -errno;
    }
    stamp_from(&st, stamp);
    return 0;
}

/* One octet more than the limit is asked for, as the file may grow meanwhile. */
static int read_all(int file, size_t limit, struct buf *out)
{
    size_t start = out->len;
    for (;;) {
        size_t left = limit - (out->len - start);
        size_t want = left < PIECE ? left + 1 : PIECE;
        if (!buf_reserve(out, want)) {
            return -ENOMEM;
        }
        ssize_t n = read(file, out->ptr + out->len, want);
        if (n == 0) {
            return 0;
        }
        if (n < 0 && errno != EINTR) {
            return -errno;
        }
        out->len += n > 0 ? (size_t)n : 0;
        if (out->len - start > limit) {
            return -EFBIG;
        }
    }
}

/* A descriptor, or -errno: not one of what is no file, or too large. */
static int open_file(const char *path, size_t limit, struct stat *st)
{
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (file < 0) {
        return -errno;
    }
    int error = fstat(file, st) != 0            ? -errno
                : S_ISDIR(st->st_mode)          ? -EISDIR
                : !S_ISREG(st->st_mode)         ? -EINVAL
                : (uint64_t)st->st_size > limit ? -EFBIG
                                                : 0;
    if (error) {
        close(file);
        return error;
    }
    return file;
}

int whole_file_check(const char *path)
{
    struct stat st;
    int file = open_file(path, FILE_MAX, &st);
    if (file >= 0) {
        close(file);
    }
    return file < 0 ? file : 0;
}

static int read_file(const char *path, size_t limit, struct buf *out, struct file_stamp *stamp)
{
    struct stat st = {0};
    int file = open_file(path, limit, &st);
    if (file < 0) {
        return file;
    }
    stamp_from(&st, stamp);
    int error = read_all(file, limit, out);
    close(file);
    return error;
}

int whole_file_read(const char *path, struct buf *out, struct file_stamp *stamp)
{
    return read_file(path, FILE_MAX, out, stamp);
}

int whole_file_read_small(const char *path, size_t limit, struct buf *out)
{
    struct file_stamp stamp;
    return read_file(path, limit, out, &stamp);
}

static int write_all(int file, struct str text)
{
    while (text.len > 0) {
        ssize_t n = write(file, text.ptr, text.len);
        if (n < 0 && errno != EINTR) {
            return -errno;
        }
        text = str_tail(text, n > 0 ? (size_t)n : 0);
    }
    return fsync(file) == 0 ? 0 : -errno;
}

/* The new file is the old one's owner's, with its mode; only root can give files away, and then a
 * failure counts. */
static int take_over(int file, const char *path)
{
    struct stat st;
    if (stat(path, &st) != 0) {
        return errno == ENOENT ? 0 : -errno;
    }
    if (fchmod(file, st.st_mode & 07777) != 0) {
        return -errno;
    }
    return fchown(file, st.st_uid, st.st_gid) == 0 || geteuid() != 0 ? 0 : -errno;
}

static int sync_folder(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *folder = slash ? strndup(path, slash == path ? 1 : (size_t)(slash - path)) : strdup(".");
    int open_folder = folder ? open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    int error = open_folder < 0 ? (folder ? -errno : -ENOMEM) : 0;
    if (!error && fsync(open_folder) != 0) {
        error = -errno;
    }
    if (open_folder >= 0) {
        close(open_folder);
    }
    free(folder);
    return error;
}

int whole_file_replace(const char *path, struct str text)
{
    struct buf name = {0};
    buf_add_format(&name, "%s.XXXXXX", path);
    buf_add_char(&name, '\0');
    if (name.failed) {
        return -ENOMEM;
    }
    int file = mkostemp(name.ptr, O_CLOEXEC);
    int error = file < 0 ? -errno : take_over(file, path);
    if (file >= 0) {
        error = error ? error : write_all(file, text);
        close(file);
        if (!error && rename(name.ptr, path) != 0) {
            error = -errno;
        }
        if (error) {
            (void)unlink(name.ptr);
        }
    }
    buf_done(&name);
    return error ? error : sync_folder(path);
}

/* A rename may replace the file between open and lock; then it is locked again. */
int whole_file_lock(const char *path)
{
    for (;;) {
        int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        if (file < 0) {
            return -errno;
        }
        struct stat locked, now;
        if (flock(file, LOCK_EX) == 0 && fstat(file, &locked) == 0 && stat(path, &now) == 0 &&
            locked.st_ino == now.st_ino) {
            return file;
        }
        close(file);
    }
}

void whole_file_unlock(int lock)
{
    close(lock);
}
