/* Recipients that know their way are put together into jobs, as their sites allow. */
#include "path/queue/inside.h"

#include "path/queue/schedule.h"

#include <stdlib.h>

struct job {
    struct delivery_job delivery;
    struct active *active;
    struct site *site;
    struct instant started;
    struct envelope envelope; /* of a list's member: the owner asked for no reports */
    struct rcpt **rcpts;
    struct instant again; /* when those that failed `failures` times are tried again */
    uint32_t failures;
};

/* No site may take all that can be worked on at once. */
static struct site *take_site(struct active *a, const struct next_hop *hop)
{
    const struct config_queue *config = &a->config->queue;
    bool local = hop->kind == HOP_MAILDIR || hop->kind == HOP_DISCARD;
    uint32_t share = config->active / 4;
    uint32_t limit = local ? SITE_WINDOW_LOCAL : config->site_connections;
    share = share ? share : 1;
    return site_take(&a->queue->sites, hop->site, limit < share ? limit : share, local);
}

/* May it go now? A promise is used up, whatever was promised is kept. */
static bool enter(struct active *a, struct site *site)
{
    struct instant now = queue_now(a->queue);
    if (a->promised == site && !site_is_down(site, now)) {
        a->promised = NULL;
        site_promise_back(site);
        site_start(site);
        return true;
    }
    if (a->forced) {
        site_lift(&a->queue->sites, site);
    }
    if (!site_has_room(site, now)) {
        return false;
    }
    site_start(site);
    return true;
}

static bool same_job(const struct rcpt *a, const struct rcpt *b)
{
    if (b->work != WORK_ROUTED || !rcpt_same_sender(a, b)) {
        return false;
    }
    return b->way == a->way ||
           (b->way->hop.kind == a->way->hop.kind && str_eq(b->way->hop.site, a->way->hop.site));
}

static enum site_sign sign_of(const struct outcome *o)
{
    if (outcome_is_site_trouble(o)) {
        bool connected = o->status.subject != 4 || o->status.detail == 2;
        return connected ? SITE_BROKEN : SITE_DOWN;
    }
    if (o->reply_code == 421) {
        return SITE_BUSY;
    }
    bool ours = o->kind == OUTCOME_DEFERRED && o->reply_code == 0;
    return ours ? SITE_NOTHING : SITE_FINE;
}

/* One recipient that was answered shows that the site is there. */
static enum site_sign sign_of_job(const struct delivery_job *d, const struct outcome **worst)
{
    static const uint8_t rank[] = {
        [SITE_NOTHING] = 0, [SITE_DOWN] = 1, [SITE_BROKEN] = 2, [SITE_BUSY] = 3, [SITE_FINE] = 4};
    enum site_sign best = SITE_NOTHING;
    for (size_t i = 0; i < d->rcpt_count; i++) {
        enum site_sign sign = sign_of(&d->rcpts[i].outcome);
        if (i == 0 || rank[sign] > rank[best]) {
            best = sign;
            *worst = &d->rcpts[i].outcome;
        }
    }
    return best;
}

static void tell_site(struct active *a, struct job *job, const struct rcpt *first)
{
    struct queue *q = a->queue;
    const struct outcome *worst = NULL;
    struct site_result result = {
        .sign = sign_of_job(&job->delivery, &worst),
        .started = job->started,
        .now = queue_now(q),
        .failures = first->site_failures,
    };
    result.error = worst ? worst->text : (struct str){0};
    site_ended(&q->sites, job->site, &result, &a->config->queue, q->ports->entropy);
}

static bool is_stop(const struct queue *q, const struct outcome *o)
{
    return q->stopping && o->kind == OUTCOME_DEFERRED && o->reply_code == 0 &&
           o->status.subject == 3;
}

/* Recipients that failed together are tried together: they can share a transaction again. */
static struct instant next_try(struct active *a, struct job *job, uint32_t failures)
{
    struct queue *q = a->queue;
    if (job->failures != failures) {
        job->failures = failures;
        job->again = schedule_next(&a->config->queue, failures, queue_now(q), q->ports->entropy);
    }
    return job->again;
}

static void note_outcome(struct active *a, struct job *job, struct rcpt *r, struct outcome o)
{
    struct queue *q = a->queue;
    struct instant now = queue_now(q);
    o.rcpt = r->index;
    o.at = o.at.us ? o.at : now;
    if (o.kind == 0) {
        o.kind = OUTCOME_DEFERRED;
        o.status = (struct status_code){4, 3, 0};
    }
    if (is_stop(q, &o)) {
        return; /* it was not really tried */
    }
    if (o.kind == OUTCOME_EXPANDED) {
        routing_forwarded(a, r, &o);
        return;
    }
    if (o.kind == OUTCOME_DEFERRED) {
        bool down = outcome_is_site_trouble(&o) && site_is_down(job->site, now);
        uint32_t failures = 1U + r->deferrals + (down ? 0U : r->site_failures);
        o.next = down ? job->site->retry_at
                      : deadline_retry(&a->envelope, r, now, next_try(a, job, failures));
        if (!instant_before(now, rcpt_give_up(a->config, &a->envelope, r))) {
            o.kind = OUTCOME_EXPIRED;
            o.status = (struct status_code){5, 4, 7};
            o.next = (struct instant){0};
        }
    }
    active_record(a, &o);
}

static void job_free(struct job *job)
{
    arena_done(&job->delivery.arena);
    free(job);
}

static void job_done(struct delivery_job *delivery)
{
    struct job *job = CONTAINER_OF(delivery, struct job, delivery);
    struct active *a = job->active;
    struct queue *q = a->queue;
    struct site *site = job->site;
    a->jobs_out--;
    q->jobs--;
    for (size_t i = 0; i < delivery->rcpt_count; i++) {
        delivery->rcpts[i].outcome.site = site->name;
    }
    tell_site(a, job, job->rcpts[0]);
    for (size_t i = 0; i < delivery->rcpt_count; i++) {
        struct rcpt *r = job->rcpts[i];
        r->work = WORK_NONE;
        note_outcome(a, job, r, delivery->rcpts[i].outcome);
    }
    job_free(job);
    /* Those in line come before what this message has more for the site; its own end may free it,
     * so that goes last. */
    queue_wake_site(q, site);
    active_turn(a);
}

static void fill_rcpt(struct job_rcpt *to, const struct rcpt *r)
{
    bool stripped = rcpt_address(r).len > 0 && rcpt_address(r).ptr[0] == '\\';
    struct str mailbox = r->way->address.len > 0 ? r->way->address : rcpt_address(r);
    *to = (struct job_rcpt){
        .index = r->index,
        .address = stripped ? mailbox : rcpt_address(r),
        .orcpt = r->origin->orcpt,
        .notify = r->notify,
        .final_mailbox = mailbox,
        .hop = &r->way->hop,
    };
}

static struct job *job_new(struct active *a, const struct rcpt *first, size_t count)
{
    struct job *job = calloc(1, sizeof *job);
    if (!job) {
        return NULL;
    }
    struct delivery_job *d = &job->delivery;
    d->rcpts = arena_array(&d->arena, count, sizeof *d->rcpts);
    job->rcpts = arena_array(&d->arena, count, sizeof(struct rcpt *));
    if (!d->rcpts || !job->rcpts) {
        job_free(job);
        return NULL;
    }
    job->active = a;
    job->started = queue_now(a->queue);
    job->envelope = a->envelope;
    if (first->origin->list_member) {
        job->envelope.envid = (struct str){0};
        job->envelope.ret = RET_UNSET;
        job->envelope.by = (struct deliver_by){0};
    }
    d->done = job_done;
    d->home = a->queue->ports->inbox;
    d->config = a->config;
    d->envelope = &job->envelope;
    d->sender = first->origin->sender;
    d->site = first->way->hop.site;
    d->additions = a->get.additions;
    d->body = a->get.body;
    d->owner = job;
    return job;
}

static size_t count_alike(const struct active *a, size_t from)
{
    uint32_t most = a->config->deliver.transaction_recipients;
    size_t count = 0;
    most = most ? most : 1;
    for (size_t i = from; i < a->high && count < most; i++) {
        count += same_job(state_rcpt(&a->state, from), state_rcpt(&a->state, i));
    }
    return count;
}

/* The site takes nothing now: all that would go there waits; what has waited too long for a site
 * that is down is given up without another attempt. */
static void park(struct active *a, struct rcpt *first, const struct site *site)
{
    struct instant now = queue_now(a->queue);
    bool down = site_is_down(site, now);
    struct str name = first->way->hop.site;
    for (size_t i = first->index; i < a->high; i++) {
        struct rcpt *r = state_rcpt(&a->state, i);
        if (r->work != WORK_ROUTED || !str_eq(r->way->hop.site, name)) {
            continue;
        }
        if (down && !instant_before(now, rcpt_give_up(a->config, &a->envelope, r))) {
            give_up_waiting(a, r, site);
        } else {
            r->work = WORK_PARKED;
            a->parked++;
        }
    }
}

static void send_job(struct active *a, struct rcpt *first, struct site *site)
{
    size_t count = count_alike(a, first->index);
    struct job *job = job_new(a, first, count);
    if (!job) {
        site->running--;
        site_settle(&a->queue->sites, site, queue_now(a->queue));
        a->broken = true;
        return;
    }
    job->site = site;
    struct delivery_job *d = &job->delivery;
    for (size_t i = first->index; d->rcpt_count < count; i++) {
        struct rcpt *r = state_rcpt(&a->state, i);
        if (i == first->index || same_job(first, r)) {
            fill_rcpt(&d->rcpts[d->rcpt_count], r);
            job->rcpts[d->rcpt_count++] = r;
        }
    }
    for (size_t i = 0; i < count; i++) {
        job->rcpts[i]->work = WORK_SENT;
    }
    a->jobs_out++;
    a->queue->jobs++;
    a->queue->hands.deliver(a->queue->hands.owner, d);
}

void sending_start(struct active *a)
{
    if (a->routes_out > 0) {
        return; /* those still asked for may share a transaction */
    }
    for (size_t i = a->low; i < a->high; i++) {
        struct rcpt *r = state_rcpt(&a->state, i);
        if (r->work != WORK_ROUTED) {
            continue;
        }
        if (a->jobs_out >= MESSAGE_JOBS || a->broken) {
            return;
        }
        if (deadline_passed(&a->envelope, r, queue_now(a->queue))) {
            give_up_waiting(a, r, site_find(&a->queue->sites, r->way->hop.site));
            continue;
        }
        struct site *site = take_site(a, &r->way->hop);
        if (!site) {
            a->broken = true;
        } else if (enter(a, site)) {
            send_job(a, r, site);
        } else {
            park(a, r, site);
        }
    }
}

bool sending_unpark(struct active *a)
{
    struct instant now = queue_now(a->queue);
    bool any = false;
    for (size_t i = a->low; i < a->high && a->parked > 0; i++) {
        struct rcpt *r = state_rcpt(&a->state, i);
        if (r->work != WORK_PARKED || r->aside) {
            continue;
        }
        const struct site *site = site_find(&a->queue->sites, r->way->hop.site);
        if (!site || site_has_room(site, now)) {
            r->work = WORK_ROUTED;
            a->parked--;
            any = true;
        }
    }
    return any;
}
