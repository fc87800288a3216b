/* What happened is noted here, and made durable. */
#include "path/queue/inside.h"

#include <errno.h>

static bool copy_texts(struct active *a, struct outcome *o)
{
    o->text = arena_copy(&a->arena, o->text);
    o->host = arena_copy(&a->arena, o->host);
    o->site = arena_copy(&a->arena, o->site);
    struct outcome_child *children = arena_array(&a->arena, o->child_count, sizeof *o->children);
    if (!children || !o->text.ptr || !o->host.ptr || !o->site.ptr) {
        return false;
    }
    for (size_t i = 0; i < o->child_count; i++) {
        children[i].address = arena_copy(&a->arena, o->children[i].address);
        children[i].sender = arena_copy(&a->arena, o->children[i].sender);
        if (!children[i].address.ptr || !children[i].sender.ptr) {
            return false;
        }
    }
    o->children = children;
    return true;
}

void active_record(struct active *a, const struct outcome *happened)
{
    struct outcome o = *happened;
    size_t before = a->news.len;
    if (o.at.us == 0) {
        o.at = queue_now(a->queue);
    }
    o.text = str_head(o.text, OUTCOME_TEXT);
    const struct outcome *alike = state_alike(&a->state, &o);
    if (alike) { /* which has the texts already */
        o.text = alike->text;
        o.host = alike->host;
        o.site = alike->site;
    } else if (state_keeps(&a->state, &o) && !copy_texts(a, &o)) {
        a->broken = true;
        return;
    }
    outcome_encode(&a->news, &o);
    if (a->news.failed) {
        a->news.failed = false;
        a->news.len = before;
        a->broken = true;
        return;
    }
    a->broken |= !state_apply(&a->state, &o);
    const struct rcpt *r = o.rcpt < a->state.count ? state_rcpt(&a->state, o.rcpt) : NULL;
    queue_log_outcome(a->queue, &a->envelope, r, &o);
}

bool active_unsaved(const struct active *a)
{
    return a->news.len > 0 || a->saving.len > 0;
}

static void save_again(struct timer *timer)
{
    struct active *a = CONTAINER_OF(timer, struct active, timer);
    a->marking = false;
    active_turn(a);
}

/* A spool that fails may be well again in a moment (a full disk); what is known now must not be
 * forgotten meanwhile, or mail would go out twice. */
static void save_later(struct active *a, int result)
{
    struct queue *q = a->queue;
    if (result == -ENOENT) {
        a->gone = true;
        a->broken = true;
        a->marking = false;
        active_turn(a);
        return;
    }
    queue_log_id(q, LOG_ERROR, "queue-trouble", a->entry->id,
                 STR("the spool could not keep what happened to the message"));
    if (q->stopping) {
        buf_clear(&a->saving);
        buf_clear(&a->news);
        a->marking = false;
        active_turn(a);
        return;
    }
    a->timer.fire = save_again;
    q->ports->timers->arm(q->ports->timers, &a->timer, SPAN_S(5));
}

static void keep_at_hand(struct active *a)
{
    if (a->story_cut || a->story.len + a->saving.len > STORY_MAX) {
        a->story_cut = true;
    } else {
        buf_add(&a->story, buf_str(&a->saving));
        a->story_cut = a->story.failed;
    }
    buf_clear(&a->saving);
}

static void saved(struct spool_mark *op)
{
    struct active *a = CONTAINER_OF(op, struct active, mark);
    if (op->result != 0) {
        save_later(a, op->result);
        return;
    }
    keep_at_hand(a);
    a->marking = false;
    active_turn(a);
}

void active_save(struct active *a)
{
    if (a->marking || a->gone || !active_unsaved(a)) {
        return;
    }
    if (a->saving.len == 0) { /* else they are tried again */
        struct buf empty = a->saving;
        a->saving = a->news;
        a->news = empty;
    }
    a->marking = true;
    a->mark =
        (struct spool_mark){.done = saved, .id = a->entry->id, .outcomes = buf_str(&a->saving)};
    spool_mark(a->queue->spool, &a->mark);
}

void active_outcomes(const struct active *a, struct buf *out)
{
    buf_add(out, a->get.outcomes);
    buf_add(out, buf_str(&a->story));
    if (!a->story_cut) {
        buf_add(out, buf_str(&a->saving));
        buf_add(out, buf_str(&a->news));
    }
}

static void keep_story(struct active *a)
{
    struct buf all = {0};
    active_outcomes(a, &all);
    struct history_record record = {
        .id = a->entry->id,
        .finished = queue_now(a->queue),
        .envelope = a->get.envelope,
        .outcomes = buf_str(&all),
    };
    if (!all.failed) {
        history_add(a->queue->history, &record);
    }
    buf_done(&all);
}

static void finish_again(struct timer *timer)
{
    struct active *a = CONTAINER_OF(timer, struct active, timer);
    spool_mark(a->queue->spool, &a->mark);
}

static void finished(struct spool_mark *op)
{
    struct active *a = CONTAINER_OF(op, struct active, mark);
    struct queue *q = a->queue;
    if (op->result != 0 && op->result != -ENOENT && !q->stopping) {
        a->timer.fire = finish_again;
        q->ports->timers->arm(q->ports->timers, &a->timer, SPAN_S(5));
        return;
    }
    if (op->result == 0) {
        keep_story(a);
        queue_log_id(q, LOG_INFO, "removed", a->entry->id, (struct str){0});
    }
    a->gone = op->result == 0 || op->result == -ENOENT;
    a->broken = true;
    a->finishing = false;
    active_turn(a);
}

void active_finish(struct active *a)
{
    a->finishing = true;
    a->mark = (struct spool_mark){.done = finished, .id = a->entry->id, .finished = true};
    spool_mark(a->queue->spool, &a->mark);
}
