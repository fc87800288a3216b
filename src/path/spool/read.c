#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "path/spool/inside.h"

static void fetched(struct disk_op *op)
{
    struct record_read *r = CONTAINER_OF(op, struct record_read, op);
    const struct segment *s = r->log->segments[r->at.slot];
    int result = op->result < 0 ? (int)op->result : 0;
    if (result == 0) {
        struct str bytes = str_from(r->bytes, (size_t)op->result);
        if (record_read_head(bytes, s->seed, &r->record) != RECORD_OK) {
            result = -EIO;
        }
    }
    r->done(r, result);
}

void record_fetch(struct record_read *r)
{
    const struct segment *s = r->log->segments[r->at.slot];
    r->op = (struct disk_op){.done = fetched};
    r->log->ports->disk->read(r->log->ports->disk, &r->op, s->file, r->at.offset,
                              str_from(r->bytes, r->want));
}

static void pin_places(struct outcomes_read *o, bool pin)
{
    for (uint32_t i = 0; o->pin && i < o->places->count; i++) {
        struct segment *s = o->read.log->segments[o->places->at[i].slot];
        s->pins += pin ? 1U : 0U - 1U;
    }
}

static void outcomes_end(struct outcomes_read *o, int result)
{
    pin_places(o, false);
    free(o->places);
    o->places = NULL;
    o->done(o, result);
}

static void outcomes_next(struct outcomes_read *o);

static void outcome_fetched(struct record_read *r, int result)
{
    struct outcomes_read *o = CONTAINER_OF(r, struct outcomes_read, read);
    if (result == 0 && r->record.type != RECORD_OUTCOME) {
        result = -EIO;
    }
    if (result == 0) {
        buf_add(&o->joined, r->record.outcomes);
        result = o->joined.failed ? -ENOMEM : 0;
    }
    free(r->bytes);
    r->bytes = NULL;
    if (result < 0 || o->next == o->places->count) {
        outcomes_end(o, result);
    } else {
        outcomes_next(o);
    }
}

static void outcomes_next(struct outcomes_read *o)
{
    o->read.done = outcome_fetched;
    o->read.at = o->places->at[o->next++];
    o->read.want = o->read.at.length;
    o->read.bytes = malloc(o->read.want);
    if (!o->read.bytes) {
        outcomes_end(o, -ENOMEM);
        return;
    }
    record_fetch(&o->read);
}

bool outcomes_fetch(struct spool_log *log, struct outcomes_read *o, const struct entry *e)
{
    size_t size = sizeof *e->outcomes + e->outcomes->count * sizeof e->outcomes->at[0];
    /* The first buffer is made here, so that running out of memory at once is told at once. */
    char *bytes = malloc(e->outcomes->at[0].length);
    o->places = malloc(size);
    if (!o->places || !bytes) {
        free(o->places);
        free(bytes);
        return false;
    }
    memcpy(o->places, e->outcomes, size);
    o->read.log = log;
    o->next = 1;
    o->read.done = outcome_fetched;
    o->read.at = o->places->at[0];
    o->read.want = o->read.at.length;
    o->read.bytes = bytes;
    pin_places(o, true);
    record_fetch(&o->read);
    return true;
}
