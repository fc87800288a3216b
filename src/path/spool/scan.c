/* Reading one segment after the other at recovery. */
#include <errno.h>
#include <stdlib.h>

#include "core/base/scan.h"
#include "path/spool/recover.h"

enum { CHUNK = 1024 * 1024 };

static void read_more(struct recovery *r, uint64_t size);

static void segment_damage(struct recovery *r, const char *what)
{
    struct segment *s = r->segment;
    recovery_damage(r, what, log_segment_path(r->log, s).ptr, r->offset);
}

static void next_segment(struct recovery *r)
{
    r->searching = false;
    r->scanning++;
    recovery_scan(r);
}

/* `valid_behind`: bytes behind the end could pass for records of this segment, so that nothing may
 * be written before them. */
static void segment_ends(struct recovery *r, bool valid_behind)
{
    struct segment *s = r->segment;
    bool newest = r->scanning == 0;
    s->end = r->offset;
    if (newest && !valid_behind && !s->damaged) {
        s->state = SEGMENT_TAIL;
        r->log->tail = s;
    } else if (newest) {
        r->log->untold[r->log->untold_count++] = (struct segment_end){s->generation, s->end};
    }
    next_segment(r);
}

static bool show(struct recovery *r, const struct record *record)
{
    struct segment *s = r->segment;
    struct location at = {s->slot, (uint32_t)r->offset, (uint32_t)record_length(record)};
    if (r->scanning == 0 && record->synced > r->claimed) {
        r->claimed = record->synced;
    }
    if (record->type == RECORD_ENDS) {
        bool memory = true;
        struct scan sc = {.rest = record->outcomes};
        while (memory && sc.rest.len >= 16) {
            struct segment_end end = {.generation = scan_get_u64(&sc)};
            end.end = scan_get_u64(&sc);
            memory = end.generation >= s->generation || recovery_end_told(r, end);
            for (size_t i = 0; i < r->log->slot_count; i++) {
                struct segment *t = r->log->segments[i];
                if (t && t->state == SEGMENT_SEALED && t->generation == end.generation &&
                    t->teller < s->generation) {
                    t->teller = s->generation;
                }
            }
        }
        return memory;
    }
    if (record->type == RECORD_REMOVE) {
        s->tombs += record_padded(at.length);
        s->born_min = record->born < s->born_min ? record->born : s->born_min;
    }
    return recovered_show(&r->found, record, s->generation, at);
}

/* A record at `offset` is bad. If a good one behind it knows that this one was durable, it was not
 * torn by a power cut. `bytes` are all that follow it. */
static void judge_bad(struct recovery *r, struct str bytes)
{
    bool valid_behind = false;
    for (size_t at = RECORD_ALIGN; at < bytes.len; at += RECORD_ALIGN) {
        struct record record;
        if (record_read(str_tail(bytes, at), r->segment->seed, &record, NULL) != RECORD_OK) {
            continue;
        }
        valid_behind = true;
        bool durable = r->told || record.synced > r->offset || r->noted > r->offset;
        if (durable && !r->op->salvage) {
            segment_damage(r, "a record is damaged");
            return;
        }
        if (durable) {
            r->op->salvaged++;
            r->segment->damaged = true;
            r->searching = false;
            r->offset += at;
            read_more(r, CHUNK);
            return;
        }
    }
    bool durable = r->told || r->noted > r->offset;
    if (durable && !r->op->salvage) {
        segment_damage(r, "a record is damaged");
        return;
    }
    if (durable) {
        r->op->salvaged++;
        r->segment->damaged = true;
        r->offset = r->told ? r->limit : r->noted;
    }
    segment_ends(r, valid_behind || durable);
}

static void take_bytes(struct recovery *r, struct str bytes)
{
    while (bytes.len > 0) {
        struct record record;
        uint64_t left = r->limit - r->offset;
        enum record_result result = record_read(bytes, r->segment->seed, &record, NULL);
        if (result == RECORD_SHORT && bytes.len < left &&
            (bytes.len < RECORD_HEAD || record_length(&record) <= left)) {
            uint64_t need = bytes.len < RECORD_HEAD ? 0 : record_length(&record);
            read_more(r, need > CHUNK ? need : CHUNK);
            return;
        }
        if (result != RECORD_OK) {
            r->searching = true;
            read_more(r, left);
            return;
        }
        if (!show(r, &record)) {
            recovery_fail(r, -ENOMEM);
            return;
        }
        uint64_t step = record_padded(record_length(&record));
        r->offset += step; /* its padding may have been torn off */
        bytes = str_tail(bytes, (size_t)step);
    }
    if (r->offset < r->limit) {
        read_more(r, CHUNK);
    } else {
        segment_ends(r, false);
    }
}

static void chunk_read(struct disk_op *op)
{
    struct recovery *r = CONTAINER_OF(op, struct recovery, disk_op);
    if (op->result < (int64_t)r->size) {
        segment_damage(r, op->result < 0 ? "a segment cannot be read" : "a segment was cut");
        return;
    }
    struct str bytes = str_from(r->bytes, r->size);
    if (r->searching) {
        judge_bad(r, bytes);
    } else {
        take_bytes(r, bytes);
    }
}

/* From the present offset. */
static void read_more(struct recovery *r, uint64_t size)
{
    uint64_t left = r->limit - r->offset;
    r->size = (uint32_t)(size < left ? size : left);
    if (!r->bytes || r->size > r->room) {
        free(r->bytes);
        r->room = r->size ? r->size : 1;
        r->bytes = malloc(r->room);
    }
    if (!r->bytes) {
        recovery_fail(r, -ENOMEM);
        return;
    }
    r->disk_op = (struct disk_op){.done = chunk_read};
    r->log->ports->disk->read(r->log->ports->disk, &r->disk_op, r->segment->file, r->offset,
                              str_from(r->bytes, r->size));
}

static bool find_end(const struct recovery *r, uint64_t generation, uint64_t *end)
{
    for (size_t i = 0; i < r->end_count; i++) {
        if (r->ends[i].generation == generation) {
            *end = r->ends[i].end;
            return true;
        }
    }
    return false;
}

void recovery_scan(struct recovery *r)
{
    if (r->scanning == r->header_count) {
        free(r->bytes);
        r->bytes = NULL;
        recovery_settle(r);
        return;
    }
    const struct segment_header *h = &r->headers[r->scanning];
    struct segment *s = r->log->segments[h->slot];
    r->segment = s;
    r->offset = SEGMENT_START;
    r->limit = s->end; /* the file's size, so far */
    r->told = find_end(r, h->generation, &r->limit);
    r->noted = r->scanning == 0 ? recovery_roll_end(r, h->generation) : 0;
    r->claimed = r->scanning == 0 ? r->noted : r->claimed;
    if ((r->told && r->limit > s->end) || r->noted > s->end) {
        if (!r->op->salvage) {
            segment_damage(r, "a segment was cut");
            return;
        }
        r->op->salvaged++;
        s->damaged = true;
        r->noted = 0;
        r->limit = s->end;
    } else if (!r->told && r->scanning > 0 && !r->op->salvage) {
        segment_damage(r, "a segment that tells where this one ends is missing; behind it,");
        return;
    }
    s->damaged = s->damaged || (!r->told && r->scanning > 0);
    s->end = 0;
    for (size_t i = 0; i < h->end_count; i++) {
        if (!recovery_end_told(r, h->ends[i])) {
            recovery_fail(r, -ENOMEM);
            return;
        }
    }
    if (r->limit <= SEGMENT_START) {
        r->offset = r->scanning == 0 ? SEGMENT_START : 0;
        segment_ends(r, false);
    } else {
        read_more(r, CHUNK);
    }
}
