/* A round begins with the recipients that are due; each is asked the way for. */
#include "path/queue/inside.h"

#include "path/queue/schedule.h"

struct ask {
    struct queue_route route;
    struct active *active;
    struct rcpt *rcpt;
    struct envelope envelope; /* with this recipient's sender */
};

bool rcpt_is_forced_by(const struct rcpt *r, const struct site *site)
{
    return site && r->site_failures > 0 && str_eq(r->last->site, site->name);
}

static bool is_due(const struct active *a, const struct rcpt *r, struct instant now)
{
    if (r->phase != RCPT_PENDING || r->work != WORK_NONE) {
        return false;
    }
    return !instant_before(now, r->next) ||
           !instant_before(now, rcpt_give_up(a->config, &a->envelope, r)) ||
           rcpt_is_forced_by(r, a->promised);
}

/* What a way takes is not kept while a further round passes: a list may have 10,000 sites that are
 * down. False: no memory. */
static bool lay_aside(struct active *a)
{
    for (size_t i = a->low; i < a->high && a->parked > 0; i++) {
        struct rcpt *r = state_rcpt(&a->state, i);
        if (r->work != WORK_PARKED || r->aside) {
            continue;
        }
        if (!a->aside || !str_eq(a->aside->hop.site, r->way->hop.site)) {
            struct routing *way = ARENA_NEW(&a->arena, struct routing);
            struct str site = arena_copy(&a->arena, r->way->hop.site);
            if (!way || !site.ptr) {
                return false;
            }
            way->hop.site = site;
            a->aside = way;
        }
        r->way = a->aside;
        r->aside = true;
        a->parked--;
        a->asides++;
    }
    return true;
}

/* Those aside whose site has room now are due again. */
static void call_asides(struct active *a, struct instant now)
{
    const struct routing *way = NULL;
    bool room = false;
    for (size_t i = 0; i < a->state.count && a->asides > 0; i++) {
        struct rcpt *r = state_rcpt(&a->state, i);
        if (!r->aside) {
            continue;
        }
        if (r->way != way) {
            const struct site *site = site_find(&a->queue->sites, r->way->hop.site);
            way = r->way;
            room = !site || site_has_room(site, now);
        }
        if (room) {
            r->aside = false;
            r->work = WORK_NONE;
            a->asides--;
        }
    }
}

bool round_begin(struct active *a)
{
    struct instant now = queue_now(a->queue);
    size_t count = 0;
    call_asides(a, now);
    if (a->parked == 0 || lay_aside(a)) {
        arena_done(&a->round);
        a->low = a->state.count;
        a->high = 0;
    }
    for (size_t i = 0; i < a->state.count && count < ROUND_RCPTS; i++) {
        struct rcpt *r = state_rcpt(&a->state, i);
        bool due = is_due(a, r, now);
        if (due && deadline_passed(&a->envelope, r, now)) {
            give_up_waiting(a, r, NULL);
        } else if (due) {
            r->work = WORK_DUE;
            a->low = i < a->low ? i : a->low;
            a->high = i < a->high ? a->high : i + 1;
            count++;
        }
    }
    a->due_count += (uint32_t)count;
    a->cursor = a->low;
    a->alone = 0;
    return count > 0;
}

static void defer(struct active *a, struct rcpt *r, struct status_code status, struct str text)
{
    struct queue *q = a->queue;
    struct instant now = queue_now(q);
    struct outcome o = {.rcpt = r->index, .at = now, .status = status, .text = text};
    o.kind = OUTCOME_DEFERRED;
    o.next = schedule_next(&a->config->queue, r->deferrals + 1, now, q->ports->entropy);
    o.next = deadline_retry(&a->envelope, r, now, o.next);
    if (!instant_before(now, rcpt_give_up(a->config, &a->envelope, r))) {
        o.kind = OUTCOME_EXPIRED;
        o.status = (struct status_code){5, 4, 7};
        o.next = (struct instant){0};
    }
    active_record(a, &o);
}

static void fail(struct active *a, uint32_t index, struct status_code status, struct str text)
{
    struct outcome o = {.rcpt = index, .kind = OUTCOME_FAILED, .status = status, .text = text};
    active_record(a, &o);
}

/* The members seen so far, as a table of their places in the list (from 1; 0: free). */
struct seen {
    uint32_t *slots;
    size_t mask;
};

static bool seen_before(struct seen *seen, const struct outcome *o, struct str address,
                        struct hash_seed seed)
{
    size_t slot = hash_bytes(seed, address) & seen->mask;
    for (; seen->slots[slot] != 0; slot = (slot + 1) & seen->mask) {
        if (str_eq(o->children[seen->slots[slot] - 1].address, address)) {
            return true;
        }
    }
    seen->slots[slot] = (uint32_t)o->child_count + 1;
    return false;
}

/* What is among the recipients already, and did not lead here, gets its copy without this. */
static bool is_duplicate(struct active *a, const struct rcpt *r, struct str address)
{
    return state_find(&a->state, address) && !state_descends(&a->state, r, address);
}

/* An outcome without `children`: no memory. */
static struct outcome expansion(struct active *a, const struct rcpt *r,
                                const struct routing *result)
{
    struct outcome o = {.rcpt = r->index, .kind = OUTCOME_EXPANDED};
    struct seen seen = {.mask = 15};
    while (seen.mask < result->child_count * 2) {
        seen.mask = seen.mask * 2 + 1;
    }
    seen.slots = arena_array(&a->round, seen.mask + 1, sizeof *seen.slots);
    if (seen.slots) {
        o.children = arena_array(&a->round, result->child_count, sizeof *o.children);
    }
    for (size_t i = 0; o.children && i < result->child_count; i++) {
        const struct outcome_child *child = &result->children[i];
        if (!is_duplicate(a, r, child->address) &&
            !seen_before(&seen, &o, child->address, a->state.seed)) {
            o.children[o.child_count++] = *child;
        }
    }
    return o;
}

/* The members become recipients; those that lead in a circle fail at once. */
static void expand(struct active *a, struct rcpt *r, const struct routing *result)
{
    if (r->origin->depth >= STATE_DEPTH_MAX) {
        fail(a, r->index, (struct status_code){5, 4, 6},
             STR("aliases lead to aliases too many times"));
        return;
    }
    if (a->state.count + result->child_count > STATE_RCPTS_MAX) {
        fail(a, r->index, (struct status_code){5, 5, 3}, STR("the list has too many members"));
        return;
    }
    struct outcome o = expansion(a, r, result);
    if (!o.children) {
        a->broken = true;
        return;
    }
    size_t first = a->state.count;
    active_record(a, &o);
    a->high = a->state.count;
    for (size_t i = first; i < a->state.count; i++) {
        struct rcpt *child = state_rcpt(&a->state, i);
        if (state_descends(&a->state, r, rcpt_address(child))) {
            fail(a, child->index, (struct status_code){5, 4, 6},
                 STR("aliases lead in a circle: this one leads to itself"));
        } else {
            child->work = WORK_DUE;
            a->due_count++;
        }
    }
}

void routing_forwarded(struct active *a, struct rcpt *r, const struct outcome *o)
{
    struct routing result = {.children = o->children, .child_count = o->child_count};
    expand(a, r, &result);
}

/* Where the recipients end, before `most`, that may well go the same way as this one: the next ones
 * of its domain, as the envelope has them together. Only its own: their addresses were parsed when
 * it came. */
static size_t end_of_domain(const struct active *a, size_t first, size_t most)
{
    const struct rcpt *r = state_rcpt(&a->state, first);
    struct str domain = envelope_domain(rcpt_address(r));
    size_t end = first + 1;
    for (; end < most && domain.len > 0; end++) {
        const struct rcpt *next = state_rcpt(&a->state, end);
        if (next->origin->parent != RCPT_NO_PARENT ||
            !str_eq(envelope_domain(rcpt_address(next)), domain)) {
            break;
        }
    }
    return r->origin->parent == RCPT_NO_PARENT ? end : first + 1;
}

static void take_way(struct active *a, struct rcpt *r, const struct routing *result)
{
    r->work = WORK_NONE;
    switch (result->verdict) {
    case ROUTING_HOP:
        r->work = WORK_ROUTED;
        r->way = result;
        break;
    case ROUTING_EXPAND:
        expand(a, r, result);
        break;
    case ROUTING_DEFER:
        defer(a, r, result->status, result->text);
        break;
    case ROUTING_FAIL:
        fail(a, r->index, result->status, result->text);
        break;
    }
}

/* Those that waited for this one's way, since it might be theirs, go it, or are asked for: the
 * cursor has gone past them. Other domains may have been answered before. */
static void lead(struct active *a, const struct rcpt *r, const struct routing *result)
{
    bool whole = result->whole_domain;
    if (!whole && r->index >= a->alone) {
        a->alone = end_of_domain(a, r->index, a->high);
    }
    size_t end = end_of_domain(a, r->index, whole ? a->high : a->cursor);
    for (size_t i = r->index + 1U; i < end; i++) {
        struct rcpt *next = state_rcpt(&a->state, i);
        if (next->work != WORK_DUE) {
            continue;
        }
        if (!whole) {
            a->cursor = i;
            return;
        }
        a->due_count--;
        take_way(a, next, result);
    }
}

static void routed(struct queue_route *route)
{
    struct ask *ask = CONTAINER_OF(route, struct ask, route);
    struct active *a = ask->active;
    a->routes_out--;
    take_way(a, ask->rcpt, &route->result);
    lead(a, ask->rcpt, &route->result);
    active_turn(a);
}

static void ask_for(struct active *a, struct rcpt *r)
{
    struct ask *ask = ARENA_NEW(&a->round, struct ask);
    if (!ask) {
        a->broken = true;
        r->work = WORK_NONE;
        return;
    }
    ask->active = a;
    ask->rcpt = r;
    ask->envelope = a->envelope;
    ask->envelope.reverse_path = r->origin->sender;
    ask->route = (struct queue_route){
        .done = routed,
        .config = a->config,
        .arena = &a->round,
        .envelope = &ask->envelope,
        .address = rcpt_address(r),
    };
    r->work = WORK_ROUTING;
    a->routes_out++;
    a->queue->hands.route(a->queue->hands.owner, &ask->route);
}

void routing_start(struct active *a)
{
    while (a->cursor < a->state.count && a->due_count > 0 && a->routes_out < MESSAGE_ROUTES) {
        size_t at = a->cursor++;
        struct rcpt *r = state_rcpt(&a->state, at);
        bool due = r->work == WORK_DUE;
        if (due) {
            a->due_count--;
            ask_for(a, r);
        }
        if (at >= a->alone && (due || r->work == WORK_ROUTING)) {
            a->cursor = end_of_domain(a, at, a->high);
        }
    }
}
