#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>

#include "world/job.h"

/* A path as the system wants it. */
struct name {
    char text[PATH_MAX];
};

static int64_t run(struct job *job)
{
    job_run(job);
    return job->result;
}

static const char *set_name(struct name *name, struct str path)
{
    if (path.len == 0 || path.len >= sizeof name->text || str_find(path, '\0') != STR_NONE) {
        return NULL;
    }
    memcpy(name->text, path.ptr, path.len);
    name->text[path.len] = '\0';
    return name->text;
}

static int64_t run_named(struct job *job, struct str path)
{
    struct name name;
    job->path = set_name(&name, path);
    return job->path ? run(job) : -ENAMETOOLONG;
}

static int64_t do_create(struct disk_calls *calls, struct str path, struct disk_file **file)
{
    (void)calls;
    struct job job = {.kind = JOB_OPEN, .flags = DISK_WRITE | DISK_CREATE | DISK_EXCLUSIVE};
    int64_t result = run_named(&job, path);
    if (result == 0) {
        *file = job.file;
    }
    return result;
}

static int64_t do_write(struct disk_calls *calls, struct disk_file *file, uint64_t offset,
                        struct str bytes)
{
    (void)calls;
    return run(&(struct job){.kind = JOB_WRITE,
                             .file = file,
                             .offset = offset,
                             .pieces = {.pieces = &bytes, .count = 1}});
}

/* Only to save time: files that are on their way together share the disk's flush and the file
 * system's commit. sync() tells what went wrong. */
static void do_begin_sync(struct disk_calls *calls, struct disk_file *file)
{
    (void)calls;
#ifdef SYNC_FILE_RANGE_WRITE
    (void)sync_file_range(file->descriptor, 0, 0, SYNC_FILE_RANGE_WRITE);
#else
    (void)file;
#endif
}

static int64_t do_sync(struct disk_calls *calls, struct disk_file *file)
{
    (void)calls;
    return run(&(struct job){.kind = JOB_SYNC, .file = file});
}

static void do_close(struct disk_calls *calls, struct disk_file *file)
{
    (void)calls;
    (void)run(&(struct job){.kind = JOB_CLOSE, .file = file});
}

static int64_t do_rename(struct disk_calls *calls, struct str from, struct str to)
{
    (void)calls;
    struct name target;
    struct job job = {.kind = JOB_RENAME, .to = set_name(&target, to)};
    return job.to ? run_named(&job, from) : -ENAMETOOLONG;
}

static int64_t do_sync_folder(struct disk_calls *calls, struct str path)
{
    (void)calls;
    return run_named(&(struct job){.kind = JOB_SYNC_FOLDER}, path);
}

static int64_t do_remove(struct disk_calls *calls, struct str path)
{
    (void)calls;
    return run_named(&(struct job){.kind = JOB_REMOVE}, path);
}

struct disk_calls disk_calls = {
    .create = do_create,
    .write = do_write,
    .begin_sync = do_begin_sync,
    .sync = do_sync,
    .close = do_close,
    .rename = do_rename,
    .sync_folder = do_sync_folder,
    .remove = do_remove,
};
