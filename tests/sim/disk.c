#include "sim/disk_inside.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* How many calls of a work a death leaves time for: fewer than this. */
enum { PERFORMED = 20 };

static int64_t run_open(struct job *j)
{
    struct disk_store *s = &j->d->store;
    struct stored_file *f = disk_store_file(s, j->path);
    if (f && f->is_folder) {
        return -EISDIR;
    }
    if (f && j->flags & DISK_EXCLUSIVE) {
        return -EEXIST;
    }
    if (!f) {
        if (!(j->flags & DISK_CREATE)) {
            return -ENOENT;
        }
        f = disk_store_make(s, false);
        f->refs++;
        int named = disk_store_name(s, j->path, f);
        f->refs--;
        if (named < 0) {
            f->refs++;
            disk_store_drop(s, f);
            return named;
        }
    }
    if (j->flags & DISK_TRUNCATE) {
        (void)disk_store_resize(s, f, 0);
    }
    struct disk_file *handle = calloc(1, sizeof *handle);
    *handle = (struct disk_file){j->d, f, j->flags};
    f->refs++;
    j->op->file = handle;
    return 0;
}

static int64_t run_read(struct job *j)
{
    struct stored_file *f = j->handle->file;
    if (j->d->reads_fail_in && disk_store_draw(&j->d->store) % j->d->reads_fail_in == 0) {
        return -EIO;
    }
    if (j->offset >= f->size) {
        return 0;
    }
    size_t n = f->size - (size_t)j->offset;
    n = n < j->into.len ? n : j->into.len;
    char *into = NULL; /* the port's contract: into.ptr is written to */
    memcpy(&into, &j->into.ptr, sizeof into);
    memcpy(into, f->now + j->offset, n);
    return (int64_t)n;
}

static int64_t run_write(struct job *j, bool torn)
{
    struct stored_file *f = j->handle->file;
    size_t at = j->handle->flags & DISK_APPEND ? f->size : (size_t)j->offset;
    bool fails = j->d->write_fails_at && ++j->d->writes == j->d->write_fails_at;
    for (size_t i = 0; i < j->pieces->count; i++) {
        int result = disk_store_write(&j->d->store, f, at, j->pieces->pieces[i], torn || fails);
        if (result < 0) {
            return result;
        }
        at += j->pieces->pieces[i].len;
    }
    f->changed_us = j->d->clock ? j->d->clock->wall(j->d->clock).us : 0;
    return fails ? -ENOSPC : 0;
}

static int64_t run_sync(struct job *j)
{
    struct sim_disk *d = j->d;
    uint64_t times = d->syncs_fail_times ? d->syncs_fail_times : 1;
    d->syncs++;
    bool fails =
        d->sync_fails_at && d->syncs >= d->sync_fails_at && d->syncs < d->sync_fails_at + times;
    if (fails || d->syncs_fail) {
        disk_store_sync_failed(&d->store, j->handle->file);
        return -EIO;
    }
    disk_store_sync(j->handle->file);
    return 0;
}

static int64_t run_lock(struct job *j)
{
    struct stored_file *f = j->handle->file;
    if (f->locked_by && f->locked_by != j->handle) {
        return -EAGAIN;
    }
    f->locked_by = j->handle;
    return 0;
}

static int64_t stat_of(struct disk_op *op, const struct stored_file *f)
{
    if (!f) {
        return -ENOENT;
    }
    op->size = f->size;
    op->is_folder = f->is_folder;
    op->changed = (struct instant){f->changed_us};
    return 0;
}

/* The name within `folder`, or empty. */
static struct str name_in(struct str path, struct str folder)
{
    if (!str_starts(path, folder) || path.len <= folder.len + 1 || path.ptr[folder.len] != '/') {
        return (struct str){0};
    }
    struct str name = str_tail(path, folder.len + 1);
    return str_find(name, '/') == STR_NONE ? name : (struct str){0};
}

static int64_t run_list(struct job *j)
{
    size_t count = 0;
    if (!disk_store_is_folder(&j->d->store, j->path)) {
        return -ENOENT;
    }
    LIST_EACH (node, &j->d->store.names) {
        count++;
    }
    j->op->names = arena_array(j->op->names_in, count + 1, sizeof(struct str));
    j->op->name_count = 0;
    LIST_EACH (node, &j->d->store.names) {
        struct stored_name *n = CONTAINER_OF(node, struct stored_name, link);
        struct str name = name_in(str_from_cstr(n->path), j->path);
        if (n->now && name.len > 0) {
            j->op->names[j->op->name_count++] = arena_copy(j->op->names_in, name);
        }
    }
    return 0;
}

static int64_t run_make_folder(struct job *j)
{
    struct disk_store *s = &j->d->store;
    for (size_t i = 1; i <= j->path.len; i++) {
        if (i < j->path.len && j->path.ptr[i] != '/') {
            continue;
        }
        struct str part = str_head(j->path, i);
        if (disk_store_is_folder(s, part)) {
            continue;
        }
        if (disk_store_file(s, part)) {
            return -ENOTDIR;
        }
        struct stored_file *folder = disk_store_make(s, true);
        int result = disk_store_name(s, part, folder);
        if (result < 0) {
            return result;
        }
        /* Durable at once: folders are made when a program starts, and tests are not about them. */
        disk_store_find(s, part)->durable = folder;
        folder->refs++;
    }
    return 0;
}

static int64_t run_rename(struct job *j)
{
    struct disk_store *s = &j->d->store;
    struct stored_file *f = disk_store_file(s, j->path);
    if (!f) {
        return -ENOENT;
    }
    if (j->kind == JOB_LINK && disk_store_file(s, j->to)) {
        return -EEXIST;
    }
    int result = disk_store_name(s, j->to, f);
    j->d->renames += result == 0;
    return result < 0 || j->kind == JOB_LINK ? result : disk_store_name(s, j->path, NULL);
}

static int64_t run_remove(struct job *j)
{
    struct disk_store *s = &j->d->store;
    return disk_store_file(s, j->path) ? disk_store_name(s, j->path, NULL) : -ENOENT;
}

static int64_t run_space(struct job *j)
{
    const struct disk_store *s = &j->d->store;
    j->op->size = s->capacity > s->used ? s->capacity - s->used : 0;
    j->op->size_total = s->capacity;
    return 0;
}

int64_t disk_job_run(struct job *j)
{
    int64_t result = 0;
    switch (j->kind) {
    case JOB_OPEN:
        return run_open(j);
    case JOB_READ:
        return run_read(j);
    case JOB_WRITE:
        return run_write(j, false);
    case JOB_WRITE_SYNC:
        result = run_write(j, false);
        return result < 0 ? result : run_sync(j);
    case JOB_SYNC:
        return run_sync(j);
    case JOB_TRUNCATE:
        return disk_store_resize(&j->d->store, j->handle->file, (size_t)j->offset);
    case JOB_STAT_FILE:
        return stat_of(j->op, j->handle->file);
    case JOB_LOCK:
        return run_lock(j);
    case JOB_STAT:
        return stat_of(j->op, disk_store_file(&j->d->store, j->path));
    case JOB_LIST:
        return run_list(j);
    case JOB_MAKE_FOLDER:
        return run_make_folder(j);
    case JOB_SYNC_FOLDER:
        disk_store_sync_folder(&j->d->store, j->path);
        return 0;
    case JOB_RENAME:
    case JOB_LINK:
        return run_rename(j);
    case JOB_REMOVE:
        return run_remove(j);
    case JOB_SPACE:
        return run_space(j);
    case JOB_PERFORM:
        return disk_perform(j, UINT64_MAX);
    }
    return -ENOSYS;
}

static void finish(struct timer *timer)
{
    struct job *j = CONTAINER_OF(timer, struct job, timer);
    struct sim_disk *d = j->d;
    struct disk_op *op = j->op;
    list_remove(&j->link);
    if (d->dead) {
        op->result = -EIO;
    } else if (d->fail_at && j->number == d->fail_at) {
        op->result = d->fail_error;
    } else {
        op->result = disk_job_run(j);
    }
    arena_done(&j->paths);
    free(j);
    op->done(op);
}

static void start(struct disk *disk, struct disk_op *op, struct job what)
{
    struct sim_disk *d = CONTAINER_OF(disk, struct sim_disk, disk);
    struct job *j = malloc(sizeof *j);
    *j = what;
    j->d = d;
    j->op = op;
    j->number = ++d->calls;
    j->path = what.path.ptr ? arena_copy(&j->paths, what.path) : what.path;
    j->to = what.to.ptr ? arena_copy(&j->paths, what.to) : what.to;
    j->timer.fire = finish;
    list_append(&d->jobs, &j->link);
    if (d->cut_at && d->calls == d->cut_at) {
        sim_disk_cut(d);
    }
    uint64_t delay = disk_store_draw(&d->store) % 1000;
    d->timers->arm(d->timers, &j->timer, (struct span){(int64_t)delay});
}

static void do_open(struct disk *disk, struct disk_op *op, struct str path, unsigned flags)
{
    start(disk, op, (struct job){.kind = JOB_OPEN, .path = path, .flags = flags});
}

static void do_close(struct disk *disk, struct disk_file *file)
{
    struct sim_disk *d = CONTAINER_OF(disk, struct sim_disk, disk);
    if (file->file->locked_by == file) {
        file->file->locked_by = NULL;
    }
    disk_store_drop(&d->store, file->file);
    free(file);
}

static void do_read(struct disk *disk, struct disk_op *op, struct disk_file *file, uint64_t offset,
                    struct str into)
{
    start(disk, op, (struct job){.kind = JOB_READ, .handle = file, .offset = offset, .into = into});
}

static void do_write(struct disk *disk, struct disk_op *op, struct disk_file *file, uint64_t offset,
                     const struct disk_pieces *pieces)
{
    start(disk, op,
          (struct job){.kind = JOB_WRITE, .handle = file, .offset = offset, .pieces = pieces});
}

static void do_write_sync(struct disk *disk, struct disk_op *op, struct disk_file *file,
                          uint64_t offset, const struct disk_pieces *pieces)
{
    start(disk, op,
          (struct job){.kind = JOB_WRITE_SYNC, .handle = file, .offset = offset, .pieces = pieces});
}

static void do_sync(struct disk *disk, struct disk_op *op, struct disk_file *file)
{
    start(disk, op, (struct job){.kind = JOB_SYNC, .handle = file});
}

static void do_truncate(struct disk *disk, struct disk_op *op, struct disk_file *file,
                        uint64_t size)
{
    start(disk, op, (struct job){.kind = JOB_TRUNCATE, .handle = file, .offset = size});
}

static void do_stat_file(struct disk *disk, struct disk_op *op, struct disk_file *file)
{
    start(disk, op, (struct job){.kind = JOB_STAT_FILE, .handle = file});
}

static void do_lock(struct disk *disk, struct disk_op *op, struct disk_file *file)
{
    start(disk, op, (struct job){.kind = JOB_LOCK, .handle = file});
}

static void do_stat(struct disk *disk, struct disk_op *op, struct str path)
{
    start(disk, op, (struct job){.kind = JOB_STAT, .path = path});
}

static void do_list(struct disk *disk, struct disk_op *op, struct str path)
{
    start(disk, op, (struct job){.kind = JOB_LIST, .path = path});
}

static void do_make_folder(struct disk *disk, struct disk_op *op, struct str path)
{
    start(disk, op, (struct job){.kind = JOB_MAKE_FOLDER, .path = path});
}

static void do_sync_folder(struct disk *disk, struct disk_op *op, struct str path)
{
    start(disk, op, (struct job){.kind = JOB_SYNC_FOLDER, .path = path});
}

static void do_rename(struct disk *disk, struct disk_op *op, struct str from, struct str to)
{
    start(disk, op, (struct job){.kind = JOB_RENAME, .path = from, .to = to});
}

static void do_link(struct disk *disk, struct disk_op *op, struct str from, struct str to)
{
    start(disk, op, (struct job){.kind = JOB_LINK, .path = from, .to = to});
}

static void do_remove(struct disk *disk, struct disk_op *op, struct str path)
{
    start(disk, op, (struct job){.kind = JOB_REMOVE, .path = path});
}

static void do_space(struct disk *disk, struct disk_op *op, struct str path)
{
    start(disk, op, (struct job){.kind = JOB_SPACE, .path = path});
}

static void do_perform(struct disk *disk, struct disk_op *op,
                       void (*work)(struct disk_op *op, struct disk_calls *calls))
{
    start(disk, op, (struct job){.kind = JOB_PERFORM, .work = work});
}

void sim_disk_init(struct sim_disk *d, struct timers *timers, uint64_t seed)
{
    *d = (struct sim_disk){.disk = {.open = do_open,
                                    .close = do_close,
                                    .read = do_read,
                                    .write = do_write,
                                    .write_sync = do_write_sync,
                                    .sync = do_sync,
                                    .truncate = do_truncate,
                                    .stat_file = do_stat_file,
                                    .lock = do_lock,
                                    .stat = do_stat,
                                    .list = do_list,
                                    .make_folder = do_make_folder,
                                    .sync_folder = do_sync_folder,
                                    .rename = do_rename,
                                    .link = do_link,
                                    .remove = do_remove,
                                    .space = do_space,
                                    .perform = do_perform},
                           .timers = timers};
    list_init(&d->jobs);
    disk_store_init(&d->store, seed);
}

void sim_disk_forget(struct sim_disk *d)
{
    LIST_EACH (node, &d->jobs) {
        struct job *j = CONTAINER_OF(node, struct job, link);
        d->timers->cancel(d->timers, &j->timer);
        arena_done(&j->paths);
        free(j);
    }
    list_init(&d->jobs);
}

void sim_disk_done(struct sim_disk *d)
{
    sim_disk_forget(d);
    disk_store_done(&d->store);
}

void sim_disk_killed(struct sim_disk *d)
{
    LIST_EACH (node, &d->jobs) {
        struct job *j = CONTAINER_OF(node, struct job, link);
        if (j->kind == JOB_WRITE || j->kind == JOB_WRITE_SYNC) {
            (void)run_write(j, disk_store_draw(&d->store) % 2 == 0);
        } else if (j->kind == JOB_RENAME && disk_store_draw(&d->store) % 2 == 0) {
            (void)run_rename(j);
        } else if (j->kind == JOB_PERFORM) {
            (void)disk_perform(j, disk_store_draw(&d->store) % PERFORMED);
        }
    }
    sim_disk_forget(d);
    LIST_EACH (node, &d->store.files) {
        CONTAINER_OF(node, struct stored_file, link)->locked_by = NULL;
    }
}

void sim_disk_cut(struct sim_disk *d)
{
    if (d->dead) {
        return;
    }
    LIST_EACH (node, &d->jobs) {
        struct job *j = CONTAINER_OF(node, struct job, link);
        if (j->kind == JOB_WRITE || j->kind == JOB_WRITE_SYNC) {
            (void)run_write(j, true);
        } else if (j->kind == JOB_PERFORM) {
            (void)disk_perform(j, disk_store_draw(&d->store) % PERFORMED);
        }
    }
    disk_store_cut(&d->store);
    d->dead = true;
}

void sim_disk_restart(struct sim_disk *d)
{
    if (!d->dead) {
        disk_store_cut(&d->store);
    }
    disk_store_restart(&d->store);
    d->dead = false;
    d->cut_at = d->fail_at = d->sync_fails_at = d->write_fails_at = 0;
    d->syncs_fail = false;
    d->syncs_fail_times = d->reads_fail_in = 0;
    d->calls = d->syncs = d->writes = 0;
}

void sim_disk_flip(struct sim_disk *d, const char *path, uint64_t offset, unsigned bit)
{
    struct stored_file *f = disk_store_file(&d->store, str_from_cstr(path));
    if (f && offset < f->size) {
        f->now[offset] = (char)(f->now[offset] ^ (1 << bit));
        f->durable[offset] = (char)(f->durable[offset] ^ (1 << bit));
    }
}

struct str sim_disk_bytes(struct sim_disk *d, const char *path)
{
    struct stored_file *f = disk_store_file(&d->store, str_from_cstr(path));
    return f ? str_from(f->size ? f->now : "", f->size) : (struct str){0};
}

void sim_disk_put(struct sim_disk *d, const char *path, struct str bytes)
{
    struct disk_store *s = &d->store;
    struct stored_file *f = disk_store_make(s, false);
    if (disk_store_name(s, str_from_cstr(path), f) == 0) {
        (void)disk_store_write(s, f, 0, bytes, false);
        disk_store_sync(f);
        struct stored_name *n = disk_store_find(s, str_from_cstr(path));
        disk_store_drop(s, n->durable);
        n->durable = f;
        f->refs++;
    }
}

void sim_disk_remove(struct sim_disk *d, const char *path)
{
    struct stored_name *n = disk_store_find(&d->store, str_from_cstr(path));
    if (n && n->now) {
        disk_store_drop(&d->store, n->durable);
        n->durable = NULL;
        (void)disk_store_name(&d->store, str_from_cstr(path), NULL);
    }
}

bool sim_disk_exists(struct sim_disk *d, const char *path)
{
    return disk_store_file(&d->store, str_from_cstr(path)) != NULL;
}
