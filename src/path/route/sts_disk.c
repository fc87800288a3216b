/* Policies on disk: read when a domain is first asked for, replaced when one was fetched. */
#include "path/route/sts_inside.h"

static struct disk *disk_of(const struct sts_entry *entry)
{
    return entry->office->ports->disk;
}

static bool name_files(struct sts_entry *entry)
{
    struct str folder = entry->office->folder;
    entry->path = arena_format(&entry->work, "%.*s/%.*s", STR_ARG(folder), STR_ARG(entry->domain));
    entry->fresh_path = arena_format(&entry->work, "%.*s.new", STR_ARG(entry->path));
    return entry->path.ptr && entry->fresh_path.ptr;
}

static void on_read(struct disk_op *op)
{
    struct sts_entry *entry = CONTAINER_OF(op, struct sts_entry, op);
    disk_of(entry)->close(disk_of(entry), entry->file);
    if (op->result > 0 && op->result <= STS_FILE_MAX) {
        entry->has =
            sts_file_read(str_head(entry->text, (size_t)op->result), &entry->memory, &entry->kept);
    }
    entry->then(entry);
}

static void on_open(struct disk_op *op)
{
    struct sts_entry *entry = CONTAINER_OF(op, struct sts_entry, op);
    char *into = arena_alloc(&entry->work, STS_FILE_MAX + 1);
    if (op->result != 0 || !into) {
        if (op->result == 0) {
            disk_of(entry)->close(disk_of(entry), op->file);
        }
        entry->then(entry);
        return;
    }
    entry->file = op->file;
    entry->text = str_from(into, STS_FILE_MAX + 1);
    entry->op.done = on_read;
    disk_of(entry)->read(disk_of(entry), &entry->op, entry->file, 0, entry->text);
}

void sts_load(struct sts_entry *entry, void (*then)(struct sts_entry *entry))
{
    entry->then = then;
    if (entry->office->folder.len == 0 || !name_files(entry)) {
        then(entry);
        return;
    }
    entry->op = (struct disk_op){.done = on_open};
    disk_of(entry)->open(disk_of(entry), &entry->op, entry->path, DISK_READ | DISK_NO_FOLLOW);
}

/* A policy that could not be written is in memory all the same. */
static void end_save(struct sts_entry *entry, int64_t result)
{
    if (result < 0) {
        log_event(entry->office->ports->log, LOG_WARNING, "sts-trouble",
                  F_STR("domain", entry->domain), F_STR("path", entry->path),
                  F_INT("error", result));
    }
    entry->then(entry);
}

static void on_renamed(struct disk_op *op)
{
    end_save(CONTAINER_OF(op, struct sts_entry, op), op->result);
}

static void on_written(struct disk_op *op)
{
    struct sts_entry *entry = CONTAINER_OF(op, struct sts_entry, op);
    disk_of(entry)->close(disk_of(entry), entry->file);
    if (op->result < 0) {
        end_save(entry, op->result);
        return;
    }
    entry->op.done = on_renamed;
    disk_of(entry)->rename(disk_of(entry), &entry->op, entry->fresh_path, entry->path);
}

static void on_created(struct disk_op *op)
{
    struct sts_entry *entry = CONTAINER_OF(op, struct sts_entry, op);
    if (op->result < 0) {
        end_save(entry, op->result);
        return;
    }
    entry->file = op->file;
    entry->op.done = on_written;
    disk_of(entry)->write_sync(disk_of(entry), &entry->op, entry->file, 0, &entry->pieces);
}

static void on_folder(struct disk_op *op)
{
    struct sts_entry *entry = CONTAINER_OF(op, struct sts_entry, op);
    if (op->result < 0) {
        end_save(entry, op->result);
        return;
    }
    entry->op.done = on_created;
    disk_of(entry)->open(disk_of(entry), &entry->op, entry->fresh_path,
                         DISK_WRITE | DISK_CREATE | DISK_TRUNCATE | DISK_NO_FOLLOW);
}

void sts_save(struct sts_entry *entry, void (*then)(struct sts_entry *entry))
{
    struct buf text = {0};
    entry->then = then;
    if (entry->office->folder.len > 0 && !entry->office->read_only) {
        sts_file_write(&text, &entry->kept);
    }
    entry->text = text.failed ? (struct str){0} : arena_copy(&entry->work, buf_str(&text));
    buf_done(&text);
    if (entry->text.len == 0 || !name_files(entry)) {
        then(entry);
        return;
    }
    entry->pieces = (struct disk_pieces){.pieces = &entry->text, .count = 1};
    entry->op = (struct disk_op){.done = on_folder};
    disk_of(entry)->make_folder(disk_of(entry), &entry->op, entry->office->folder);
}
