#include "sim/disk_inside.h"

#include <errno.h>

struct performance {
    struct disk_calls calls;
    struct sim_disk *d;
    uint64_t left; /* calls that still have an effect */
};

static struct performance *of(struct disk_calls *calls)
{
    return CONTAINER_OF(calls, struct performance, calls);
}

static int64_t run(struct performance *p, struct job *job)
{
    struct sim_disk *d = p->d;
    if (d->dead || p->left == 0) {
        return -EIO;
    }
    p->left--;
    uint64_t number = ++d->calls;
    if (d->cut_at && number == d->cut_at) {
        sim_disk_cut(d);
        return -EIO;
    }
    if (d->fail_at && number == d->fail_at) {
        return d->fail_error;
    }
    job->d = d;
    return disk_job_run(job);
}

static int64_t do_create(struct disk_calls *calls, struct str path, struct disk_file **file)
{
    struct disk_op op = {0};
    struct job job = {.kind = JOB_OPEN,
                      .op = &op,
                      .path = path,
                      .flags = DISK_WRITE | DISK_CREATE | DISK_EXCLUSIVE};
    int64_t result = run(of(calls), &job);
    if (result == 0) {
        *file = op.file;
    }
    return result;
}

static int64_t do_write(struct disk_calls *calls, struct disk_file *file, uint64_t offset,
                        struct str bytes)
{
    const struct disk_pieces pieces = {&bytes, 1};
    return run(
        of(calls),
        &(struct job){.kind = JOB_WRITE, .handle = file, .offset = offset, .pieces = &pieces});
}

static void do_begin_sync(struct disk_calls *calls, struct disk_file *file)
{
    (void)calls, (void)file; /* promises nothing */
}

static int64_t do_sync(struct disk_calls *calls, struct disk_file *file)
{
    return run(of(calls), &(struct job){.kind = JOB_SYNC, .handle = file});
}

static void do_close(struct disk_calls *calls, struct disk_file *file)
{
    struct disk *disk = &of(calls)->d->disk;
    disk->close(disk, file);
}

static int64_t do_rename(struct disk_calls *calls, struct str from, struct str to)
{
    return run(of(calls), &(struct job){.kind = JOB_RENAME, .path = from, .to = to});
}

static int64_t do_sync_folder(struct disk_calls *calls, struct str path)
{
    return run(of(calls), &(struct job){.kind = JOB_SYNC_FOLDER, .path = path});
}

static int64_t do_remove(struct disk_calls *calls, struct str path)
{
    return run(of(calls), &(struct job){.kind = JOB_REMOVE, .path = path});
}

int64_t disk_perform(struct job *j, uint64_t calls)
{
    struct performance p = {
        .calls = {.create = do_create,
                  .write = do_write,
                  .begin_sync = do_begin_sync,
                  .sync = do_sync,
                  .close = do_close,
                  .rename = do_rename,
                  .sync_folder = do_sync_folder,
                  .remove = do_remove},
        .d = j->d,
        .left = calls,
    };
    j->work(j->op, &p.calls);
    return 0;
}
