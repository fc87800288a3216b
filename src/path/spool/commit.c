/* The group commit: what was appended while the last write was syncing goes to the log in one
 * write and one sync. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/crc32c.h"
#include "path/spool/inside.h"

static const char zeros[RECORD_ALIGN];

void log_append(struct spool_log *log, struct append *a)
{
    a->attempts = 0;
    a->record.body_crc = 0;
    for (size_t i = 0; i < a->body.count; i++) {
        a->record.body_crc = crc32c(a->record.body_crc, a->body.pieces[i]);
    }
    list_append(&log->appends, &a->link);
    log_wake(log);
}

static uint64_t bytes_of(const struct append *a)
{
    return record_padded(record_length(&a->record));
}

/* Whether the disk has room for it, after `more` bytes that go before it. */
static bool admitted(const struct spool_log *log, const struct append *a, uint64_t more)
{
    uint64_t floor = 0;
    if (a->level == LEVEL_PUT) {
        floor = log->reserve;
    } else if (a->level == LEVEL_MARK) {
        floor = (log->segment_size < log->reserve ? log->segment_size : log->reserve) / 2;
    }
    return !log->full || pool_available(log) >= bytes_of(a) + more + floor;
}

static bool add_piece(struct spool_log *log, struct str piece)
{
    if (piece.len == 0) {
        return true;
    }
    if (log->piece_count == log->piece_cap) {
        size_t cap = log->piece_cap ? log->piece_cap * 2 : 64;
        struct str *grown = realloc(log->pieces, cap * sizeof *grown);
        if (!grown) {
            return false;
        }
        log->pieces = grown;
        log->piece_cap = cap;
    }
    log->pieces[log->piece_count++] = piece;
    return true;
}

static bool add_pieces(struct spool_log *log, struct append *a)
{
    bool added = add_piece(log, str_from(a->head, RECORD_HEAD)) &&
                 add_piece(log, a->record.envelope) && add_piece(log, a->record.additions) &&
                 add_piece(log, a->record.outcomes);
    for (size_t i = 0; i < a->body.count; i++) {
        added = added && add_piece(log, a->body.pieces[i]);
    }
    size_t pad = (size_t)(bytes_of(a) - record_length(&a->record));
    return added && add_piece(log, str_from(zeros, pad));
}

static bool begin_batch(struct spool_log *log)
{
    struct segment *tail = log->tail;
    log->piece_count = 0;
    log->batch_bytes = 0;
    if (tail->end > 0) {
        return true;
    }
    struct segment_header h = {true,  tail->generation, tail->nonce, tail->slot, tail->size,
                               {{0}}, log->untold_count};
    memcpy(h.ends, log->untold, log->untold_count * sizeof h.ends[0]);
    segment_header_write(&h, log->header);
    return add_piece(log, str_from(log->header, SEGMENT_START));
}

/* Moves as many records as fit into the batch. */
static void gather(struct spool_log *log)
{
    struct segment *tail = log->tail;
    uint64_t start = tail->end < SEGMENT_START ? SEGMENT_START : tail->end;
    uint64_t room = segment_room(tail);
    bool memory = begin_batch(log);
    LIST_EACH (node, &log->appends) {
        struct append *a = CONTAINER_OF(node, struct append, link);
        uint64_t bytes = bytes_of(a);
        size_t pieces_before = log->piece_count;
        if (!memory || bytes > room - log->batch_bytes || !admitted(log, a, log->batch_bytes) ||
            (log->batch_bytes > 0 && log->batch_bytes + bytes > BATCH_MAX)) {
            break;
        }
        a->at = (struct location){tail->slot, (uint32_t)(start + log->batch_bytes),
                                  (uint32_t)record_length(&a->record)};
        a->record.synced = (uint32_t)tail->end;
        if (a->record.type == RECORD_MESSAGE && a->record.born == 0) {
            a->record.born = tail->generation;
        }
        record_seal(&a->record, tail->seed, a->head);
        if (!add_pieces(log, a)) {
            log->piece_count = pieces_before;
            break;
        }
        list_remove(node);
        list_append(&log->batch, node);
        log->batch_bytes += bytes;
    }
}

static void finish(struct append *a, int result)
{
    list_remove(&a->link);
    a->done(a, result);
}

/* What was written is durable; true: the header was among it. */
static bool batch_stands(struct spool_log *log)
{
    struct segment *tail = log->tail;
    bool first = tail->end == 0;
    if (first) {
        /* And so are the ends that it tells. */
        for (size_t i = 0; i < log->untold_count; i++) {
            for (size_t slot = 0; slot < log->slot_count; slot++) {
                struct segment *s = log->segments[slot];
                if (s && s->state == SEGMENT_SEALED && s->generation == log->untold[i].generation) {
                    s->teller = tail->generation;
                }
            }
        }
        log->untold_count = 0;
    }
    log_doubt_ends(log);
    tail->end = (tail->end < SEGMENT_START ? SEGMENT_START : tail->end) + log->batch_bytes;
    return first;
}

static void tell_batch(struct spool_log *log)
{
    while (!list_empty(&log->batch)) {
        finish(CONTAINER_OF(log->batch.next, struct append, link), 0);
    }
}

/* Nothing of the batch is taken to be on disk. The segment ends before it, by what the next
 * segment's header will say, and the batch goes there: a second sync of the same pages could claim
 * success for what the system has dropped. */
static void write_again(struct spool_log *log, int error)
{
    log_event(log->ports->log, LOG_ERROR, "spool_write_failed", F_INT("error", -error),
              F_INT("segment", log->tail->slot));
    log->full = log->full || error == -ENOSPC;
    pool_seal_tail(log, error != -ENOSPC);
    while (!list_empty(&log->batch)) {
        struct append *a = CONTAINER_OF(log->batch.prev, struct append, link);
        list_remove(&a->link);
        a->attempts++;
        list_prepend(&log->appends, &a->link);
    }
    LIST_EACH (node, &log->appends) {
        struct append *a = CONTAINER_OF(node, struct append, link);
        if (a->attempts >= 2) {
            finish(a, error == -ENOSPC ? -ENOSPC : -EIO);
        }
    }
}

static void commit_ends(struct spool_log *log)
{
    log->committing = false;
    log_commit(log);
    log_wake(log);
}

static void tail_entered(struct roll_entry *e, int result)
{
    struct spool_log *log = CONTAINER_OF(e, struct spool_log, tail_enters);
    (void)result; /* the records are durable all the same; the next entry names their segment */
    tell_batch(log);
    commit_ends(log);
}

static void written(struct disk_op *op)
{
    struct spool_log *log = CONTAINER_OF(op, struct spool_log, commit_op);
    if (op->result < 0) {
        write_again(log, (int)op->result);
    } else if (batch_stands(log)) {
        log->tail_enters.done = tail_entered;
        roll_enter(log, &log->tail_enters);
        return;
    } else {
        tell_batch(log);
    }
    commit_ends(log);
}

static void refuse(struct spool_log *log)
{
    LIST_EACH (node, &log->appends) {
        struct append *a = CONTAINER_OF(node, struct append, link);
        if (!admitted(log, a, 0)) {
            pool_ask_space(log);
            finish(a, -ENOSPC);
        }
    }
}

void commit_taken(struct spool_log *log, int result)
{
    log->committing = false;
    /* -EAGAIN: the disk was found full just now, and each record is to be judged by that. */
    if (result < 0 && result != -EAGAIN && !list_empty(&log->appends)) {
        finish(CONTAINER_OF(log->appends.next, struct append, link), result);
    }
    log_wake(log);
}

void log_commit(struct spool_log *log)
{
    if (log->committing) {
        return;
    }
    refuse(log);
    if (list_empty(&log->appends)) {
        return;
    }
    struct append *first = CONTAINER_OF(log->appends.next, struct append, link);
    log->committing = true;
    if (!log->tail || segment_room(log->tail) < bytes_of(first)) {
        pool_take(log);
        return;
    }
    gather(log);
    if (list_empty(&log->batch)) {
        log->committing = false;
        finish(first, -ENOMEM);
        log_wake(log);
        return;
    }
    log->batch_pieces = (struct disk_pieces){log->pieces, log->piece_count};
    log->commit_op = (struct disk_op){.done = written};
    uint64_t offset = log->tail->end;
    log->ports->disk->write_sync(log->ports->disk, &log->commit_op, log->tail->file, offset,
                                 &log->batch_pieces);
}
