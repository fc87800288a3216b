#include "world/disk.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "world/job.h"

static struct loop_disk *from_port(struct disk *disk)
{
    return CONTAINER_OF(disk, struct loop_disk, port);
}

static void free_job(struct job *job)
{
    list_remove(&job->node);
    buf_done(&job->names);
    free(job);
}

/* The names, copied into the asker's arena here, on its own thread. */
static int64_t hand_out_names(struct disk_op *op, const struct job *job)
{
    struct str rest = buf_str(&job->names);
    op->names = arena_array(op->names_in, job->name_count ? job->name_count : 1, sizeof *op->names);
    op->name_count = 0;
    if (!op->names) {
        return -ENOMEM;
    }
    while (op->name_count < job->name_count) {
        struct str copy = arena_copy(op->names_in, str_split(&rest, '\0'));
        if (!copy.ptr) {
            return -ENOMEM;
        }
        op->names[op->name_count++] = copy;
    }
    return 0;
}

static void finish(struct job *job)
{
    struct disk_op *op = job->op;
    if (!op) {
        free_job(job);
        return;
    }
    op->impl = NULL;
    op->result = job->result;
    if (op->result >= 0) {
        if (job->kind == JOB_OPEN) {
            op->file = job->file;
        } else if (job->kind == JOB_LIST) {
            op->result = hand_out_names(op, job);
        } else if (job->kind == JOB_SPACE || job->kind == JOB_STAT || job->kind == JOB_STAT_FILE) {
            op->size = job->size;
            op->size_total = job->size_total;
            op->changed = job->changed;
            op->is_folder = job->is_folder;
            op->is_special = job->is_special;
        }
    }
    free_job(job);
    op->done(op);
}

/* At the end of the loop nobody is told, but what was opened is closed. */
static void forget(struct job *job)
{
    if (job->kind == JOB_OPEN && job->result == 0 && job->file) {
        close(job->file->descriptor);
        free(job->file);
    }
    free_job(job);
}

static void in_pool(uv_work_t *work)
{
    job_run(work->data);
}

static void after_pool(uv_work_t *work, int status)
{
    struct job *job = work->data;
    if (job->disk->loop->closing) {
        if (status == 0) {
            forget(job);
        } else {
            free_job(job);
        }
    } else {
        finish(job);
    }
}

static void after_committer(struct parcel *parcel)
{
    finish(CONTAINER_OF(parcel, struct job, finished));
}

static void on_starved(struct soon *soon)
{
    struct loop_disk *d = CONTAINER_OF(soon, struct loop_disk, starved_soon);
    for (struct disk_op *op; (op = d->starved);) {
        d->starved = op->impl;
        op->impl = NULL;
        op->done(op);
    }
}

/* An operation that fails before it began: told at the next turn. Their order does not matter. */
static void refuse(struct loop_disk *d, struct disk_op *op, int error)
{
    op->result = error;
    op->impl = d->starved;
    d->starved = op;
    loop_soon(d->loop, &d->starved_soon);
}

static bool copy_path(char **at, const char **out, struct str path)
{
    if (path.len == 0 || str_find(path, '\0') != STR_NONE) {
        return false;
    }
    memcpy(*at, path.ptr, path.len);
    (*at)[path.len] = '\0';
    *out = *at;
    *at += path.len + 1;
    return true;
}

/* What a job is, before it is on the heap. */
struct wish {
    enum job_kind kind;
    struct disk_file *file;
    struct str path;
    struct str to;
    uint64_t offset;
    unsigned flags;
    struct str into;
    const struct disk_pieces *pieces;
    void (*work)(struct disk_op *op, struct disk_calls *calls);
};

static struct job *new_job(struct loop_disk *d, struct disk_op *op, const struct wish *w)
{
    struct job *job = calloc(1, sizeof *job + w->path.len + w->to.len + 2);
    if (!job) {
        refuse(d, op, -ENOMEM);
        return NULL;
    }
    char *at = (char *)(job + 1);
    if ((!w->file && !w->work && !copy_path(&at, &job->path, w->path)) ||
        ((w->kind == JOB_RENAME || w->kind == JOB_LINK) && !copy_path(&at, &job->to, w->to))) {
        free(job);
        refuse(d, op, w->path.len ? -EINVAL : -ENOENT);
        return NULL;
    }
    union { /* what read() fills comes as a slice */
        const char *from;
        char *to;
    } into = {.from = w->into.ptr};
    job->kind = w->kind;
    job->op = op;
    job->disk = d;
    job->file = w->file;
    job->offset = w->offset;
    job->flags = w->flags;
    job->into = into.to;
    job->into_len = w->into.len;
    job->pieces = w->pieces ? *w->pieces : (struct disk_pieces){0};
    job->performs = w->work;
    job->result = -ECANCELED;
    job->work.data = job;
    job->finished.open = after_committer;
    op->impl = job;
    list_append(&d->jobs, &job->node);
    return job;
}

static void ask(struct loop_disk *d, struct disk_op *op, const struct wish *w)
{
    struct job *job = new_job(d, op, w);
    if (job && uv_queue_work(&d->loop->uv, &job->work, in_pool, after_pool) != 0) {
        free_job(job);
        refuse(d, op, -ENOMEM);
    }
}

static void op_open(struct disk *disk, struct disk_op *op, struct str path, unsigned flags)
{
    op->file = NULL;
    ask(from_port(disk), op, &(struct wish){.kind = JOB_OPEN, .path = path, .flags = flags});
}

/* On a network file system close() can wait, so it is the pool's, if there is memory to say so. */
static void op_close(struct disk *disk, struct disk_file *file)
{
    struct loop_disk *d = from_port(disk);
    struct job *job = file ? calloc(1, sizeof *job) : NULL;
    if (job) {
        job->kind = JOB_CLOSE;
        job->disk = d;
        job->file = file;
        job->work.data = job;
        list_append(&d->jobs, &job->node);
        if (uv_queue_work(&d->loop->uv, &job->work, in_pool, after_pool) == 0) {
            return;
        }
        free_job(job);
    }
    if (file) {
        close(file->descriptor);
        free(file);
    }
}

static void op_read(struct disk *disk, struct disk_op *op, struct disk_file *file, uint64_t offset,
                    struct str into)
{
    ask(from_port(disk), op,
        &(struct wish){.kind = JOB_READ, .file = file, .offset = offset, .into = into});
}

static void op_write(struct disk *disk, struct disk_op *op, struct disk_file *file, uint64_t offset,
                     const struct disk_pieces *pieces)
{
    ask(from_port(disk), op,
        &(struct wish){.kind = JOB_WRITE, .file = file, .offset = offset, .pieces = pieces});
}

/* A file that is committed to again and again is a log, and its commits are what sessions wait
 * for: from the second on they are the committer's. A file that is committed once, a message in a
 * mailbox, must not stand in their way, and is the pool's. */
static void op_write_sync(struct disk *disk, struct disk_op *op, struct disk_file *file,
                          uint64_t offset, const struct disk_pieces *pieces)
{
    struct loop_disk *d = from_port(disk);
    struct wish w = {.kind = JOB_WRITE_SYNC, .file = file, .offset = offset, .pieces = pieces};
    bool again = atomic_fetch_add(&file->commits, 1) > 0;
    if (again && !d->committer) {
        d->committer = committer_start(d->loop->ports.inbox);
    }
    if (!again || !d->committer) {
        ask(d, op, &w);
        return;
    }
    struct job *job = new_job(d, op, &w);
    if (job) {
        committer_add(d->committer, job);
    }
}

static void op_sync(struct disk *disk, struct disk_op *op, struct disk_file *file)
{
    ask(from_port(disk), op, &(struct wish){.kind = JOB_SYNC, .file = file});
}

static void op_truncate(struct disk *disk, struct disk_op *op, struct disk_file *file,
                        uint64_t size)
{
    ask(from_port(disk), op, &(struct wish){.kind = JOB_TRUNCATE, .file = file, .offset = size});
}

static void op_stat_file(struct disk *disk, struct disk_op *op, struct disk_file *file)
{
    ask(from_port(disk), op, &(struct wish){.kind = JOB_STAT_FILE, .file = file});
}

static void op_lock(struct disk *disk, struct disk_op *op, struct disk_file *file)
{
    ask(from_port(disk), op, &(struct wish){.kind = JOB_LOCK, .file = file});
}

static void op_stat(struct disk *disk, struct disk_op *op, struct str path)
{
    ask(from_port(disk), op, &(struct wish){.kind = JOB_STAT, .path = path});
}

static void op_list(struct disk *disk, struct disk_op *op, struct str path)
{
    op->name_count = 0;
    ask(from_port(disk), op, &(struct wish){.kind = JOB_LIST, .path = path});
}

static void op_make_folder(struct disk *disk, struct disk_op *op, struct str path)
{
    ask(from_port(disk), op, &(struct wish){.kind = JOB_MAKE_FOLDER, .path = path});
}

static void op_sync_folder(struct disk *disk, struct disk_op *op, struct str path)
{
    ask(from_port(disk), op, &(struct wish){.kind = JOB_SYNC_FOLDER, .path = path});
}

static void op_rename(struct disk *disk, struct disk_op *op, struct str from, struct str to)
{
    ask(from_port(disk), op, &(struct wish){.kind = JOB_RENAME, .path = from, .to = to});
}

static void op_link(struct disk *disk, struct disk_op *op, struct str from, struct str to)
{
    ask(from_port(disk), op, &(struct wish){.kind = JOB_LINK, .path = from, .to = to});
}

static void op_remove(struct disk *disk, struct disk_op *op, struct str path)
{
    ask(from_port(disk), op, &(struct wish){.kind = JOB_REMOVE, .path = path});
}

static void op_space(struct disk *disk, struct disk_op *op, struct str path)
{
    ask(from_port(disk), op, &(struct wish){.kind = JOB_SPACE, .path = path});
}

static void op_perform(struct disk *disk, struct disk_op *op,
                       void (*work)(struct disk_op *op, struct disk_calls *calls))
{
    ask(from_port(disk), op, &(struct wish){.kind = JOB_PERFORM, .work = work});
}

void loop_disk_init(struct loop_disk *d, struct loop *loop)
{
    d->port = (struct disk){
        .open = op_open,
        .close = op_close,
        .read = op_read,
        .write = op_write,
        .write_sync = op_write_sync,
        .sync = op_sync,
        .truncate = op_truncate,
        .stat_file = op_stat_file,
        .lock = op_lock,
        .stat = op_stat,
        .list = op_list,
        .make_folder = op_make_folder,
        .sync_folder = op_sync_folder,
        .rename = op_rename,
        .link = op_link,
        .remove = op_remove,
        .space = op_space,
        .perform = op_perform,
    };
    d->loop = loop;
    d->starved_soon.run = on_starved;
    list_init(&d->jobs);
}

void loop_disk_close(struct loop_disk *d)
{
    committer_stop(d->committer);
    d->committer = NULL;
}

/* What is left came back from the committer when nobody opened parcels any more. */
void loop_disk_done(struct loop_disk *d)
{
    LIST_EACH (node, &d->jobs) {
        free_job(CONTAINER_OF(node, struct job, node));
    }
}
