#include "path/queue/inside.h"

#include <stdlib.h>

struct instant queue_now(const struct queue *q)
{
    return q->ports->clock->wall(q->ports->clock);
}

struct entry *entry_find(const struct queue *q, struct queue_id id)
{
    struct map_node *n = map_find(&q->by_id, queue_id_hash(id));
    for (; n; n = map_find_next(n)) {
        struct entry *e = CONTAINER_OF(n, struct entry, by_id);
        if (e->id.value == id.value) {
            return e;
        }
    }
    return NULL;
}

static struct entry *entry_new(struct queue *q, struct queue_id id, struct instant due)
{
    struct entry *e = slab_take(&q->entries);
    size_t count = q->due.count + q->ready.count + 1;
    if (!e || !heap_reserve(&q->ready, count) || !heap_reserve(&q->due, count) ||
        !heap_push(&q->due, &e->due, due.us)) {
        slab_give(&q->entries, e);
        return NULL;
    }
    if (!map_insert(&q->by_id, &e->by_id, queue_id_hash(id))) {
        heap_remove(&q->due, &e->due);
        slab_give(&q->entries, e);
        return NULL;
    }
    e->id = id;
    return e;
}

static void leave_heap(struct queue *q, struct entry *e)
{
    heap_remove(e->flags & ENTRY_READY ? &q->ready : &q->due, &e->due);
    e->flags &= (uint16_t)~ENTRY_READY;
}

void entry_plan(struct queue *q, struct entry *e, struct instant due)
{
    leave_heap(q, e);
    (void)!heap_push(&q->due, &e->due, due.us); /* room was reserved */
}

/* What was promised a place, or is forced, comes before all others. */
static void make_ready(struct queue *q, struct entry *e, struct instant due)
{
    bool first = (e->flags & (ENTRY_PROMISED | ENTRY_FORCED)) != 0;
    int64_t since = due.us > e->arrived.us ? due.us : e->arrived.us;
    int64_t key = first ? 0 : priority_key(e->priority, since);
    leave_heap(q, e);
    e->flags |= ENTRY_READY;
    (void)!heap_push(&q->ready, &e->due, key);
}

void entry_free(struct queue *q, struct entry *e)
{
    entry_leave_line(q, e);
    q->held -= (e->flags & ENTRY_HELD) != 0;
    leave_heap(q, e);
    map_remove(&q->by_id, &e->by_id);
    slab_give(&q->entries, e);
}

void entry_leave_line(struct queue *q, struct entry *e)
{
    struct site *site = e->site;
    if (!site) {
        return;
    }
    e->site = NULL;
    if (e->flags & ENTRY_IN_LINE) {
        site_unwait(site, &e->in_line);
        e->flags &= (uint16_t)~ENTRY_IN_LINE;
        site_settle(&q->sites, site, queue_now(q));
        return;
    }
    e->flags &= (uint16_t)~ENTRY_PROMISED;
    site_promise_back(site);
    queue_wake_site(q, site);
}

void queue_wake_site(struct queue *q, struct site *site)
{
    struct instant now = queue_now(q);
    for (struct heap_node *n; (n = site_next(site, now)) != NULL;) {
        struct entry *e = CONTAINER_OF(n, struct entry, in_line);
        e->flags &= (uint16_t)~ENTRY_IN_LINE;
        e->flags |= ENTRY_PROMISED;
        entry_plan(q, e, (struct instant){0}); /* before those that were promised nothing */
    }
    site_settle(&q->sites, site, now);
    queue_arm(q);
}

static bool may_begin(const struct queue *q)
{
    uint32_t limit = q->config->queue.active;
    return q->active_count < (limit ? limit : 1);
}

static void wake_sites(struct queue *q, struct instant now)
{
    for (struct heap_node *n; (n = heap_min(&q->sites.wake)) != NULL && n->key <= now.us;) {
        heap_remove(&q->sites.wake, n);
        queue_wake_site(q, CONTAINER_OF(n, struct site, wake));
    }
}

static void pump(struct timer *timer)
{
    struct queue *q = CONTAINER_OF(timer, struct queue, timer);
    if (q->stopping) {
        return;
    }
    struct instant now = queue_now(q);
    wake_sites(q, now);
    while (may_begin(q)) {
        for (struct heap_node *n; (n = heap_min(&q->due)) != NULL && n->key <= now.us;) {
            make_ready(q, CONTAINER_OF(n, struct entry, due), (struct instant){n->key});
        }
        struct heap_node *first = heap_min(&q->ready);
        if (!first) {
            break;
        }
        active_begin(q, CONTAINER_OF(first, struct entry, due));
    }
    queue_arm(q);
}

/* Wall time may jump: the longest sleep is a minute. */
void queue_arm(struct queue *q)
{
    if (!q->started || q->stopping) {
        return;
    }
    int64_t next = ENTRY_NEVER;
    struct heap_node *n = heap_min(&q->due);
    if (may_begin(q)) {
        next = q->ready.count > 0 ? 0 : n ? n->key : next;
    }
    n = heap_min(&q->sites.wake);
    if (n && n->key < next) {
        next = n->key;
    }
    if (next == ENTRY_NEVER) {
        q->ports->timers->cancel(q->ports->timers, &q->timer);
        return;
    }
    int64_t now = queue_now(q).us;
    struct span wait = {next > now ? next - now : 0};
    wait.us = wait.us < SPAN_MIN(1).us ? wait.us : SPAN_MIN(1).us;
    q->ports->timers->arm(q->ports->timers, &q->timer, wait);
}

static struct history *make_history(const struct ports *ports, const struct config *config)
{
    struct buf folder = {0};
    buf_add(&folder, config->spool_path);
    buf_add(&folder, STR("/history"));
    struct history *h = folder.failed ? NULL : history_new(ports, buf_str(&folder));
    buf_done(&folder);
    if (h) {
        history_bound(h, config->queue.history, config->queue.history_size);
    }
    return h;
}

struct queue *queue_new(const struct ports *ports, struct spool *spool, const struct config *config,
                        struct queue_hands hands)
{
    struct queue *q = calloc(1, sizeof *q);
    if (!q) {
        return NULL;
    }
    *q = (struct queue){.ports = ports, .spool = spool, .hands = hands, .timer.fire = pump};
    q->entries.size = sizeof(struct entry);
    q->sites.seed.k0 = ports->entropy->u64(ports->entropy);
    q->sites.seed.k1 = ports->entropy->u64(ports->entropy);
    list_init(&q->actives);
    list_init(&q->requests);
    list_init(&q->tellings);
    q->history = make_history(ports, config);
    if (!q->history) {
        free(q);
        return NULL;
    }
    q->config = config_hold(config);
    return q;
}

static bool found(struct queue *q, const struct spool_found *message, struct arena *arena)
{
    struct envelope envelope;
    struct state s;
    struct instant now = queue_now(q);
    struct entry *e = entry_new(q, message->id, now);
    if (!e) {
        return false;
    }
    e->since = now;
    e->arrived = (struct instant){(int64_t)(message->id.value >> 8)};
    e->begins = e->arrived;
    if (!envelope_decode(message->envelope, arena, &envelope) ||
        !state_init(&s, arena, &envelope, q->sites.seed)) {
        return true; /* told when it is loaded */
    }
    e->arrived = envelope.arrived;
    e->begins = envelope_begins(&envelope);
    e->priority = envelope.priority;
    if (state_replay(&s, message->outcomes)) {
        entry_rest(q, e, &s, (struct instant){0});
    }
    return true;
}

bool queue_found(struct queue *q, const struct spool_found *message)
{
    struct arena arena = {0};
    bool ok = entry_find(q, message->id) || found(q, message, &arena);
    arena_done(&arena);
    return ok;
}

void queue_start(struct queue *q)
{
    q->started = true;
    queue_arm(q);
}

void queue_arrived(struct queue *q, const struct envelope *envelope)
{
    struct instant now = queue_now(q);
    if (entry_find(q, envelope->id)) {
        return;
    }
    bool later = instant_before(now, envelope->release);
    struct instant due = {later ? envelope->release.us : ENTRY_NEVER};
    struct entry *e = entry_new(q, envelope->id, due);
    if (!e) {
        queue_log_id(q, LOG_ERROR, "queue-trouble", envelope->id,
                     STR("no memory: the message is safe, and taken up at the next start"));
        return;
    }
    e->arrived = envelope->arrived;
    e->begins = envelope_begins(envelope);
    e->priority = envelope->priority;
    e->since = now;
    e->open = (uint32_t)envelope->rcpt_count;
    if (!later) { /* not by way of the heap of all that wait, to its very top and out again */
        make_ready(q, e, now);
    }
    queue_arm(q);
}

void queue_reload(struct queue *q, const struct config *config)
{
    const struct config *old = q->config;
    q->config = config_hold(config);
    config_drop(old);
    history_bound(q->history, config->queue.history, config->queue.history_size);
    queue_arm(q);
}

static void history_flushed(void *owner)
{
    struct queue *q = owner;
    void (*stopped)(void *) = q->stopped;
    q->stopped = NULL;
    if (stopped) {
        stopped(q->stopped_owner);
    }
}

void queue_check_stopped(struct queue *q)
{
    if (q->stopping && q->active_count == 0 && list_empty(&q->requests) &&
        list_empty(&q->tellings)) {
        history_flush(q->history, history_flushed, q);
    }
}

static void stop_soon(struct timer *timer)
{
    queue_check_stopped(CONTAINER_OF(timer, struct queue, timer));
}

void queue_stop(struct queue *q, void (*stopped)(void *owner), void *owner)
{
    q->stopping = true;
    q->stopped = stopped;
    q->stopped_owner = owner;
    control_drop(q);
    tell_drop(q);
    q->timer.fire = stop_soon;
    q->ports->timers->arm(q->ports->timers, &q->timer, SPAN_S(0));
}

void queue_free(struct queue *q)
{
    if (!q) {
        return;
    }
    q->ports->timers->cancel(q->ports->timers, &q->timer);
    q->stopping = true;
    control_free(q);
    tell_free(q);
    LIST_EACH (n, &q->actives) {
        active_free(CONTAINER_OF(n, struct active, link));
    }
    slab_done(&q->entries);
    map_done(&q->by_id);
    heap_done(&q->due);
    heap_done(&q->ready);
    sites_done(&q->sites);
    history_free(q->history);
    config_drop(q->config);
    free(q);
}

void queue_count(const struct queue *q, struct queue_counts *counts)
{
    *counts = (struct queue_counts){
        .messages = q->by_id.count,
        .active = q->active_count,
        .held = q->held,
        .sites = q->sites.by_name.count,
        .sites_down = q->sites.down,
        .jobs = q->jobs,
    };
}
