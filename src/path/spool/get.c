#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "path/spool/inside.h"

struct get_work {
    struct task task;
    struct spool_log *log;
    struct spool_get *op;
    struct entry *entry; /* pinned */
    struct record_read head;
    struct outcomes_read story;
    struct disk_op body_op;
};

static void unpin(struct spool_log *log, struct entry *e)
{
    if (--e->pins > 0) {
        return;
    }
    log->segments[e->at.slot]->pins--;
    if (e->body) {
        log->ports->disk->close(log->ports->disk, e->body);
        e->body = NULL;
    }
    if (e->flags & ENTRY_REMOVED) {
        log_forget(log, e);
    }
}

static void get_end(struct get_work *w, int result)
{
    struct spool_get *op = w->op;
    struct spool_log *log = w->log;
    if (result < 0 && w->entry) {
        unpin(log, w->entry);
    }
    free(w->head.bytes);
    buf_done(&w->story.joined);
    free(w);
    log->under_way--;
    log_wake(log);
    op->result = result;
    op->done(op);
}

static void get_texts(struct get_work *w)
{
    struct spool_get *op = w->op;
    const struct record *r = &w->head.record;
    struct entry *e = w->entry;
    op->envelope = arena_copy(op->arena, r->envelope);
    op->additions = arena_copy(op->arena, r->additions);
    op->outcomes = arena_copy(op->arena, buf_str(&w->story.joined));
    op->body = (struct spool_body){.file = e->body, .size = e->body_size};
    if (!(e->flags & ENTRY_BODY_FILE)) {
        op->body.file = w->log->segments[e->at.slot]->file;
        op->body.offset = e->at.offset + e->before_body;
        op->body.bytes = e->recent ? e->recent->bytes + e->before_body : NULL;
    }
    bool memory = op->envelope.ptr && op->additions.ptr && op->outcomes.ptr;
    get_end(w, memory ? 0 : -ENOMEM);
}

static void body_open(struct disk_op *op)
{
    struct get_work *w = CONTAINER_OF(op, struct get_work, body_op);
    if (op->result < 0) {
        get_end(w, op->result == -ENOENT ? -EIO : (int)op->result);
        return;
    }
    if (w->entry->body) { /* another reader was faster */
        w->log->ports->disk->close(w->log->ports->disk, op->file);
    } else {
        w->entry->body = op->file;
    }
    get_texts(w);
}

static void story_read(struct outcomes_read *story, int result)
{
    struct get_work *w = CONTAINER_OF(story, struct get_work, story);
    if (result < 0) {
        get_end(w, result);
    } else if (w->entry->flags & ENTRY_BODY_FILE && !w->entry->body) {
        w->body_op = (struct disk_op){.done = body_open};
        w->log->ports->disk->open(w->log->ports->disk, &w->body_op,
                                  log_body_path(w->log, w->entry->id), DISK_READ | DISK_NO_FOLLOW);
    } else {
        get_texts(w);
    }
}

static void head_read(struct record_read *read, int result)
{
    struct get_work *w = CONTAINER_OF(read, struct get_work, head);
    struct entry *e = w->entry;
    if (result == 0 && (read->record.type != RECORD_MESSAGE || read->record.id != e->id.value)) {
        result = -EIO;
    }
    if (result < 0) {
        get_end(w, result);
        return;
    }
    buf_add(&w->story.joined, read->record.outcomes);
    w->story.pin = true;
    w->story.done = story_read;
    if (!e->outcomes || e->outcomes->count == 0) {
        story_read(&w->story, 0);
    } else if (!outcomes_fetch(w->log, &w->story, e)) {
        get_end(w, -ENOMEM);
    }
}

/* A record that was moved since does not validate at its new place: then it is read from there. */
static bool take_recent(struct get_work *w, const struct entry *e)
{
    if (!e->recent) {
        return false;
    }
    memcpy(w->head.bytes, e->recent->bytes, w->head.want);
    if (record_read_head(str_from(w->head.bytes, w->head.want), w->log->segments[e->at.slot]->seed,
                         &w->head.record) != RECORD_OK) {
        return false;
    }
    head_read(&w->head, 0);
    return true;
}

static void get_begin(struct task *task)
{
    struct get_work *w = CONTAINER_OF(task, struct get_work, task);
    struct spool_log *log = w->log;
    struct entry *e = index_find(&log->index, w->op->id);
    if (!e || e->flags & (ENTRY_PENDING | ENTRY_REMOVED)) {
        get_end(w, -ENOENT);
        return;
    }
    if (e->flags & ENTRY_MOVING) {
        log_wait(log, task, w->op->id);
        return;
    }
    w->entry = e;
    if (e->pins++ == 0) {
        log->segments[e->at.slot]->pins++;
    }
    w->head =
        (struct record_read){.log = log, .done = head_read, .at = e->at, .want = e->before_body};
    w->head.bytes = malloc(w->head.want);
    if (!w->head.bytes) {
        get_end(w, -ENOMEM);
        return;
    }
    if (!take_recent(w, e)) {
        record_fetch(&w->head);
    }
}

void log_get(struct spool *s, struct spool_get *op)
{
    struct spool_log *log = CONTAINER_OF(s, struct spool_log, spool);
    struct get_work *w = calloc(1, sizeof *w);
    if (!w) {
        op->result = -ENOMEM;
        op->impl = log->dead_gets;
        log->dead_gets = op;
        log_wake(log);
        return;
    }
    w->log = log;
    w->op = op;
    w->task.run = get_begin;
    log->under_way++;
    log_soon(log, &w->task);
}

void log_release(struct spool *s, struct queue_id id)
{
    struct spool_log *log = CONTAINER_OF(s, struct spool_log, spool);
    struct entry *e = index_find(&log->index, id);
    if (e && e->pins > 0) {
        unpin(log, e);
    }
}
