/* A message being worked on: from the spool into memory, in turns, and back to rest. */
#include "path/queue/inside.h"

#include <errno.h>
#include <stdlib.h>

void active_free(struct active *a)
{
    struct queue *q = a->queue;
    q->ports->timers->cancel(q->ports->timers, &a->timer);
    list_remove(&a->link);
    q->active_count--;
    buf_done(&a->news);
    buf_done(&a->saving);
    buf_done(&a->story);
    arena_done(&a->round);
    arena_done(&a->arena);
    config_drop(a->config);
    free(a);
}

static void give_promise_back(struct active *a)
{
    struct site *site = a->promised;
    a->promised = NULL;
    if (site) {
        site_promise_back(site);
        queue_wake_site(a->queue, site);
    }
}

/* The end of being active: the entry is at rest, or gone. */
static void leave(struct active *a)
{
    struct queue *q = a->queue;
    struct entry *e = a->entry;
    give_promise_back(a);
    e->active = NULL;
    if (a->loaded) {
        spool_release(q->spool, e->id);
    }
    if (a->gone) {
        entry_free(q, e);
    } else if (a->loaded) {
        entry_rest(q, e, &a->state, a->due_after);
    } else {
        e->since = queue_now(q);
        entry_plan(q, e, a->due_after);
    }
    control_resume(q, a);
    active_free(a);
    queue_arm(q);
    queue_check_stopped(q);
}

static void leave_for(struct active *a, struct span wait)
{
    a->due_after = instant_add(queue_now(a->queue), wait);
    leave(a);
}

static bool understand(struct active *a)
{
    struct arena rcpts = {0};
    bool made = envelope_decode(a->get.envelope, &rcpts, &a->envelope) &&
                state_init(&a->state, &a->arena, &a->envelope, a->queue->sites.seed);
    arena_done(&rcpts);
    a->envelope.rcpts = NULL;
    a->envelope.rcpt_count = 0;
    return made && state_replay(&a->state, a->get.outcomes);
}

static void loaded(struct spool_get *op)
{
    struct active *a = CONTAINER_OF(op, struct active, get);
    struct queue *q = a->queue;
    if (op->result == -ENOENT) {
        queue_log_id(q, LOG_ERROR, "queue-trouble", a->entry->id,
                     STR("the spool does not hold this message any more"));
        a->gone = true;
        leave(a);
        return;
    }
    if (op->result != 0) {
        queue_log_id(q, LOG_ERROR, "queue-trouble", a->entry->id,
                     STR("the message could not be read from the spool; tried again in 10 min"));
        leave_for(a, SPAN_MIN(10));
        return;
    }
    if (!understand(a)) {
        queue_log_id(q, LOG_ERROR, "queue-trouble", a->entry->id,
                     STR("the message's record is damaged, or memory is short; tried again in 10 "
                         "min"));
        spool_release(q->spool, a->entry->id);
        leave_for(a, SPAN_MIN(10));
        return;
    }
    a->loaded = true;
    a->entry->arrived = a->envelope.arrived;
    a->entry->begins = envelope_begins(&a->envelope);
    for (size_t i = 0; a->forced && i < a->state.count; i++) {
        state_rcpt(&a->state, i)->next = (struct instant){0};
    }
    active_turn(a);
}

enum { USUAL_TEXTS = 1024 }; /* of a message with one recipient */

void active_begin(struct queue *q, struct entry *e)
{
    struct active *a = calloc(1, sizeof *a);
    if (!a) {
        entry_plan(q, e, instant_add(queue_now(q), SPAN_S(10)));
        return;
    }
    entry_plan(q, e, (struct instant){ENTRY_NEVER});
    if (e->flags & ENTRY_PROMISED) {
        a->promised = e->site;
        e->site = NULL;
    }
    a->queue = q;
    a->entry = e;
    a->config = config_hold(q->config);
    a->began = queue_now(q);
    a->forced = (e->flags & ENTRY_FORCED) != 0;
    list_init(&a->waiters);
    list_append(&q->actives, &a->link);
    q->active_count++;
    e->active = a;
    e->flags &= (uint16_t) ~(ENTRY_FORCED | ENTRY_PROMISED);
    entry_leave_line(q, e);
    arena_expect(&a->arena, USUAL_TEXTS);
    a->get = (struct spool_get){.done = loaded, .id = e->id, .arena = &a->arena};
    spool_get(q->spool, &a->get);
}

static bool all_done(const struct active *a)
{
    return a->state.pending == 0 && a->state.held == 0;
}

/* Nothing is under way. True: something was begun. */
static bool go_on(struct active *a)
{
    if (a->queue->stopping || a->broken) {
        return false;
    }
    return sending_unpark(a) || round_begin(a);
}

static void settle(struct active *a)
{
    bool report = !a->gone && reporting_due(a->config, &a->state, queue_now(a->queue));
    if (!a->gone && !a->broken && !report && all_done(a)) {
        active_finish(a);
    } else if (active_unsaved(a) && !a->gone) {
        active_save(a);
    } else if (report && !a->queue->stopping && !a->report_failed && !a->broken) {
        reporting_start(a);
    } else {
        if (!a->gone && (a->broken || a->report_failed)) {
            a->due_after = instant_add(queue_now(a->queue), SPAN_MIN(1));
        }
        leave(a);
    }
}

void active_turn(struct active *a)
{
    do {
        if (!a->queue->stopping && !a->broken) {
            routing_start(a);
            sending_start(a);
        }
        if (a->routes_out > 0 || a->jobs_out > 0) {
            active_save(a);
            return;
        }
        if (a->marking || a->finishing || a->reporting) {
            return;
        }
    } while (go_on(a));
    settle(a);
}
