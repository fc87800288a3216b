/* What recovery found is made durable before anything is built on it. What it read may stand in the
 * system's memory alone: the program, not the machine, may have died, after a sync that failed (its
 * pages then pass for written, and another sync of them would claim success) or before one. So
 * what no record claims to have been durable is written once more, in place, with the same bytes:
 * power that fails meanwhile leaves of each sector what was there or what is to be. A claim holds
 * wherever it is read: it was made after the sync that it tells of. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "path/spool/recover.h"

enum { PIECE = 1024 * 1024 };

static struct disk *disk_of(const struct recovery *r)
{
    return r->log->ports->disk;
}

/* True: the recovery is over. */
static bool failed(struct recovery *r, const struct disk_op *op)
{
    if (op->result >= 0) {
        return false;
    }
    (void)snprintf(r->op->reason, sizeof r->op->reason, "%.120s cannot be made durable",
                   r->segment ? log_segment_path(r->log, r->segment).ptr
                              : log_path(r->log, "log").ptr);
    recovery_fail(r, (int)op->result);
    return true;
}

static void write_header(struct recovery *r, const struct segment_header *h,
                         void (*then)(struct disk_op *op))
{
    segment_header_write(h, r->header);
    r->piece = str_from(r->header, SEGMENT_START);
    r->pieces = (struct disk_pieces){&r->piece, 1};
    r->disk_op = (struct disk_op){.done = then};
    disk_of(r)->write_sync(disk_of(r), &r->disk_op, r->segment->file, 0, &r->pieces);
}

static void settled(struct disk_op *op)
{
    struct recovery *r = CONTAINER_OF(op, struct recovery, disk_op);
    if (!failed(r, op)) {
        free(r->bytes);
        r->bytes = NULL;
        recovery_roll_begin(r);
    }
}

static void copy_next(struct recovery *r);

static void piece_written(struct disk_op *op)
{
    struct recovery *r = CONTAINER_OF(op, struct recovery, disk_op);
    if (!failed(r, op)) {
        r->offset += r->size;
        copy_next(r);
    }
}

static void piece_read(struct disk_op *op)
{
    struct recovery *r = CONTAINER_OF(op, struct recovery, disk_op);
    if (op->result >= 0 && op->result + RECORD_ALIGN <= (int64_t)r->size) {
        op->result = -EIO; /* it was longer a moment ago */
    }
    if (failed(r, op)) {
        return;
    }
    /* Of the last record's padding a part may never have been there. */
    memset(r->bytes + op->result, 0, r->size - (size_t)op->result);
    r->piece = str_from(r->bytes, r->size);
    r->pieces = (struct disk_pieces){&r->piece, 1};
    *op = (struct disk_op){.done = piece_written};
    disk_of(r)->write(disk_of(r), op, r->segment->file, r->offset, &r->pieces);
}

static void copy_next(struct recovery *r)
{
    uint64_t left = r->segment->end > r->offset ? r->segment->end - r->offset : 0;
    if (left == 0) {
        r->disk_op = (struct disk_op){.done = settled};
        disk_of(r)->sync(disk_of(r), &r->disk_op, r->segment->file);
        return;
    }
    r->size = (uint32_t)(left < PIECE ? left : PIECE);
    r->disk_op = (struct disk_op){.done = piece_read};
    disk_of(r)->read(disk_of(r), &r->disk_op, r->segment->file, r->offset,
                     str_from(r->bytes, r->size));
}

static void header_settled(struct disk_op *op)
{
    struct recovery *r = CONTAINER_OF(op, struct recovery, disk_op);
    if (!failed(r, op)) {
        copy_next(r);
    }
}

/* Of the segments in use only the newest can be in doubt: each later one claims of those before it
 * that they are durable up to their ends. */
static void settle_newest(struct recovery *r)
{
    if (r->header_count == 0) {
        recovery_roll_begin(r);
        return;
    }
    r->segment = r->log->segments[r->headers[0].slot];
    r->bytes = malloc(PIECE);
    if (!r->bytes) {
        recovery_fail(r, -ENOMEM);
        return;
    }
    r->offset = r->claimed < SEGMENT_START ? SEGMENT_START : r->claimed;
    if (r->claimed < SEGMENT_START) {
        write_header(r, &r->headers[0], header_settled);
    } else {
        copy_next(r);
    }
}

static void next_free(struct recovery *r);

static void free_settled(struct disk_op *op)
{
    struct recovery *r = CONTAINER_OF(op, struct recovery, disk_op);
    if (!failed(r, op)) {
        next_free(r);
    }
}

/* A segment must be durably free before the remove records of its messages may go. */
static void next_free(struct recovery *r)
{
    while (r->scanning < r->log->slot_count) {
        struct segment *s = r->log->segments[r->scanning++];
        if (s && s->state == SEGMENT_FREE) {
            struct segment_header h = {
                .generation = s->generation, .nonce = s->nonce, .slot = s->slot, .size = s->size};
            r->segment = s;
            write_header(r, &h, free_settled);
            return;
        }
    }
    settle_newest(r);
}

static void names_settled(struct disk_op *op)
{
    struct recovery *r = CONTAINER_OF(op, struct recovery, disk_op);
    r->segment = NULL;
    if (!failed(r, op)) {
        r->scanning = 0;
        next_free(r);
    }
}

void recovery_settle(struct recovery *r)
{
    r->disk_op = (struct disk_op){.done = names_settled};
    disk_of(r)->sync_folder(disk_of(r), &r->disk_op, log_path(r->log, "log"));
}
