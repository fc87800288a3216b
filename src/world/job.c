#include "world/job.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <unistd.h>

enum { PIECES_AT_ONCE = 64, FILE_MODE = 0600, FOLDER_MODE = 0700 };

static int64_t outcome(int returned)
{
    return returned < 0 ? -errno : 0;
}

/* O_NONBLOCK: a FIFO in the place of a file must not hold a thread; files do not mind. */
static int64_t run_open(struct job *job)
{
    unsigned f = job->flags;
    int flags = O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
    flags |= (f & DISK_WRITE) ? (f & DISK_READ) ? O_RDWR : O_WRONLY : O_RDONLY;
    flags |= (f & DISK_CREATE) ? O_CREAT : 0;
    flags |= (f & DISK_EXCLUSIVE) ? O_EXCL : 0;
    flags |= (f & DISK_APPEND) ? O_APPEND : 0;
    flags |= (f & DISK_TRUNCATE) ? O_TRUNC : 0;
    flags |= (f & DISK_NO_FOLLOW) ? O_NOFOLLOW : 0;
    struct disk_file *file = calloc(1, sizeof *file);
    if (!file) {
        return -ENOMEM;
    }
    do {
        file->descriptor = open(job->path, flags, FILE_MODE);
    } while (file->descriptor < 0 && errno == EINTR);
    if (file->descriptor < 0) {
        int error = errno;
        free(file);
        return -error;
    }
    file->append = (f & DISK_APPEND) != 0;
    atomic_init(&file->commits, 0);
    job->file = file;
    return 0;
}

static int64_t run_read(struct job *job)
{
    size_t have = 0;
    while (have < job->into_len) {
        ssize_t n = pread(job->file->descriptor, job->into + have, job->into_len - have,
                          (off_t)(job->offset + have));
        if (n == 0) {
            break;
        }
        if (n < 0 && errno != EINTR) {
            return -errno;
        }
        have += n > 0 ? (size_t)n : 0;
    }
    return (int64_t)have;
}

/* Where the writing stands: `skip` bytes of piece `at` are written. */
struct progress {
    const struct disk_pieces *pieces;
    size_t at;
    size_t skip;
};

static void advance(struct progress *p, size_t written)
{
    while (p->at < p->pieces->count && written >= p->pieces->pieces[p->at].len - p->skip) {
        written -= p->pieces->pieces[p->at].len - p->skip;
        p->skip = 0;
        p->at++;
    }
    p->skip += written;
}

static int next_vector(const struct progress *p, struct iovec vector[PIECES_AT_ONCE])
{
    int count = 0;
    for (size_t i = p->at; i < p->pieces->count && count < PIECES_AT_ONCE; i++) {
        struct str piece = str_tail(p->pieces->pieces[i], i == p->at ? p->skip : 0);
        union { /* writev() writes from what its type could write to */
            const char *from;
            void *base;
        } bytes = {.from = piece.ptr};
        vector[count++] = (struct iovec){.iov_base = bytes.base, .iov_len = piece.len};
    }
    return count;
}

static int64_t run_write(struct job *job)
{
    struct progress p = {.pieces = &job->pieces};
    struct iovec vector[PIECES_AT_ONCE];
    int64_t total = 0;
    for (advance(&p, 0); p.at < p.pieces->count; advance(&p, 0)) {
        int count = next_vector(&p, vector);
        ssize_t n = job->file->append ? writev(job->file->descriptor, vector, count)
                                      : pwritev(job->file->descriptor, vector, count,
                                                (off_t)(job->offset + (uint64_t)total));
        if (n < 0 && errno != EINTR) {
            return -errno;
        }
        if (n == 0) {
            return -EIO;
        }
        if (n > 0) {
            total += n;
            advance(&p, (size_t)n);
        }
    }
    return total;
}

/* fdatasync() writes the size too where it is needed to read the data again. An interrupted one
 * is asked again; a failed one never: the pages may be marked clean by then. */
static int64_t run_sync(const struct job *job)
{
    int failed;
    do {
        failed = fdatasync(job->file->descriptor);
    } while (failed && errno == EINTR);
    return outcome(failed);
}

static int64_t run_lock(const struct job *job)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    int failed;
    do {
        failed = fcntl(job->file->descriptor, F_OFD_SETLK, &lock);
    } while (failed && errno == EINTR);
    return failed && errno == EACCES ? -EAGAIN : outcome(failed);
}

static int64_t take_stat(struct job *job, int returned, const struct stat *st)
{
    if (returned == 0) {
        job->size = (uint64_t)st->st_size;
        job->changed.us = (int64_t)st->st_mtim.tv_sec * 1000000 + st->st_mtim.tv_nsec / 1000;
        job->is_folder = S_ISDIR(st->st_mode);
        job->is_special = !S_ISDIR(st->st_mode) && !S_ISREG(st->st_mode);
    }
    return outcome(returned);
}

static int64_t run_stat(struct job *job)
{
    struct stat st;
    int returned = job->kind == JOB_STAT ? stat(job->path, &st) : fstat(job->file->descriptor, &st);
    return take_stat(job, returned, &st);
}

static int64_t run_list(struct job *job)
{
    DIR *folder = opendir(job->path);
    if (!folder) {
        return -errno;
    }
    errno = 0;
    for (struct dirent *entry; (entry = readdir(folder)); errno = 0) {
        struct str name = str_from_cstr(entry->d_name);
        if (str_eq(name, STR(".")) || str_eq(name, STR(".."))) {
            continue;
        }
        buf_add(&job->names, name);
        buf_add_char(&job->names, '\0');
        job->name_count++;
    }
    int error = errno;
    closedir(folder);
    return job->names.failed ? -ENOMEM : -error;
}

static int make_one(const char *path)
{
    if (mkdir(path, FOLDER_MODE) == 0) {
        return 0;
    }
    int error = errno;
    struct stat st;
    if (error != ENOENT && stat(path, &st) == 0) {
        return S_ISDIR(st.st_mode) ? 0 : -ENOTDIR;
    }
    return -error;
}

static int64_t run_make_folder(const struct job *job)
{
    int error = make_one(job->path);
    if (error != -ENOENT) {
        return error;
    }
    char *path = strdup(job->path);
    if (!path) {
        return -ENOMEM;
    }
    error = 0;
    for (char *c = path; *c && error == 0; c++) {
        if (*c == '/' && c != path) {
            *c = '\0';
            error = make_one(path);
            *c = '/';
        }
    }
    free(path);
    return error ? error : make_one(job->path);
}

static int64_t run_sync_folder(const struct job *job)
{
    int folder = open(job->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0) {
        return -errno;
    }
    int64_t result = outcome(fsync(folder));
    close(folder);
    return result;
}

static int64_t run_remove(const struct job *job)
{
    if (unlink(job->path) == 0) {
        return 0;
    }
    if (errno != EISDIR) {
        return -errno;
    }
    return outcome(rmdir(job->path));
}

static int64_t run_space(struct job *job)
{
    struct statvfs fs;
    if (statvfs(job->path, &fs) != 0) {
        return -errno;
    }
    job->size = (uint64_t)fs.f_bavail * fs.f_frsize;
    job->size_total = (uint64_t)fs.f_blocks * fs.f_frsize;
    return 0;
}

static int64_t run(struct job *job)
{
    switch (job->kind) {
    case JOB_OPEN:
        return run_open(job);
    case JOB_CLOSE:
        close(job->file->descriptor);
        free(job->file);
        return 0;
    case JOB_READ:
        return run_read(job);
    case JOB_WRITE:
        return run_write(job);
    case JOB_WRITE_SYNC: {
        int64_t written = run_write(job);
        int64_t synced = written < 0 ? written : run_sync(job);
        return synced < 0 ? synced : written;
    }
    case JOB_SYNC:
        return run_sync(job);
    case JOB_TRUNCATE:
        return outcome(ftruncate(job->file->descriptor, (off_t)job->offset));
    case JOB_STAT_FILE:
    case JOB_STAT:
        return run_stat(job);
    case JOB_LOCK:
        return run_lock(job);
    case JOB_LIST:
        return run_list(job);
    case JOB_MAKE_FOLDER:
        return run_make_folder(job);
    case JOB_SYNC_FOLDER:
        return run_sync_folder(job);
    case JOB_RENAME:
        return outcome(rename(job->path, job->to));
    case JOB_LINK:
        return outcome(link(job->path, job->to));
    case JOB_REMOVE:
        return run_remove(job);
    case JOB_SPACE:
        return run_space(job);
    case JOB_PERFORM:
        job->performs(job->op, &disk_calls);
        return 0;
    }
    return -EINVAL;
}

void job_run(struct job *job)
{
    job->result = run(job);
}
