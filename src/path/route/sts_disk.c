/* Policies on disk: read when a domain is first asked for, replaced when one was fetched. */
#include "path/route/sts_inside.h"

static struct disk *disk_of(const struct sts_work *work)
{
    return work->entry->office->ports->disk;
}

static bool name_files(struct sts_work *work)
{
    struct str folder = work->entry->office->folder;
    work->path =
        arena_format(&work->arena, "%.*s/%.*s", STR_ARG(folder), STR_ARG(work->entry->domain));
    work->fresh_path = arena_format(&work->arena, "%.*s.new", STR_ARG(work->path));
    return work->path.ptr && work->fresh_path.ptr;
}

static void on_read(struct disk_op *op)
{
    struct sts_work *work = CONTAINER_OF(op, struct sts_work, op);
    struct sts_entry *entry = work->entry;
    disk_of(work)->close(disk_of(work), work->file);
    if (op->result > 0 && op->result <= STS_FILE_MAX) {
        entry->has =
            sts_file_read(str_head(work->text, (size_t)op->result), &entry->memory, &entry->kept);
    }
    work->then(entry);
}

static void on_open(struct disk_op *op)
{
    struct sts_work *work = CONTAINER_OF(op, struct sts_work, op);
    char *into = arena_alloc(&work->arena, STS_FILE_MAX + 1);
    if (op->result != 0 || !into) {
        if (op->result == 0) {
            disk_of(work)->close(disk_of(work), op->file);
        }
        work->then(work->entry);
        return;
    }
    work->file = op->file;
    work->text = str_from(into, STS_FILE_MAX + 1);
    work->op.done = on_read;
    disk_of(work)->read(disk_of(work), &work->op, work->file, 0, work->text);
}

void sts_load(struct sts_entry *entry, void (*then)(struct sts_entry *entry))
{
    struct sts_work *work = entry->work;
    work->then = then;
    if (entry->office->folder.len == 0 || !name_files(work)) {
        then(entry);
        return;
    }
    work->op = (struct disk_op){.done = on_open};
    disk_of(work)->open(disk_of(work), &work->op, work->path, DISK_READ | DISK_NO_FOLLOW);
}

/* A policy that could not be written is in memory all the same. */
static void end_save(struct sts_work *work, int64_t result)
{
    if (result < 0) {
        log_event(work->entry->office->ports->log, LOG_WARNING, "sts-trouble",
                  F_STR("domain", work->entry->domain), F_STR("path", work->path),
                  F_INT("error", result));
    }
    work->then(work->entry);
}

static void on_renamed(struct disk_op *op)
{
    end_save(CONTAINER_OF(op, struct sts_work, op), op->result);
}

static void on_written(struct disk_op *op)
{
    struct sts_work *work = CONTAINER_OF(op, struct sts_work, op);
    disk_of(work)->close(disk_of(work), work->file);
    if (op->result < 0) {
        end_save(work, op->result);
        return;
    }
    work->op.done = on_renamed;
    disk_of(work)->rename(disk_of(work), &work->op, work->fresh_path, work->path);
}

static void on_created(struct disk_op *op)
{
    struct sts_work *work = CONTAINER_OF(op, struct sts_work, op);
    if (op->result < 0) {
        end_save(work, op->result);
        return;
    }
    work->file = op->file;
    work->op.done = on_written;
    disk_of(work)->write_sync(disk_of(work), &work->op, work->file, 0, &work->pieces);
}

static void on_folder(struct disk_op *op)
{
    struct sts_work *work = CONTAINER_OF(op, struct sts_work, op);
    if (op->result < 0) {
        end_save(work, op->result);
        return;
    }
    work->op.done = on_created;
    disk_of(work)->open(disk_of(work), &work->op, work->fresh_path,
                        DISK_WRITE | DISK_CREATE | DISK_TRUNCATE | DISK_NO_FOLLOW);
}

void sts_save(struct sts_entry *entry, void (*then)(struct sts_entry *entry))
{
    struct sts_work *work = entry->work;
    struct buf text = {0};
    work->then = then;
    if (entry->office->folder.len > 0 && !entry->office->read_only) {
        sts_file_write(&text, &entry->kept);
    }
    work->text = text.failed ? (struct str){0} : arena_copy(&work->arena, buf_str(&text));
    buf_done(&text);
    if (work->text.len == 0 || !name_files(work)) {
        then(entry);
        return;
    }
    work->pieces = (struct disk_pieces){.pieces = &work->text, .count = 1};
    work->op = (struct disk_op){.done = on_folder};
    disk_of(work)->make_folder(disk_of(work), &work->op, entry->office->folder);
}
