#include "path/queue/state.h"

#include <string.h>

#define NOTIFY_BITS 15U

static const struct outcome not_tried = {0};

static bool make_room(struct state *s)
{
    size_t used = s->count - s->named_count;
    if (used < s->more_cap) {
        return true;
    }
    size_t cap = s->more_cap ? s->more_cap * 2 : 4;
    struct rcpt **grown = arena_array(s->arena, cap, sizeof(struct rcpt *));
    if (!grown) {
        return false;
    }
    for (size_t i = 0; i < used; i++) {
        grown[i] = s->more[i];
    }
    s->more = grown;
    s->more_cap = cap;
    return true;
}

static void enter_address(struct state *s, const struct rcpt *r)
{
    struct address_table *t = &s->addresses;
    size_t slot = hash_bytes(s->seed, rcpt_address(r)) & t->mask;
    while (t->slots[slot] != 0) {
        slot = (slot + 1) & t->mask;
    }
    t->slots[slot] = r->index + 1;
}

/* It stands at its place. */
static void enter(struct state *s, struct rcpt *r)
{
    r->index = (uint32_t)s->count++;
    s->pending++;
    if (s->count * 2 > s->addresses.mask) {
        s->addresses = (struct address_table){0}; /* made anew when it is needed */
    } else {
        enter_address(s, r);
    }
}

static bool add(struct state *s, const struct rcpt *made)
{
    struct rcpt *r = make_room(s) ? ARENA_NEW(s->arena, struct rcpt) : NULL;
    if (!r) {
        return false;
    }
    *r = *made;
    s->more[s->count - s->named_count] = r;
    enter(s, r);
    return true;
}

/* Null: no memory. */
static const struct rcpt_origin *keep_origin(struct state *s, const struct rcpt_origin *origin)
{
    struct rcpt_origin *kept = ARENA_NEW(s->arena, struct rcpt_origin);
    if (kept) {
        *kept = *origin;
    }
    return kept;
}

/* An ORCPT is the recipient's alone. */
static const struct rcpt_origin *origin_of(struct state *s, const struct rcpt_origin *usual,
                                           struct str orcpt)
{
    struct rcpt_origin own = *usual;
    own.orcpt = orcpt;
    return orcpt.len > 0 ? keep_origin(s, &own) : usual;
}

bool state_init(struct state *s, struct arena *arena, const struct envelope *envelope,
                struct hash_seed seed)
{
    size_t count = envelope->rcpt_count;
    *s = (struct state){.arena = arena, .envelope = envelope, .seed = seed, .named_count = count};
    const struct rcpt_origin from = {.sender = envelope->reverse_path, .parent = RCPT_NO_PARENT};
    const struct rcpt_origin *usual = keep_origin(s, &from);
    s->named = arena_array(arena, count, sizeof *s->named);
    if (!s->named || !usual) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        const struct envelope_rcpt *rcpt = &envelope->rcpts[i];
        s->named[i] = (struct rcpt){
            .address = rcpt->address.ptr,
            .address_len = (uint32_t)rcpt->address.len,
            .origin = origin_of(s, usual, rcpt->orcpt),
            .notify = rcpt->notify & NOTIFY_BITS,
            .last = &not_tried,
            .next = envelope->release,
        };
        if (!s->named[i].origin) {
            return false;
        }
        enter(s, &s->named[i]);
    }
    return true;
}

/* False: no memory. */
static bool make_table(struct state *s)
{
    size_t size = 16;
    while (size < s->count * 4) {
        size *= 2;
    }
    uint32_t *slots = arena_array(s->arena, size, sizeof *slots);
    if (!slots) {
        return false;
    }
    s->addresses = (struct address_table){slots, size - 1};
    for (size_t i = 0; i < s->count; i++) {
        enter_address(s, state_rcpt(s, i));
    }
    return true;
}

static struct rcpt *search(const struct state *s, struct str address)
{
    for (size_t i = 0; i < s->count; i++) {
        if (str_eq(rcpt_address(state_rcpt(s, i)), address)) {
            return state_rcpt(s, i);
        }
    }
    return NULL;
}

struct rcpt *state_find(struct state *s, struct str address)
{
    const struct address_table *t = &s->addresses;
    if (t->mask == 0 && !make_table(s)) {
        return search(s, address);
    }
    size_t slot = hash_bytes(s->seed, address) & t->mask;
    for (; t->slots[slot] != 0; slot = (slot + 1) & t->mask) {
        struct rcpt *r = state_rcpt(s, t->slots[slot] - 1);
        if (str_eq(rcpt_address(r), address)) {
            return r;
        }
    }
    return NULL;
}

bool state_descends(const struct state *s, const struct rcpt *r, struct str address)
{
    while (!str_eq(rcpt_address(r), address)) {
        if (r->origin->parent == RCPT_NO_PARENT) {
            return false;
        }
        r = state_rcpt(s, r->origin->parent);
    }
    return true;
}

const struct rcpt *state_named(const struct state *s, const struct rcpt *r)
{
    while (r->origin->parent != RCPT_NO_PARENT) {
        const struct rcpt *parent = state_rcpt(s, r->origin->parent);
        if (parent->origin->list_member != r->origin->list_member ||
            !str_eq(parent->origin->sender, r->origin->sender)) {
            break;
        }
        r = parent;
    }
    return r;
}

bool outcome_is_site_trouble(const struct outcome *o)
{
    if (o->kind != OUTCOME_DEFERRED || o->reply_code != 0) {
        return false;
    }
    bool remote = str_starts(o->site, STR("smtp:")) || str_starts(o->site, STR("lmtp:"));
    bool network = o->status.subject == 4 || (o->status.subject == 5 && o->status.detail == 0);
    bool own_time = o->status.subject == 4 && o->status.detail == 7; /* its time was over */
    return remote && network && !own_time;
}

/* A list's members belong to its owner, who asked for nothing; a lone member of an alias stands for
 * it in every way; of several, none may tell the sender of a success (RFC 3461 5.2.7). */
static uint8_t notify_of(const struct rcpt *parent, size_t siblings)
{
    unsigned notify = parent->notify;
    if (siblings > 1 && (notify & NOTIFY_SUCCESS)) {
        notify &= ~(unsigned)NOTIFY_SUCCESS;
        notify = notify ? notify : NOTIFY_NEVER;
    }
    return (uint8_t)notify;
}

/* Null: no memory. Members stand by their owner: the one before may have the same. */
static const struct rcpt_origin *list_origin(struct state *s, const struct rcpt_origin *before,
                                             const struct rcpt_origin *parent, struct str owner)
{
    const struct rcpt_origin list = {
        .sender = owner, .parent = parent->parent, .depth = parent->depth, .list_member = true};
    return before && str_eq(before->sender, owner) ? before : keep_origin(s, &list);
}

static bool expand(struct state *s, const struct rcpt *parent, const struct outcome *o)
{
    struct rcpt_origin from = *parent->origin;
    from.parent = parent->index;
    from.depth++;
    const struct rcpt_origin *usual = keep_origin(s, &from), *list = NULL;
    for (size_t i = 0; i < o->child_count; i++) {
        const struct outcome_child *child = &o->children[i];
        bool of_list = child->sender.len > 0;
        list = of_list ? list_origin(s, list, &from, child->sender) : list;
        struct rcpt made = {
            .address = child->address.ptr,
            .address_len = (uint32_t)child->address.len,
            .origin = of_list ? list : usual,
            .notify = of_list ? 0 : notify_of(parent, o->child_count) & NOTIFY_BITS,
            .last = &not_tried,
        };
        if (!made.origin || !add(s, &made)) {
            return false;
        }
    }
    return true;
}

static void add_one(uint16_t *count)
{
    *count = (uint16_t)(*count + (*count < UINT16_MAX));
}

static void defer(struct rcpt *r, const struct outcome *o)
{
    r->last = o;
    r->next = o->next;
    add_one(&r->attempts);
    if (outcome_is_site_trouble(o)) {
        add_one(&r->site_failures);
    } else {
        r->site_failures = 0;
        add_one(&r->deferrals);
    }
}

static void end(struct state *s, struct rcpt *r, const struct outcome *o)
{
    if (r->phase == RCPT_PENDING) {
        s->pending--;
    } else {
        s->held--;
    }
    r->phase = RCPT_FINAL;
    r->last = o;
}

static bool apply_to(struct state *s, struct rcpt *r, const struct outcome *o)
{
    if (o->kind == OUTCOME_REPORTED) {
        r->reported = true;
        return true;
    }
    if (r->phase == RCPT_FINAL) {
        return true;
    }
    switch (o->kind) {
    case OUTCOME_DELIVERED:
    case OUTCOME_RELAYED:
    case OUTCOME_FAILED:
    case OUTCOME_EXPIRED:
    case OUTCOME_REMOVED:
        end(s, r, o);
        break;
    case OUTCOME_EXPANDED:
        end(s, r, o);
        return expand(s, r, o);
    case OUTCOME_DEFERRED:
        defer(r, o);
        break;
    case OUTCOME_HELD:
        s->pending -= r->phase == RCPT_PENDING;
        s->held += r->phase == RCPT_PENDING;
        r->phase = RCPT_HELD;
        break;
    case OUTCOME_RELEASED:
        s->pending += r->phase == RCPT_HELD;
        s->held -= r->phase == RCPT_HELD;
        r->phase = RCPT_PENDING;
        r->next = s->envelope->release; /* its sender's wish stays */
        break;
    case OUTCOME_NOTIFIED:
        r->notified = true;
        break;
    case OUTCOME_REPORTED:
        break;
    }
    return true;
}

bool state_tells_relay(const struct state *s, const struct rcpt *r, const struct outcome *o)
{
    const struct deliver_by *by = &s->envelope->by;
    bool ends_here = by->mode == BY_NOTIFY && o->by_unheard;
    return o->kind == OUTCOME_RELAYED && (by->trace || ends_here) && !(r->notify & NOTIFY_NEVER) &&
           !r->origin->list_member;
}

bool state_keeps(const struct state *s, const struct outcome *o)
{
    const struct rcpt *r = o->rcpt < s->count ? state_rcpt(s, o->rcpt) : NULL;
    if (o->kind == OUTCOME_DELIVERED || o->kind == OUTCOME_RELAYED) {
        return !r || r->index < STATE_TOLD_MAX || (r->notify & NOTIFY_SUCCESS) != 0 ||
               state_tells_relay(s, r, o);
    }
    return o->kind < OUTCOME_HELD; /* the others are flags of the recipient */
}

const struct outcome *state_alike(const struct state *s, const struct outcome *o)
{
    return s->newest && outcome_alike(s->newest, o) ? s->newest : NULL;
}

/* What the recipients point to; null: no memory. */
static const struct outcome *keep(struct state *s, const struct outcome *o)
{
    static const struct outcome bare[] = {
        [OUTCOME_DELIVERED] = {.kind = OUTCOME_DELIVERED},
        [OUTCOME_RELAYED] = {.kind = OUTCOME_RELAYED},
        [OUTCOME_HELD] = {.kind = OUTCOME_HELD},
        [OUTCOME_RELEASED] = {.kind = OUTCOME_RELEASED},
        [OUTCOME_NOTIFIED] = {.kind = OUTCOME_NOTIFIED},
        [OUTCOME_REPORTED] = {.kind = OUTCOME_REPORTED},
    };
    if (!state_keeps(s, o)) {
        return &bare[o->kind];
    }
    const struct outcome *alike = state_alike(s, o);
    struct outcome *kept = alike ? NULL : ARENA_NEW(s->arena, struct outcome);
    if (kept) {
        *kept = *o;
        s->newest = kept;
    }
    return alike ? alike : kept;
}

bool state_apply(struct state *s, const struct outcome *happened)
{
    const struct outcome *o = keep(s, happened);
    if (!o) {
        return false;
    }
    if (happened->rcpt != OUTCOME_ALL_RCPTS) {
        return happened->rcpt >= s->count || apply_to(s, state_rcpt(s, happened->rcpt), o);
    }
    if (o->kind == OUTCOME_EXPANDED) {
        return true;
    }
    for (size_t i = 0; i < s->count; i++) {
        if (!apply_to(s, state_rcpt(s, i), o)) {
            return false;
        }
    }
    return true;
}

bool state_replay(struct state *s, struct str outcomes)
{
    for (;;) {
        struct outcome o = {0};
        int got = outcome_decode(&outcomes, s->arena, &o);
        if (got <= 0) {
            return got == 0;
        }
        if (!state_apply(s, &o)) {
            return false;
        }
    }
}
