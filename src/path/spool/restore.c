/* The end of recovery: the index is made from what was found, and the caller told of it. */
#include <errno.h>
#include <stdlib.h>

#include "path/spool/recover.h"

static bool add_entry(struct spool_log *log, const struct recovered *m)
{
    struct entry *e = index_add(&log->index, (struct queue_id){m->id});
    if (!e) {
        return false;
    }
    e->at = m->at;
    e->before_body = m->before_body;
    e->body_size = m->body_size;
    e->born = m->born;
    e->merged = m->merged;
    e->last = m->merged;
    e->flags = m->body_file ? ENTRY_BODY_FILE : 0;
    log_live(log, e->at, true);
    for (const struct recovered_outcome *o = m->outcomes; o; o = o->next) {
        if (!entry_reserve(e)) {
            return false;
        }
        e->outcomes->at[e->outcomes->count++] = o->at;
        e->last = o->last;
        log_live(log, o->at, true);
    }
    log->messages++;
    log->bodies_bytes += m->body_file ? m->body_size : 0;
    return true;
}

static bool tell(struct recovery *r, const struct recovered *m)
{
    struct buf story = {0};
    recovered_story(m, &story);
    bool memory = !story.failed;
    if (memory && r->op->found) {
        struct spool_found found = {.id = {m->id},
                                    .envelope = str_from(m->texts, m->envelope_len),
                                    .outcomes = buf_str(&story)};
        r->op->found(r->op, &found);
    }
    buf_done(&story);
    return memory;
}

/* False where a body is missing and it is not for salvage to go on. */
static bool bodies_there(struct recovery *r, struct recovered **all, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!all[i]->body_file || all[i]->body_seen) {
            continue;
        }
        if (!r->op->salvage) {
            struct queue_id id = {all[i]->id};
            recovery_damage(r, "a body is missing or cut", log_body_path(r->log, id).ptr, 0);
            return false;
        }
        r->op->salvaged++;
        all[i]->lost = true;
    }
    return true;
}

static void lost_removed(struct spool_mark *op)
{
    free(op);
}

/* A message without its body is finished, so that the next opening does not stumble over it. Where
 * that fails, it meets the same damage again. */
static void remove_lost(struct spool_log *log, const struct recovered *m)
{
    struct spool_mark *op = calloc(1, sizeof *op);
    if (op) {
        *op = (struct spool_mark){.done = lost_removed, .id = {m->id}, .finished = true};
        log_mark(&log->spool, op);
    }
}

void recovery_restore(struct recovery *r)
{
    size_t count = 0;
    struct recovered **all = recovered_sorted(&r->found, &count);
    if (!all) {
        recovery_fail(r, -ENOMEM);
        return;
    }
    if (!bodies_there(r, all, count)) {
        free(all);
        return;
    }
    bool memory = compactor_new(r->log);
    r->op->spool = &r->log->spool; /* whoever is told of messages may want to know where they are */
    for (size_t i = 0; memory && i < count; i++) {
        memory = add_entry(r->log, all[i]);
    }
    for (size_t i = 0; memory && i < count; i++) {
        memory = all[i]->lost || tell(r, all[i]);
    }
    for (size_t i = 0; memory && i < count; i++) {
        if (all[i]->lost) {
            remove_lost(r->log, all[i]);
        }
    }
    free(all);
    if (!memory) {
        recovery_fail(r, -ENOMEM);
        return;
    }
    struct spool_log_open *op = r->op;
    struct spool_log *log = r->log;
    recovery_free(r);
    (void)pool_build(log, false);
    pool_ask_space(log);
    op->result = 0;
    op->done(op);
}
