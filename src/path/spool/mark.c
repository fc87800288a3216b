#include <errno.h>
#include <stdlib.h>

#include "path/spool/inside.h"

struct mark_work {
    struct append append;
    struct task task;
    struct spool_log *log;
    struct spool_mark *op;
    struct entry *entry;
    struct outcomes_read story;
};

static void mark_end(struct mark_work *w, int result)
{
    struct spool_mark *op = w->op;
    buf_done(&w->story.joined);
    op->result = result;
    w->log->under_way--;
    log_wake(w->log);
    free(w);
    op->done(op);
}

static void forget(struct spool_log *log, struct entry *e, const struct append *a)
{
    struct segment *s = log->segments[a->at.slot];
    s->tombs += record_padded(a->at.length);
    s->born_min = a->record.born < s->born_min ? a->record.born : s->born_min;
    log_live(log, e->at, false);
    for (uint32_t i = 0; e->outcomes && i < e->outcomes->count; i++) {
        log_live(log, e->outcomes->at[i], false);
    }
    log->messages--;
    e->flags |= ENTRY_REMOVED;
    if (e->pins == 0) {
        log_forget(log, e);
    }
}

static void marked(struct append *a, int result)
{
    struct mark_work *w = CONTAINER_OF(a, struct mark_work, append);
    struct spool_log *log = w->log;
    struct entry *e = w->entry;
    e->flags &= (uint16_t)~ENTRY_BUSY;
    if (result == 0 && a->record.type == RECORD_OUTCOME) {
        struct places *p = e->outcomes;
        if (a->record.first != a->record.last) {
            for (uint32_t i = 0; i < p->count; i++) {
                log_live(log, p->at[i], false);
            }
            p->count = 0;
        }
        p->at[p->count++] = a->at;
        e->last = a->record.last;
        log_live(log, a->at, true);
    }
    log_entry_free(log, e);
    if (result == 0 && a->record.type == RECORD_REMOVE) {
        forget(log, e, a);
    }
    mark_end(w, result);
}

/* The story so far and the new outcome become one record. */
static void story_read(struct outcomes_read *story, int result)
{
    struct mark_work *w = CONTAINER_OF(story, struct mark_work, story);
    struct record *r = &w->append.record;
    buf_add(&story->joined, w->op->outcomes);
    if (result == 0 && !story->joined.failed) {
        r->first = w->entry->merged + 1;
        r->outcomes = buf_str(&story->joined);
    } /* or else it stands alone: what could not be read is not lost by that */
    log_append(w->log, &w->append);
}

static bool worth_merging(const struct spool_log *log, const struct mark_work *w)
{
    uint64_t bytes = RECORD_HEAD + w->op->outcomes.len;
    const struct places *p = w->entry->outcomes;
    for (uint32_t i = 0; p && i < p->count; i++) {
        bytes += p->at[i].length;
    }
    return p && p->count >= MERGE_AT && bytes <= log->inline_limit &&
           bytes <= log->segment_size / 4;
}

static void mark_begin(struct task *task)
{
    struct mark_work *w = CONTAINER_OF(task, struct mark_work, task);
    struct spool_log *log = w->log;
    struct entry *e = index_find(&log->index, w->op->id);
    struct record *r = &w->append.record;
    if (!e || e->flags & (ENTRY_PENDING | ENTRY_REMOVED)) {
        mark_end(w, -ENOENT);
        return;
    }
    if (e->flags & ENTRY_BUSY || e->moves > 0) {
        log_wait(log, task, w->op->id);
        return;
    }
    bool fits = RECORD_HEAD + (uint64_t)w->op->outcomes.len <=
                log->segment_size - SEGMENT_START - RECORD_ALIGN;
    if (!w->op->finished && (!fits || !entry_reserve(e))) {
        mark_end(w, fits ? -ENOMEM : -EFBIG);
        return;
    }
    w->entry = e;
    e->flags |= ENTRY_BUSY;
    w->append.done = marked;
    w->append.level = LEVEL_MARK;
    *r = (struct record){.type = w->op->finished ? RECORD_REMOVE : RECORD_OUTCOME,
                         .id = e->id.value,
                         .born = e->born};
    if (!w->op->finished) {
        r->first = r->last = e->last + 1;
        r->outcomes = w->op->outcomes;
        w->story.done = story_read;
        if (worth_merging(log, w) && outcomes_fetch(log, &w->story, e)) {
            return;
        }
    }
    log_append(log, &w->append);
}

void log_mark(struct spool *s, struct spool_mark *op)
{
    struct spool_log *log = CONTAINER_OF(s, struct spool_log, spool);
    struct mark_work *w = calloc(1, sizeof *w);
    if (!w) {
        op->result = -ENOMEM;
        list_append(&log->dead_marks, &op->link);
        log_wake(log);
        return;
    }
    w->log = log;
    w->op = op;
    w->task.run = mark_begin;
    log->under_way++;
    log_soon(log, &w->task);
}
