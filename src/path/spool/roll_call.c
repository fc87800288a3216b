/* The roll at recovery: read before the segments, compared with them, and begun anew. A spool
 * without one (it is new, or its first roll was torn) is taken as it is found. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "path/spool/recover.h"

enum { LARGEST = 64 * 1024 * 1024 };

static struct disk *disk_of(const struct recovery *r)
{
    return r->log->ports->disk;
}

static void next_file(struct recovery *r);

static void failed(struct recovery *r, int error)
{
    (void)snprintf(r->op->reason, sizeof r->op->reason, "%.120s cannot be used",
                   log_path(r->log, "roll-%u", r->step).ptr);
    recovery_fail(r, error);
}

/* The later of the two counts. */
static void take(struct recovery *r, struct str bytes)
{
    struct roll_keeper *k = &r->log->roll;
    struct roll roll;
    if (!roll_read(bytes, &roll) || roll.version < k->version) {
        free(r->bytes);
    } else {
        free(r->roll_bytes);
        r->roll_bytes = r->bytes;
        r->roll = roll;
        k->version = roll.version;
        k->turn = r->step == 0; /* the other one is written next */
    }
    r->bytes = NULL;
}

static void file_read(struct disk_op *op)
{
    struct recovery *r = CONTAINER_OF(op, struct recovery, disk_op);
    if (op->result < 0) {
        failed(r, (int)op->result);
        return;
    }
    take(r, str_from(r->bytes, (size_t)op->result));
    r->step++;
    next_file(r);
}

static void size_known(struct disk_op *op)
{
    struct recovery *r = CONTAINER_OF(op, struct recovery, disk_op);
    if (op->result < 0) {
        failed(r, (int)op->result);
        return;
    }
    r->size = op->size < LARGEST ? (uint32_t)op->size : LARGEST;
    r->bytes = calloc(1, r->size + 1U);
    if (!r->bytes) {
        recovery_fail(r, -ENOMEM);
        return;
    }
    *op = (struct disk_op){.done = file_read};
    disk_of(r)->read(disk_of(r), op, r->log->roll.files[r->step], 0, str_from(r->bytes, r->size));
}

static void file_open(struct disk_op *op)
{
    struct recovery *r = CONTAINER_OF(op, struct recovery, disk_op);
    if (op->result < 0) {
        failed(r, (int)op->result);
        return;
    }
    r->log->roll.files[r->step] = op->file;
    *op = (struct disk_op){.done = size_known};
    disk_of(r)->stat_file(disk_of(r), op, r->log->roll.files[r->step]);
}

static void named(struct disk_op *op)
{
    struct recovery *r = CONTAINER_OF(op, struct recovery, disk_op);
    if (op->result < 0) {
        failed(r, (int)op->result);
        return;
    }
    recovery_segments(r);
}

static void next_file(struct recovery *r)
{
    if (r->step == ROLL_FILES) {
        r->disk_op = (struct disk_op){.done = named};
        disk_of(r)->sync_folder(disk_of(r), &r->disk_op, str_from_cstr(r->log->folder));
        return;
    }
    r->disk_op = (struct disk_op){.done = file_open};
    disk_of(r)->open(disk_of(r), &r->disk_op, log_path(r->log, "roll-%u", r->step),
                     DISK_READ | DISK_WRITE | DISK_CREATE);
}

void recovery_roll(struct recovery *r)
{
    r->step = 0;
    next_file(r);
}

static bool found(const struct recovery *r, uint64_t generation)
{
    for (size_t i = 0; i < r->header_count; i++) {
        if (r->headers[i].generation == generation) {
            return true;
        }
    }
    return false;
}

bool recovery_roll_answers(struct recovery *r)
{
    for (size_t i = 0; i < roll_count(&r->roll); i++) {
        if (found(r, roll_generation(&r->roll, i))) {
            continue;
        }
        if (!r->op->salvage) {
            recovery_damage(r, "a segment that this names is missing or wiped out",
                            log_path(r->log, "roll-%u", r->log->roll.turn ? 0U : 1U).ptr, 0);
            return false;
        }
        r->op->salvaged++;
    }
    return true;
}

uint64_t recovery_roll_end(const struct recovery *r, uint64_t generation)
{
    return generation == roll_newest(&r->roll) ? r->roll.end : 0;
}

static void begun(struct roll_entry *e, int result)
{
    (void)result; /* the older roll, where there is one, still holds */
    recovery_bodies(CONTAINER_OF(e, struct recovery, roll_begins));
}

void recovery_roll_begin(struct recovery *r)
{
    r->roll_begins.done = begun;
    roll_enter(r->log, &r->roll_begins);
}
