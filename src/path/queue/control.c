/* Operators' requests. A message at rest is checked out of the heap and of every line while it is
 * changed, so that nobody else begins with it; one that is being worked on is waited for. */
#include "path/queue/inside.h"

#include <errno.h>
#include <stdlib.h>

enum { TURN_ITEMS = 100 }; /* looked at before the loop may do something else */

struct run {
    struct list link;    /* the queue's */
    struct list waiting; /* an active's */
    struct queue *queue;
    struct queue_request *request;
    struct timer timer;
    struct queue_id *ids;
    size_t count;
    size_t next;
    struct queue_id *later; /* those being worked on: the second pass */
    size_t later_count;
    bool second;
    bool cancelled;
    bool out; /* an operation of the spool is under way */
    struct arena arena;
    struct spool_get get;
    struct envelope envelope;
    struct state state;
    struct buf outcomes;
    struct spool_mark mark;
};

static void step(struct run *run);

static int by_id(const void *left, const void *right)
{
    const struct queue_id *a = left;
    const struct queue_id *b = right;
    return a->value < b->value ? -1 : a->value > b->value;
}

struct queue_id *control_ids(const struct queue *q, size_t *count)
{
    struct queue_id *ids = calloc(q->by_id.count + 1, sizeof *ids);
    struct map_iter it = map_begin(&q->by_id);
    *count = 0;
    for (struct map_node *n; ids && (n = map_next(&it)) != NULL;) {
        ids[(*count)++] = CONTAINER_OF(n, struct entry, by_id)->id;
    }
    if (*count > 0) {
        qsort(ids, *count, sizeof *ids, by_id);
    }
    return ids;
}

static void run_free(struct run *run)
{
    list_remove(&run->link);
    list_remove(&run->waiting);
    run->queue->ports->timers->cancel(run->queue->ports->timers, &run->timer);
    buf_done(&run->outcomes);
    arena_done(&run->arena);
    free(run->ids);
    free(run->later);
    free(run);
}

static void end(struct run *run)
{
    struct queue *q = run->queue;
    struct queue_request *request = run->request;
    if (run->cancelled) {
        request->result = -ECANCELED;
    }
    run_free(run);
    request->impl = NULL;
    request->done(request);
    queue_check_stopped(q);
}

static void arm(struct run *run, struct span after)
{
    run->queue->ports->timers->arm(run->queue->ports->timers, &run->timer, after);
}

static void timer_fired(struct timer *timer)
{
    step(CONTAINER_OF(timer, struct run, timer));
}

static bool is_change(const struct run *run)
{
    return run->request->action != QUEUE_LIST && run->request->action != QUEUE_RETRY;
}

/* True: it is one of those meant, and there is room for it. */
static bool count_match(struct run *run, const struct state *state)
{
    struct queue_request *request = run->request;
    if (!selector_fits(&request->selector, state)) {
        return false;
    }
    if (request->limit > 0 && request->matched >= request->limit) {
        request->more = true;
        return false;
    }
    request->matched++;
    return true;
}

static struct outcome outcome_of(const struct run *run, uint32_t rcpt)
{
    struct outcome o = {.rcpt = rcpt, .at = queue_now(run->queue)};
    switch (run->request->action) {
    case QUEUE_HOLD:
        o.kind = OUTCOME_HELD;
        break;
    case QUEUE_RELEASE:
        o.kind = OUTCOME_RELEASED;
        break;
    case QUEUE_REMOVE:
        o.kind = OUTCOME_REMOVED;
        break;
    case QUEUE_BOUNCE:
        o.kind = OUTCOME_FAILED;
        o.status = (struct status_code){5, 0, 0};
        o.text = STR("the operator of this server gave the message up");
        break;
    case QUEUE_LIST:
    case QUEUE_RETRY:
        break;
    }
    return o;
}

static bool concerns(const struct run *run, const struct rcpt *r)
{
    enum queue_action action = run->request->action;
    if ((action == QUEUE_HOLD && r->phase == RCPT_HELD) ||
        (action == QUEUE_RELEASE && r->phase == RCPT_PENDING)) {
        return false;
    }
    return selector_fits_rcpt(&run->request->selector, r);
}

static void forget(struct run *run)
{
    run->state = (struct state){0};
    buf_clear(&run->outcomes);
    arena_done(&run->arena);
}

static void check_in(struct run *run, struct entry *e)
{
    e->flags &= (uint16_t)~ENTRY_CHECKED_OUT;
    if (run->state.envelope) {
        entry_rest(run->queue, e, &run->state, (struct instant){0});
    } else {
        entry_plan(run->queue, e, queue_now(run->queue));
    }
    queue_arm(run->queue);
}

static void check_out(struct run *run, struct entry *e)
{
    entry_leave_line(run->queue, e);
    entry_plan(run->queue, e, (struct instant){ENTRY_NEVER});
    e->flags |= ENTRY_CHECKED_OUT;
}

static void apply_all(struct run *run)
{
    struct str rest = buf_str(&run->outcomes);
    struct outcome o = {0};
    while (outcome_decode(&rest, &run->arena, &o) == 1) {
        const struct rcpt *r = state_rcpt(&run->state, o.rcpt);
        if (!state_apply(&run->state, &o)) {
            run->request->result = -ENOMEM;
        }
        queue_log_outcome(run->queue, &run->envelope, r, &o);
    }
}

static void marked(struct spool_mark *op)
{
    struct run *run = CONTAINER_OF(op, struct run, mark);
    struct queue *q = run->queue;
    struct entry *e = entry_find(q, op->id);
    run->out = false;
    if (op->result == 0) {
        apply_all(run);
        run->request->changed++;
    } else {
        run->request->result = op->result;
    }
    check_in(run, e);
    if (op->result == 0) {
        item_tell(q, run->request, e, &run->state);
    }
    forget(run);
    step(run);
}

/* True: the change is being written. */
static bool change(struct run *run, const struct entry *e)
{
    for (size_t i = 0; i < run->state.count; i++) {
        if (concerns(run, state_rcpt(&run->state, i))) {
            struct outcome o = outcome_of(run, (uint32_t)i);
            outcome_encode(&run->outcomes, &o);
        }
    }
    if (run->outcomes.failed) {
        run->request->result = -ENOMEM;
    }
    if (run->outcomes.failed || run->outcomes.len == 0) {
        return false;
    }
    run->mark =
        (struct spool_mark){.done = marked, .id = e->id, .outcomes = buf_str(&run->outcomes)};
    run->out = true;
    spool_mark(run->queue->spool, &run->mark);
    return true;
}

static bool understand(struct run *run)
{
    if (!envelope_decode(run->get.envelope, &run->arena, &run->envelope) ||
        !state_init(&run->state, &run->arena, &run->envelope, run->queue->sites.seed)) {
        return false;
    }
    return state_replay(&run->state, run->get.outcomes);
}

/* Returns true while a change is under way. */
static bool look_at(struct run *run, struct entry *e)
{
    struct queue_request *request = run->request;
    if (!count_match(run, &run->state)) {
        return false;
    }
    if (is_change(run)) {
        return change(run, e);
    }
    if (request->action == QUEUE_RETRY && run->state.pending > 0) {
        e->flags |= ENTRY_FORCED;
        request->changed++;
    }
    item_tell(run->queue, request, e, &run->state);
    return false;
}

static void got(struct spool_get *op)
{
    struct run *run = CONTAINER_OF(op, struct run, get);
    struct queue *q = run->queue;
    struct entry *e = entry_find(q, op->id);
    bool under_way = false;
    run->out = false;
    if (op->result == 0) {
        if (e && understand(run)) {
            under_way = look_at(run, e);
        } else if (e) {
            run->request->result = -EIO;
        }
        spool_release(q->spool, op->id);
    } else if (op->result != -ENOENT) {
        run->request->result = op->result;
    }
    if (under_way) {
        return;
    }
    if (e && (e->flags & ENTRY_CHECKED_OUT) && run->request->action != QUEUE_LIST) {
        check_in(run, e);
    }
    forget(run);
    step(run);
}

static void begin_get(struct run *run, struct entry *e)
{
    if (run->request->action != QUEUE_LIST) {
        check_out(run, e);
    }
    run->get = (struct spool_get){.done = got, .id = e->id, .arena = &run->arena};
    run->out = true;
    spool_get(run->queue->spool, &run->get);
}

/* Somebody has the message now. True: wait. */
static bool look_at_busy(struct run *run, struct entry *e)
{
    struct active *a = e->active;
    if (a && a->loaded && !is_change(run)) {
        if (count_match(run, &a->state)) {
            run->request->changed += run->request->action == QUEUE_RETRY;
            item_tell(run->queue, run->request, e, &a->state);
        }
        return false;
    }
    if (a && a->loaded && !selector_fits(&run->request->selector, &a->state)) {
        return false;
    }
    if (!run->second) {
        run->later[run->later_count++] = e->id;
        return false;
    }
    run->next--;
    if (a) {
        list_append(&a->waiters, &run->waiting);
    } else {
        arm(run, SPAN_MS(20));
    }
    return true;
}

static bool next_pass(struct run *run)
{
    if (run->next < run->count) {
        return true;
    }
    if (run->second || run->later_count == 0) {
        return false;
    }
    run->second = true;
    run->next = 0;
    run->count = run->later_count;
    struct queue_id *ids = run->ids;
    run->ids = run->later;
    run->later = ids;
    return true;
}

static void step(struct run *run)
{
    struct queue *q = run->queue;
    for (size_t looked = 0; looked < TURN_ITEMS; looked++) {
        if (run->request->paused && !run->cancelled) {
            return; /* queue_ask_resume() or a cancel goes on */
        }
        if (run->cancelled || run->request->more || !next_pass(run)) {
            end(run);
            return;
        }
        struct entry *e = entry_find(q, run->ids[run->next++]);
        if (!e || !selector_fits_entry(&run->request->selector, e, queue_now(q))) {
            continue;
        }
        if (!e->active && !(e->flags & ENTRY_CHECKED_OUT)) {
            begin_get(run, e);
            return;
        }
        if (look_at_busy(run, e)) {
            return;
        }
    }
    arm(run, SPAN_S(0));
}

void control_resume(struct queue *q, struct active *a)
{
    (void)q;
    for (struct list *n; (n = list_pop(&a->waiters)) != NULL;) {
        step(CONTAINER_OF(n, struct run, waiting));
    }
}

/* One that is named is not looked for among all. */
static struct queue_id *ids_meant(const struct queue *q, const struct queue_selector *s,
                                  size_t *count)
{
    if (s->id.value == 0) {
        return control_ids(q, count);
    }
    struct queue_id *ids = calloc(1, sizeof *ids);
    *count = ids ? 1 : 0;
    if (ids) {
        *ids = s->id;
    }
    return ids;
}

void queue_ask(struct queue *q, struct queue_request *request)
{
    struct run *run = calloc(1, sizeof *run);
    request->matched = request->changed = 0;
    request->more = request->paused = false;
    request->result = 0;
    request->impl = run;
    if (!run) {
        request->result = -ENOMEM;
        request->done(request);
        return;
    }
    run->queue = q;
    run->request = request;
    run->timer.fire = timer_fired;
    run->ids = ids_meant(q, &request->selector, &run->count);
    run->later = calloc(run->count + 1, sizeof *run->later);
    if (!run->ids || !run->later) {
        request->result = -ENOMEM;
        run->count = 0;
    }
    run->cancelled = q->stopping;
    list_append(&q->requests, &run->link);
    arm(run, SPAN_S(0));
}

void queue_ask_resume(struct queue_request *request)
{
    struct run *run = request->impl;
    bool stood = request->paused;
    request->paused = false;
    if (run && stood && !run->out && !list_linked(&run->waiting)) {
        arm(run, SPAN_S(0));
    }
}

static void cancel(struct run *run)
{
    run->cancelled = true;
    if (!run->out) {
        list_remove(&run->waiting);
        arm(run, SPAN_S(0));
    }
}

void queue_ask_cancel(struct queue_request *request)
{
    if (request->impl) {
        cancel(request->impl);
    }
}

void control_drop(struct queue *q)
{
    LIST_EACH (n, &q->requests) {
        cancel(CONTAINER_OF(n, struct run, link));
    }
}

void control_free(struct queue *q)
{
    LIST_EACH (n, &q->requests) {
        run_free(CONTAINER_OF(n, struct run, link));
    }
}
