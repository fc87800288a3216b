/* Answers `why`: stories of messages in the queue, then of those that the history keeps. */
#include "path/queue/inside.h"

#include <errno.h>
#include <stdlib.h>

enum { STORIES_DEFAULT = 10 };

struct telling {
    struct list link;
    struct queue *queue;
    struct queue_why *why;
    struct timer timer;
    struct queue_id *ids;
    size_t left;
    bool out;
    bool cancelled;
    struct arena arena;
    struct spool_get get;
    struct history_search search;
};

static void step(struct telling *t);

static void telling_free(struct telling *t)
{
    list_remove(&t->link);
    t->queue->ports->timers->cancel(t->queue->ports->timers, &t->timer);
    arena_done(&t->arena);
    free(t->ids);
    free(t);
}

static void end(struct telling *t)
{
    struct queue *q = t->queue;
    struct queue_why *why = t->why;
    if (t->cancelled) {
        why->result = -ECANCELED;
    }
    telling_free(t);
    why->impl = NULL;
    why->done(why);
    queue_check_stopped(q);
}

static size_t limit_of(const struct queue_why *why)
{
    return why->limit > 0 ? why->limit : STORIES_DEFAULT;
}

static void tell(struct telling *t, const struct story *story)
{
    t->why->found++;
    t->why->each(t->why, story);
}

/* What the story says of now: where the message stands, and what is planned. */
static void add_present(struct telling *t, struct story *story, const struct entry *e,
                        struct str outcomes)
{
    struct state state;
    struct queue *q = t->queue;
    entry_wait(q, e, &story->wait);
    story->give_up = message_give_up(q->config, &story->envelope);
    if (state_init(&state, &t->arena, &story->envelope, q->sites.seed)) {
        if (state_replay(&state, outcomes)) {
            story->next = entry_next(e, &state);
        }
    }
}

static void tell_live(struct telling *t, const struct entry *e, struct str envelope,
                      struct str outcomes)
{
    struct story story;
    if (!story_read(envelope, outcomes, &t->arena, &story)) {
        t->why->result = -EIO;
    } else if (t->why->address.len == 0 || story_is_about(&story, t->why->address)) {
        add_present(t, &story, e, outcomes);
        tell(t, &story);
    }
}

/* It knows more than the spool. */
static void tell_active(struct telling *t, const struct entry *e)
{
    const struct active *a = e->active;
    struct buf all = {0};
    active_outcomes(a, &all);
    if (all.failed) {
        t->why->result = -ENOMEM;
    } else {
        tell_live(t, e, a->get.envelope, buf_str(&all));
    }
    buf_done(&all);
    arena_done(&t->arena);
}

static void got(struct spool_get *op)
{
    struct telling *t = CONTAINER_OF(op, struct telling, get);
    const struct entry *e = entry_find(t->queue, op->id);
    t->out = false;
    if (op->result == 0) {
        if (e) {
            tell_live(t, e, op->envelope, op->outcomes);
        }
        spool_release(t->queue->spool, op->id);
    } else if (op->result != -ENOENT) {
        t->why->result = op->result;
    }
    arena_done(&t->arena);
    step(t);
}

static bool told_before(struct history_search *search, const struct story *story)
{
    struct telling *t = CONTAINER_OF(search, struct telling, search);
    if (t->cancelled || t->why->found >= limit_of(t->why)) {
        return false;
    }
    tell(t, story);
    return true;
}

static void searched(struct history_search *search)
{
    struct telling *t = CONTAINER_OF(search, struct telling, search);
    t->out = false;
    if (search->result != 0) {
        t->why->result = search->result;
    }
    end(t);
}

static void search_history(struct telling *t)
{
    t->search = (struct history_search){
        .each = told_before, .done = searched, .id = t->why->id, .address = t->why->address};
    t->out = true;
    history_find(t->queue->history, &t->search);
}

static void step(struct telling *t)
{
    struct queue *q = t->queue;
    while (t->left > 0 && !t->cancelled && t->why->found < limit_of(t->why)) {
        const struct entry *e = entry_find(q, t->ids[--t->left]);
        if (e && e->active && e->active->loaded && !e->active->story_cut) {
            tell_active(t, e);
        } else if (e) {
            t->out = true;
            t->get = (struct spool_get){.done = got, .id = e->id, .arena = &t->arena};
            spool_get(q->spool, &t->get);
            return;
        }
    }
    if (t->cancelled || t->why->found >= limit_of(t->why)) {
        end(t);
    } else {
        search_history(t);
    }
}

static void begin(struct timer *timer)
{
    struct telling *t = CONTAINER_OF(timer, struct telling, timer);
    if (!t->out) {
        step(t);
    }
}

void queue_tell(struct queue *q, struct queue_why *why)
{
    struct telling *t = calloc(1, sizeof *t);
    why->found = 0;
    why->result = 0;
    why->impl = t;
    if (!t) {
        why->result = -ENOMEM;
        why->done(why);
        return;
    }
    t->queue = q;
    t->why = why;
    t->timer.fire = begin;
    t->cancelled = q->stopping;
    list_append(&q->tellings, &t->link);
    t->ids = why->id.value ? calloc(1, sizeof *t->ids) : control_ids(q, &t->left);
    if (!t->ids) {
        why->result = -ENOMEM;
    } else if (why->id.value) {
        t->ids[0] = why->id;
        t->left = 1;
    }
    q->ports->timers->arm(q->ports->timers, &t->timer, SPAN_S(0));
}

void queue_tell_cancel(struct queue_why *why)
{
    struct telling *t = why->impl;
    if (t) {
        t->cancelled = true;
    }
}

void tell_drop(struct queue *q)
{
    LIST_EACH (n, &q->tellings) {
        CONTAINER_OF(n, struct telling, link)->cancelled = true;
    }
}

void tell_free(struct queue *q)
{
    LIST_EACH (n, &q->tellings) {
        telling_free(CONTAINER_OF(n, struct telling, link));
    }
}
