/* Writing a segment full with zeros, so that later syncs into it need no space and no journal. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "path/spool/inside.h"

enum { STEP = 1024 * 1024 };

struct builder {
    struct spool_log *log;
    struct segment *segment; /* null: idle */
    bool reserve;            /* it is needed, not only a spare */
    uint64_t offset;
    struct disk_op op;
    struct str piece;
    struct disk_pieces pieces;
    char header[SEGMENT_START];
};

static const char zeros[STEP];

bool builder_idle(const struct spool_log *log)
{
    return !log->builder || !log->builder->segment;
}

void builder_free(struct spool_log *log)
{
    free(log->builder);
    log->builder = NULL;
}

static void removed(struct disk_op *op)
{
    struct builder *b = CONTAINER_OF(op, struct builder, op);
    pool_drop(b->log, b->segment); /* only now: its slot names the file that was removed */
    b->segment = NULL;
    log_wake(b->log);
}

static void build_failed(struct builder *b, int error)
{
    struct spool_log *log = b->log;
    if (error == -ENOSPC && b->reserve) {
        log->full = true;
    }
    b->op = (struct disk_op){.done = removed};
    log->ports->disk->remove(log->ports->disk, &b->op, log_segment_path(log, b->segment));
}

static void named(struct disk_op *op)
{
    struct builder *b = CONTAINER_OF(op, struct builder, op);
    if (op->result < 0) {
        build_failed(b, (int)op->result);
        return;
    }
    b->segment->written = true;
    b->segment->state = SEGMENT_FREE;
    b->segment = NULL;
    log_wake(b->log);
}

static void headed(struct disk_op *op)
{
    struct builder *b = CONTAINER_OF(op, struct builder, op);
    if (op->result < 0) {
        build_failed(b, (int)op->result);
        return;
    }
    *op = (struct disk_op){.done = named};
    b->log->ports->disk->sync_folder(b->log->ports->disk, op, log_path(b->log, "log"));
}

/* A header only now: one that is found says that all was written. */
static void synced(struct disk_op *op)
{
    struct builder *b = CONTAINER_OF(op, struct builder, op);
    if (op->result < 0) {
        build_failed(b, (int)op->result);
        return;
    }
    struct segment_header h = {.slot = b->segment->slot, .size = b->segment->size};
    segment_header_write(&h, b->header);
    b->piece = str_from(b->header, SEGMENT_START);
    *op = (struct disk_op){.done = headed};
    b->log->ports->disk->write_sync(b->log->ports->disk, op, b->segment->file, 0, &b->pieces);
}

static void step(struct disk_op *op)
{
    struct builder *b = CONTAINER_OF(op, struct builder, op);
    struct disk *disk = b->log->ports->disk;
    if (op->result < 0) {
        build_failed(b, (int)op->result);
        return;
    }
    if (!b->segment->file) {
        b->segment->file = op->file;
    }
    if (b->log->closed) {
        build_failed(b, -ECANCELED);
        return;
    }
    uint64_t left = b->segment->size - b->offset;
    if (left == 0) {
        *op = (struct disk_op){.done = synced};
        disk->sync(disk, op, b->segment->file);
        return;
    }
    b->piece = str_from(zeros, left < STEP ? (size_t)left : STEP);
    uint64_t at = b->offset;
    b->offset += b->piece.len;
    *op = (struct disk_op){.done = step};
    disk->write(disk, op, b->segment->file, at, &b->pieces);
}

static void space_known(struct disk_op *op)
{
    struct builder *b = CONTAINER_OF(op, struct builder, op);
    struct disk *disk = b->log->ports->disk;
    /* Where it cannot fit, the last of the space is not filled only to be given back. */
    if (op->result == 0 && op->size < b->segment->size) {
        build_failed(b, -ENOSPC);
        return;
    }
    *op = (struct disk_op){.done = step};
    disk->open(disk, op, log_segment_path(b->log, b->segment),
               DISK_READ | DISK_WRITE | DISK_CREATE | DISK_TRUNCATE);
}

bool pool_build(struct spool_log *log, bool spare)
{
    uint32_t slot = 0;
    size_t have = pool_free_count(log);
    if (!builder_idle(log)) {
        return true;
    }
    spare = spare && !log->full;
    if (have >= log->reserve_segments + (spare ? 1 : 0) || log->closed) {
        return false;
    }
    if (!log->builder) {
        log->builder = calloc(1, sizeof *log->builder);
    }
    struct builder *b = log->builder;
    if (!b || !pool_new_slot(log, &slot)) {
        return false;
    }
    b->segment = pool_add(log, slot);
    if (!b->segment) {
        return false;
    }
    b->log = log;
    b->reserve = have < log->reserve_segments;
    b->offset = 0;
    b->pieces = (struct disk_pieces){&b->piece, 1};
    b->op = (struct disk_op){.done = space_known};
    log->ports->disk->space(log->ports->disk, &b->op, log_path(log, "log"));
    return true;
}
