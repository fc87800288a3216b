/* The segments: which is the tail, which are free, and how new ones come to be. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "path/spool/inside.h"

struct segment *pool_add(struct spool_log *log, uint32_t slot)
{
    if (slot >= log->slot_count) {
        size_t count = slot + 16;
        struct segment **grown = realloc(log->segments, count * sizeof(struct segment *));
        if (!grown) {
            return NULL;
        }
        for (size_t i = log->slot_count; i < count; i++) {
            grown[i] = NULL;
        }
        log->segments = grown;
        log->slot_count = count;
    }
    struct segment *s = calloc(1, sizeof *s);
    if (s) {
        s->slot = slot;
        s->size = log->segment_size;
        log->segments[slot] = s;
    }
    return s;
}

void pool_told(struct spool_log *log, uint64_t generation)
{
    for (size_t i = 0; i < log->untold_count; i++) {
        if (log->untold[i].generation == generation) {
            log->untold[i] = log->untold[--log->untold_count];
            return;
        }
    }
}

void pool_drop(struct spool_log *log, struct segment *s)
{
    if (s->file) {
        log->ports->disk->close(log->ports->disk, s->file);
    }
    pool_told(log, s->generation);
    log->segments[s->slot] = NULL;
    free(s);
}

bool pool_new_slot(const struct spool_log *log, uint32_t *slot)
{
    size_t i = 0;
    while (i < log->slot_count && log->segments[i]) {
        i++;
    }
    if (i >= UINT32_MAX / 2) {
        return false;
    }
    *slot = (uint32_t)i;
    return true;
}

static struct segment *first_free(const struct spool_log *log)
{
    for (size_t i = 0; i < log->slot_count; i++) {
        if (log->segments[i] && log->segments[i]->state == SEGMENT_FREE) {
            return log->segments[i];
        }
    }
    return NULL;
}

size_t pool_free_count(const struct spool_log *log)
{
    size_t count = 0;
    for (size_t i = 0; i < log->slot_count; i++) {
        count += log->segments[i] && log->segments[i]->state == SEGMENT_FREE ? 1 : 0;
    }
    return count;
}

uint64_t pool_available(const struct spool_log *log)
{
    uint64_t bytes = log->tail && log->tail->written ? segment_room(log->tail) : 0;
    return bytes + pool_free_count(log) * (log->segment_size - SEGMENT_START);
}

void pool_seal_tail(struct spool_log *log, bool suspect)
{
    struct segment *tail = log->tail;
    if (tail) {
        tail->state = SEGMENT_SEALED;
        tail->suspect = tail->suspect || suspect;
        log->untold[log->untold_count++] = (struct segment_end){tail->generation, tail->end};
        log->tail = NULL;
    }
}

static void become_tail(struct spool_log *log, struct segment *s)
{
    pool_seal_tail(log, false);
    s->state = SEGMENT_TAIL;
    s->generation = ++log->generation;
    s->nonce = (uint32_t)log->ports->entropy->u64(log->ports->entropy);
    s->seed = segment_seed(s->generation, s->nonce);
    s->end = 0;
    s->live = 0;
    s->tombs = 0;
    s->born_min = UINT64_MAX;
    s->teller = 0;
    s->leaves = false;
    log->tail = s;
    commit_taken(log, 0);
    (void)pool_build(log, false);
}

/* A new one could not be made: one of the reserve serves, to those who may use it. */
static void take_failed(struct spool_log *log, int error)
{
    if (log->taken) {
        pool_drop(log, log->taken);
        log->taken = NULL;
    }
    struct segment *s = first_free(log);
    if (error == -ENOSPC && !log->full) {
        log->full = true;
        commit_taken(log, -EAGAIN);
    } else if (s) {
        become_tail(log, s);
    } else {
        commit_taken(log, error);
    }
}

static void folder_synced(struct disk_op *op)
{
    struct spool_log *log = CONTAINER_OF(op, struct spool_log, commit_op);
    if (op->result < 0) {
        take_failed(log, (int)op->result);
        return;
    }
    struct segment *s = log->taken;
    log->taken = NULL;
    become_tail(log, s);
}

static void created(struct disk_op *op)
{
    struct spool_log *log = CONTAINER_OF(op, struct spool_log, commit_op);
    if (op->result < 0) {
        take_failed(log, (int)op->result);
        return;
    }
    log->taken->file = op->file;
    *op = (struct disk_op){.done = folder_synced};
    log->ports->disk->sync_folder(log->ports->disk, op, log_path(log, "log"));
}

void pool_take(struct spool_log *log)
{
    uint32_t slot = 0;
    struct segment *s = first_free(log);
    if (log->untold_count + (log->tail ? 1U : 0U) >= SEGMENT_ENDS) {
        commit_taken(log, -EIO); /* every write fails; a header could not tell of all */
    } else if (s && (log->full || pool_free_count(log) > log->reserve_segments)) {
        become_tail(log, s);
    } else if (log->full) {
        commit_taken(log, -ENOSPC);
    } else if (!pool_new_slot(log, &slot) || !(log->taken = pool_add(log, slot))) {
        take_failed(log, -ENOMEM);
    } else {
        log->commit_op = (struct disk_op){.done = created};
        log->ports->disk->open(log->ports->disk, &log->commit_op, log_segment_path(log, log->taken),
                               DISK_READ | DISK_WRITE | DISK_CREATE | DISK_TRUNCATE);
    }
}

static void space_known(struct disk_op *op)
{
    struct spool_log *log = CONTAINER_OF(op, struct spool_log, space_op);
    log->asking_space = false;
    log->under_way--;
    if (op->result == 0) {
        log->space_free = op->size;
        size_t have = pool_free_count(log);
        uint64_t missing = have < log->reserve_segments ? log->reserve_segments - have : 0;
        if (log->full && op->size > (missing + 1) * log->segment_size) {
            log->full = false;
        }
        if (missing > 0 && op->size >= log->segment_size) {
            (void)pool_build(log, false); /* the reserve comes first */
        }
    }
    log_wake(log);
}

void pool_ask_space(struct spool_log *log)
{
    if (!log->asking_space) {
        log->asking_space = true;
        log->under_way++;
        log->space_op = (struct disk_op){.done = space_known};
        log->ports->disk->space(log->ports->disk, &log->space_op, log_path(log, "log"));
    }
}
