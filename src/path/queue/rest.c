/* Laying a message to rest: when it is looked at next, and in whose line it stands. */
#include "path/queue/inside.h"

/* The site that keeps the recipient waiting, or null. */
static struct site *site_of(const struct queue *q, const struct rcpt *r, struct instant now)
{
    if (r->phase != RCPT_PENDING) {
        return NULL;
    }
    if (r->work == WORK_PARKED) {
        return site_find(&q->sites, r->way->hop.site);
    }
    if (r->site_failures == 0) {
        return NULL;
    }
    struct site *site = site_find(&q->sites, r->last->site);
    return site && site_is_down(site, now) ? site : NULL;
}

/* In whose line: a full site's before one that is down, and of those the first to be tried. */
static struct site *choose_line(const struct queue *q, const struct state *s, struct instant now)
{
    struct site *best = NULL;
    for (size_t i = 0; i < s->count; i++) {
        struct site *site = site_of(q, state_rcpt(s, i), now);
        if (site && (!best || instant_before(site->retry_at, best->retry_at))) {
            best = site;
        }
    }
    return best;
}

static struct instant earlier(struct instant a, struct instant b)
{
    return instant_before(b, a) ? b : a;
}

/* When one recipient wants to be looked at, other than by its site's call. */
static struct instant rcpt_due(const struct queue *q, const struct state *s, const struct rcpt *r,
                               const struct site *line, struct instant now)
{
    const struct instant never = {ENTRY_NEVER};
    struct instant give_up = rcpt_give_up(q->config, s->envelope, r);
    if (r->phase != RCPT_PENDING) {
        return never;
    }
    struct site *site = site_of(q, r, now);
    if (site && site == line) {
        return instant_before(now, give_up) ? give_up : never;
    }
    if (site && r->work == WORK_PARKED) {
        return site_is_down(site, now) ? earlier(site->retry_at, give_up)
                                       : instant_add(now, SPAN_MIN(1));
    }
    return instant_before(now, give_up) ? earlier(r->next, give_up) : now;
}

static void note_counts(struct queue *q, struct entry *e, const struct state *s)
{
    bool held = s->held > 0 && s->pending == 0;
    q->held += held;
    q->held -= (e->flags & ENTRY_HELD) != 0;
    e->flags = (uint16_t)((e->flags & ~ENTRY_HELD) | (held ? ENTRY_HELD : 0));
    e->open = s->pending + s->held;
    e->attempts = 0;
    for (size_t i = 0; i < s->count; i++) {
        uint32_t attempts = state_rcpt(s, i)->attempts;
        if (attempts > e->attempts) {
            e->attempts = attempts < UINT16_MAX ? (uint16_t)attempts : UINT16_MAX;
        }
    }
}

void entry_rest(struct queue *q, struct entry *e, const struct state *s, struct instant not_before)
{
    struct instant now = queue_now(q);
    struct instant due = {e->flags & ENTRY_FORCED ? 0 : ENTRY_NEVER};
    struct site *line = choose_line(q, s, now);
    for (size_t i = 0; i < s->count; i++) {
        const struct rcpt *r = state_rcpt(s, i);
        struct instant notice = notice_time(q->config, s->envelope, r);
        due = earlier(due, rcpt_due(q, s, r, line, now));
        if (notice.us != 0) {
            due = earlier(due, notice);
        }
    }
    bool over = s->pending == 0 && s->held == 0;
    if (over || reporting_due(q->config, s, now)) {
        due = now; /* its end is to be told yet, or noted */
    }
    if (instant_before(due, not_before)) {
        due = not_before;
    }
    note_counts(q, e, s);
    e->since = now;
    entry_plan(q, e, due);
    if (line && !(e->flags & ENTRY_FORCED) && s->pending > 0) {
        if (!site_wait(line, &e->in_line, e->priority, now)) {
            entry_plan(q, e, earlier(due, instant_add(now, SPAN_MIN(1))));
            return;
        }
        e->site = line;
        e->flags |= ENTRY_IN_LINE;
        queue_wake_site(q, line); /* it may have room again */
    }
}

static void wait_of_active(const struct active *a, struct story_wait *wait)
{
    wait->since = a->began;
    wait->kind = WAIT_DISK;
    if (a->jobs_out > 0) {
        wait->kind = WAIT_DELIVERY;
        for (size_t i = 0; i < a->state.count && wait->site.len == 0; i++) {
            const struct rcpt *r = state_rcpt(&a->state, i);
            wait->site = r->work == WORK_SENT ? r->way->hop.site : wait->site;
        }
    } else if (a->routes_out > 0) {
        wait->kind = WAIT_ROUTE;
    } else if (a->reporting) {
        wait->kind = WAIT_REPORT;
    }
}

void entry_wait(const struct queue *q, const struct entry *e, struct story_wait *wait)
{
    struct instant now = queue_now(q);
    *wait = (struct story_wait){.kind = WAIT_TIME, .since = e->since};
    if (e->active) {
        wait_of_active(e->active, wait);
    } else if (e->flags & ENTRY_HELD) {
        wait->kind = WAIT_HELD;
    } else if (e->site && (e->flags & ENTRY_IN_LINE)) {
        bool down = site_is_down(e->site, now);
        wait->kind = down ? WAIT_SITE_DOWN : WAIT_SITE_FULL;
        wait->site = e->site->name;
        wait->until = e->site->retry_at;
        wait->limit = e->site->window;
        wait->reason = str_from(e->site->error, down ? e->site->error_len : 0);
    } else if ((e->flags & ENTRY_READY) || e->due.key <= now.us) {
        wait->kind = WAIT_TURN;
        wait->limit = q->config->queue.active;
    } else {
        wait->until = (struct instant){e->due.key};
        bool held_back = e->due.key == e->begins.us && instant_before(e->arrived, e->begins);
        wait->kind = held_back ? WAIT_RELEASE : WAIT_TIME;
    }
}

/* A look at a message in line, or for a delay notice, is no attempt. */
struct instant entry_next(const struct entry *e, const struct state *s)
{
    struct instant next = {ENTRY_NEVER};
    if (e->site && (e->flags & ENTRY_IN_LINE)) {
        next = e->site->retry_at.us ? e->site->retry_at : next;
    }
    for (size_t i = 0; i < s->count; i++) {
        const struct rcpt *r = state_rcpt(s, i);
        if (r->phase == RCPT_PENDING && r->next.us != 0) {
            next = earlier(next, r->next);
        }
    }
    bool none = next.us == ENTRY_NEVER || envelope_is_over(s->envelope, next);
    return none ? (struct instant){0} : next;
}
