/* Giving back a segment in which nothing lives. It must be durably free before any other is given
 * back: the remove records of its messages may then go. */
#include <errno.h>
#include <stdlib.h>

#include "path/spool/inside.h"

static struct disk *disk_of(const struct freeing *f)
{
    return f->log->ports->disk;
}

static void folder_synced(struct disk_op *op)
{
    struct freeing *f = CONTAINER_OF(op, struct freeing, op);
    if (op->result == 0) {
        pool_drop(f->log, f->segment);
    }
    f->done(f, (int)op->result);
}

static void file_gone(struct disk_op *op)
{
    struct freeing *f = CONTAINER_OF(op, struct freeing, op);
    if (op->result < 0 && op->result != -ENOENT) {
        f->done(f, (int)op->result);
        return;
    }
    *op = (struct disk_op){.done = folder_synced};
    disk_of(f)->sync_folder(disk_of(f), op, log_path(f->log, "log"));
}

static void drop_file(struct freeing *f)
{
    struct segment *s = f->segment;
    char from[PATH_MAX_BYTES + 64];
    f->op = (struct disk_op){.done = file_gone};
    struct str path = log_segment_path(f->log, s);
    if (!s->damaged) {
        disk_of(f)->remove(disk_of(f), &f->op, path);
        return;
    }
    /* What could not be read may still be worth a look by a person. */
    for (size_t i = 0; i < path.len; i++) {
        from[i] = path.ptr[i];
    }
    disk_of(f)->rename(disk_of(f), &f->op, str_from(from, path.len),
                       log_path(f->log, "damaged-%016llx", (unsigned long long)s->generation));
}

static void header_written(struct disk_op *op)
{
    struct freeing *f = CONTAINER_OF(op, struct freeing, op);
    struct segment *s = f->segment;
    if (op->result < 0) {
        s->suspect = true;
        drop_file(f);
        return;
    }
    pool_told(f->log, s->generation);
    s->state = SEGMENT_FREE;
    s->end = 0;
    f->done(f, 0);
}

static void left(struct roll_entry *e, int result)
{
    struct freeing *f = CONTAINER_OF(e, struct freeing, leaves);
    struct spool_log *log = f->log;
    struct segment *s = f->segment;
    if (result < 0) {
        s->leaves = false;
        f->done(f, result);
        return;
    }
    if (s->suspect || s->damaged || !s->written || s->size != log->segment_size ||
        pool_free_count(log) > log->reserve_segments) {
        drop_file(f);
        return;
    }
    struct segment_header h = {
        .generation = s->generation, .slot = s->slot, .size = s->size, .nonce = s->nonce};
    segment_header_write(&h, f->header);
    f->piece = str_from(f->header, SEGMENT_START);
    f->pieces = (struct disk_pieces){&f->piece, 1};
    f->op = (struct disk_op){.done = header_written};
    disk_of(f)->write_sync(disk_of(f), &f->op, s->file, 0, &f->pieces);
}

static void give_back(struct freeing *f)
{
    if (f->segment->end == 0) { /* no roll names it */
        left(&f->leaves, 0);
        return;
    }
    f->segment->leaves = true;
    f->leaves.done = left;
    roll_enter(f->log, &f->leaves);
}

static void ends_told(struct append *a, int result)
{
    struct freeing *f = CONTAINER_OF(a, struct freeing, ends);
    buf_done(&f->pairs);
    if (result < 0) {
        f->done(f, result);
        return;
    }
    uint64_t teller = f->log->segments[a->at.slot]->generation;
    for (size_t i = 0; i < f->log->slot_count; i++) {
        struct segment *s = f->log->segments[i];
        if (s && s->state == SEGMENT_SEALED && s->teller == f->segment->generation) {
            s->teller = teller;
        }
    }
    give_back(f);
}

void segment_give_back(struct freeing *f)
{
    for (size_t i = 0; i < f->log->slot_count; i++) {
        struct segment *s = f->log->segments[i];
        if (s && s != f->segment && s->state == SEGMENT_SEALED &&
            s->teller == f->segment->generation) {
            buf_put_u64(&f->pairs, s->generation);
            buf_put_u64(&f->pairs, s->end);
        }
    }
    if (f->pairs.failed) {
        buf_done(&f->pairs);
        f->done(f, -ENOMEM);
    } else if (f->pairs.len == 0) {
        give_back(f);
    } else {
        f->ends = (struct append){.done = ends_told, .level = LEVEL_COMPACT};
        f->ends.record.type = RECORD_ENDS;
        f->ends.record.outcomes = buf_str(&f->pairs);
        log_append(f->log, &f->ends);
    }
}
