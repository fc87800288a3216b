/* Freeing space: a segment in which little lives is read through, what lives is written to the
 * tail as it is, and the segment is given back. */
#include <errno.h>
#include <stdlib.h>

#include "path/spool/inside.h"

enum { CHUNK = 1024 * 1024 };

struct compactor {
    struct spool_log *log;
    struct segment *victim; /* null: idle */
    bool at_work;           /* a step is under way */
    uint64_t offset;        /* read so far */
    char *bytes;
    uint32_t size; /* of `bytes` */
    unsigned moves;
    bool scanned; /* the step has dispatched all of its chunk */
    bool failed;
    struct disk_op op;
    struct freeing freeing;
};

struct move {
    struct append append;
    struct compactor *compactor;
    struct entry *entry; /* null: a remove record */
    struct location from;
};

bool compactor_new(struct spool_log *log)
{
    log->compactor = calloc(1, sizeof *log->compactor);
    if (log->compactor) {
        log->compactor->log = log;
    }
    return log->compactor != NULL;
}

bool compactor_idle(const struct spool_log *log)
{
    return !log->compactor || !log->compactor->at_work;
}

void compactor_free(struct spool_log *log)
{
    if (log->compactor) {
        free(log->compactor->bytes);
        free(log->compactor);
        log->compactor = NULL;
    }
}

/* A remove record counts as long as a segment is in use that may hold a record of its message. */
static bool generation_used(const struct spool_log *log, uint64_t from, uint64_t before)
{
    for (size_t i = 0; i < log->slot_count; i++) {
        const struct segment *s = log->segments[i];
        if (s && s->state >= SEGMENT_TAIL && s->generation >= from && s->generation < before) {
            return true;
        }
    }
    return false;
}

static uint64_t weight(const struct spool_log *log, const struct segment *s)
{
    bool tombs = s->tombs > 0 && generation_used(log, s->born_min, s->generation);
    return s->live + (tombs ? s->tombs : 0);
}

static struct segment *choose(const struct spool_log *log)
{
    struct segment *best = NULL;
    uint64_t used = 0;
    uint64_t live = log->tail ? log->tail->live : 0;
    for (size_t i = 0; i < log->slot_count; i++) {
        struct segment *s = log->segments[i];
        if (!s || s->state != SEGMENT_SEALED) {
            continue;
        }
        used += s->size;
        live += s->live;
        if (s->pins > 0 || s->stuck) {
            continue;
        }
        if (s->damaged) {
            return s;
        }
        best = !best || weight(log, s) < weight(log, best) ? s : best;
    }
    if (!best || weight(log, best) == 0) {
        return best;
    }
    bool pressed = log->full && pool_free_count(log) <= log->reserve_segments;
    uint64_t most = pressed ? best->size / 4 * 3 : best->size / 2;
    bool room = !log->full || weight(log, best) <= pool_available(log);
    return (used > 2 * live || pressed) && weight(log, best) <= most && room ? best : NULL;
}

static void step_end(struct compactor *c)
{
    free(c->bytes);
    c->bytes = NULL;
    c->at_work = false;
    if (c->failed) {
        c->victim = NULL;
    }
    log_wake(c->log);
}

static void given_back(struct freeing *f, int result)
{
    struct compactor *c = CONTAINER_OF(f, struct compactor, freeing);
    if (result < 0) {
        log_event(c->log->ports->log, LOG_ERROR, "spool_segment_kept", F_INT("error", -result));
        c->victim->stuck = result != -ENOSPC;
    }
    c->victim = NULL;
    step_end(c);
}

static void finish_victim(struct compactor *c)
{
    /* What was busy or pinned when it was read keeps it for another time. */
    if (c->victim->live > 0 || c->victim->pins > 0) {
        c->victim = NULL;
        step_end(c);
        return;
    }
    c->freeing.log = c->log;
    c->freeing.segment = c->victim;
    c->freeing.done = given_back;
    segment_give_back(&c->freeing);
}

static void check_step(struct compactor *c)
{
    if (c->scanned && c->moves == 0) {
        step_end(c);
    }
}

static struct location *place_of(struct entry *e, struct location at)
{
    for (uint32_t i = 0; e->outcomes && i < e->outcomes->count; i++) {
        struct location *place = &e->outcomes->at[i];
        if (place->slot == at.slot && place->offset == at.offset) {
            return place;
        }
    }
    return NULL;
}

static void moved(struct append *a, int result)
{
    struct move *m = CONTAINER_OF(a, struct move, append);
    struct compactor *c = m->compactor;
    struct spool_log *log = c->log;
    struct entry *e = m->entry;
    c->failed = c->failed || result < 0;
    if (result == 0 && !e) {
        struct segment *s = log->segments[a->at.slot];
        s->tombs += record_padded(a->at.length);
        s->born_min = a->record.born < s->born_min ? a->record.born : s->born_min;
    } else if (result == 0) {
        struct location *place = a->record.type == RECORD_MESSAGE ? &e->at : place_of(e, m->from);
        if (place) { /* marks wait while records of it move, so it is where it was */
            log_live(log, *place, false);
            *place = a->at;
            log_live(log, *place, true);
        }
    }
    if (e) {
        e->flags &= (uint16_t) ~(a->record.type == RECORD_MESSAGE ? ENTRY_MOVING : 0);
        if (--e->moves == 0 || a->record.type == RECORD_MESSAGE) {
            log_entry_free(log, e);
        }
    }
    free(m);
    c->moves--;
    check_step(c);
}

/* The entry that the record belongs to, if it counts and may be moved now. */
static struct entry *movable(struct compactor *c, const struct record *r, struct location at)
{
    struct entry *e = index_find(&c->log->index, (struct queue_id){r->id});
    if (!e || e->flags & (ENTRY_PENDING | ENTRY_REMOVED | ENTRY_BUSY)) {
        return NULL;
    }
    if (r->type == RECORD_OUTCOME) {
        return place_of(e, at) ? e : NULL;
    }
    return e->at.slot == at.slot && e->at.offset == at.offset && e->pins == 0 ? e : NULL;
}

static void move(struct compactor *c, const struct record *r, struct str body, struct location at)
{
    struct entry *e = NULL;
    if (r->type == RECORD_REMOVE) {
        if (!generation_used(c->log, r->born, c->victim->generation)) {
            return;
        }
    } else if (r->type == RECORD_ENDS || !(e = movable(c, r, at))) {
        return;
    }
    /* The body's slice needs a home of its own: several pieces are many, this is one. */
    struct move *m = calloc(1, sizeof *m + sizeof(struct str));
    if (!m) {
        c->failed = true;
        return;
    }
    struct str *piece = (struct str *)(void *)(m + 1);
    *piece = body;
    m->compactor = c;
    m->entry = e;
    m->from = at;
    m->append.done = moved;
    m->append.level = LEVEL_COMPACT;
    m->append.record = *r;
    m->append.body = (struct disk_pieces){piece, body.len > 0 ? 1 : 0};
    c->moves++;
    if (e) {
        e->moves++;
        e->flags |= r->type == RECORD_MESSAGE ? ENTRY_MOVING : 0;
    }
    log_append(c->log, &m->append);
}

static void read_chunk(struct compactor *c, uint32_t size);

/* Takes the records of a chunk; true when the next chunk must be larger to hold one whole. */
static bool take_chunk(struct compactor *c, struct str bytes, uint32_t *larger)
{
    struct segment *s = c->victim;
    while (bytes.len > 0) {
        struct record r;
        struct str body = {0};
        enum record_result result = record_read(bytes, s->seed, &r, &body);
        uint64_t left = s->end - c->offset;
        bool runs_out = result == RECORD_SHORT &&
                        (bytes.len < RECORD_HEAD ? bytes.len < left : record_length(&r) <= left);
        if (runs_out) {
            *larger = bytes.len < RECORD_HEAD ? CHUNK : (uint32_t)record_padded(record_length(&r));
            return true;
        }
        uint64_t skip = RECORD_ALIGN;
        if (result == RECORD_OK) {
            struct location at = {s->slot, (uint32_t)c->offset, (uint32_t)record_length(&r)};
            skip = record_padded(at.length);
            move(c, &r, body, at);
        } else if (!s->damaged) {
            log_event(c->log->ports->log, LOG_ERROR, "spool_damaged", F_INT("segment", s->slot),
                      F_INT("offset", c->offset));
            s->stuck = true;
            c->failed = true;
            return false;
        }
        c->offset += skip;
        bytes = str_tail(bytes, (size_t)skip);
    }
    return false;
}

static void chunk_read(struct disk_op *op)
{
    struct compactor *c = CONTAINER_OF(op, struct compactor, op);
    uint32_t larger = 0;
    if (op->result < c->size) { /* all of it was there once */
        log_event(c->log->ports->log, LOG_ERROR, "spool_damaged", F_INT("segment", c->victim->slot),
                  F_INT("offset", c->offset));
        c->victim->stuck = true;
        c->failed = true;
    } else if (take_chunk(c, str_from(c->bytes, (size_t)op->result), &larger) && c->moves == 0 &&
               larger > c->size) {
        free(c->bytes);
        c->bytes = NULL;
        read_chunk(c, larger);
        return;
    }
    c->scanned = true;
    check_step(c);
}

static void read_chunk(struct compactor *c, uint32_t size)
{
    uint64_t left = c->victim->end - c->offset;
    c->size = size < left ? size : (uint32_t)left;
    c->bytes = calloc(1, c->size);
    if (!c->bytes) {
        c->failed = true;
        step_end(c);
        return;
    }
    c->op = (struct disk_op){.done = chunk_read};
    c->log->ports->disk->read(c->log->ports->disk, &c->op, c->victim->file, c->offset,
                              str_from(c->bytes, c->size));
}

bool compactor_tick(struct spool_log *log)
{
    struct compactor *c = log->compactor;
    if (c->at_work) {
        return true;
    }
    if (!c->victim) {
        c->victim = choose(log);
        c->offset = SEGMENT_START;
    }
    if (!c->victim) {
        return false;
    }
    c->at_work = true;
    c->failed = false;
    c->scanned = false;
    c->moves = 0;
    if (c->offset < c->victim->end && weight(log, c->victim) > 0) {
        read_chunk(c, CHUNK);
    } else {
        finish_victim(c);
    }
    return true;
}
