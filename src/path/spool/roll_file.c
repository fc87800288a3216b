/* The roll on disk: written when a segment comes into use, before it goes out of use, when the
 * tail has grown much, and at the end. One write at a time, the two files in turn. */
#include <errno.h>
#include <stdlib.h>

#include "path/spool/inside.h"

enum { NOTES = 16 }; /* how often the end of a segment is noted while it fills */

static bool is_named(const struct segment *s)
{
    return s && s->state >= SEGMENT_TAIL && s->end > 0 && !s->leaves;
}

static int ascending(const void *a, const void *b)
{
    const uint64_t *x = a;
    const uint64_t *y = b;
    return *x < *y ? -1 : *x > *y;
}

/* False: no memory. */
static bool call_roll(const struct spool_log *log, struct roll_keeper *k)
{
    uint64_t *all = malloc((log->slot_count + 1) * sizeof *all);
    struct buf named = {0};
    size_t count = 0;
    const struct segment *newest = NULL;
    if (!all) {
        return false;
    }
    for (size_t i = 0; i < log->slot_count; i++) {
        const struct segment *s = log->segments[i];
        if (is_named(s)) {
            all[count++] = s->generation;
            newest = newest && newest->generation > s->generation ? newest : s;
        }
    }
    qsort(all, count, sizeof *all, ascending);
    for (size_t i = 0; i < count; i++) {
        buf_put_u64(&named, all[i]);
    }
    free(all);
    k->noted_generation = newest ? newest->generation : 0;
    k->noted_end = newest ? newest->end : 0;
    struct roll roll = {k->version + 1, k->noted_end, buf_str(&named)};
    buf_clear(&k->bytes);
    roll_write(&k->bytes, &roll);
    bool memory = !named.failed && !k->bytes.failed;
    buf_done(&named);
    return memory;
}

static void entered(struct spool_log *log, int result)
{
    struct roll_keeper *k = &log->roll;
    struct roll_entry *e = k->entering;
    k->entering = NULL;
    if (result < 0) {
        log_event(log->ports->log, LOG_ERROR, "spool_roll_failed", F_INT("error", -result));
    }
    e->done(e, result);
    if (log->closed || !list_empty(&k->waiting)) {
        log_wake(log); /* not else: a recovery that fails frees the log */
    }
}

static void written(struct disk_op *op)
{
    struct spool_log *log = CONTAINER_OF(op, struct spool_log, roll.op);
    struct roll_keeper *k = &log->roll;
    if (op->result == 0) {
        k->version++;
        k->turn = !k->turn; /* what may be torn is written over, not the last good one */
    }
    entered(log, (int)op->result);
}

void roll_enter(struct spool_log *log, struct roll_entry *e)
{
    list_append(&log->roll.waiting, &e->link);
    log_wake(log);
}

static void noted(struct roll_entry *e, int result)
{
    (void)e;
    (void)result; /* what the older roll claims holds as well */
}

/* How much the newest segment has grown since it was last written down. */
static uint64_t grown(const struct spool_log *log)
{
    const struct roll_keeper *k = &log->roll;
    if (!log->tail || log->tail->end == 0) {
        return 0;
    }
    return log->tail->generation == k->noted_generation ? log->tail->end - k->noted_end
                                                        : log->tail->end;
}

void roll_note(struct spool_log *log, bool all)
{
    struct roll_keeper *k = &log->roll;
    if (roll_idle(log) && grown(log) > (all ? 0 : log->segment_size / NOTES)) {
        k->note.done = noted;
        roll_enter(log, &k->note);
    }
}

bool roll_idle(const struct spool_log *log)
{
    return !log->roll.entering && list_empty(&log->roll.waiting);
}

void roll_turn(struct spool_log *log)
{
    struct roll_keeper *k = &log->roll;
    if (k->entering || list_empty(&k->waiting)) {
        return;
    }
    k->entering = CONTAINER_OF(list_pop(&k->waiting), struct roll_entry, link);
    if (!k->files[k->turn] || !call_roll(log, k)) {
        entered(log, k->files[k->turn] ? -ENOMEM : -EBADF);
        return;
    }
    k->piece = buf_str(&k->bytes);
    k->pieces = (struct disk_pieces){&k->piece, 1};
    k->op = (struct disk_op){.done = written};
    log->ports->disk->write_sync(log->ports->disk, &k->op, k->files[k->turn], 0, &k->pieces);
}

void roll_done(struct spool_log *log)
{
    for (size_t i = 0; i < ROLL_FILES; i++) {
        if (log->roll.files[i]) {
            log->ports->disk->close(log->ports->disk, log->roll.files[i]);
        }
    }
    buf_done(&log->roll.bytes);
}
