#include "path/queue/state.h"

#include <string.h>

static const struct outcome not_tried = {0};
static const struct str no_text = {0};

static bool make_room(struct state *s)
{
    if (s->count < s->cap) {
        return true;
    }
    size_t cap = s->cap ? s->cap * 2 : 4;
    struct rcpt **grown = arena_array(s->arena, cap, sizeof(struct rcpt *));
    if (!grown) {
        return false;
    }
    for (size_t i = 0; i < s->count; i++) {
        grown[i] = s->rcpts[i];
    }
    s->rcpts = grown;
    s->cap = cap;
    return true;
}

static void enter_address(struct state *s, const struct rcpt *r)
{
    struct address_table *t = &s->addresses;
    size_t slot = hash_bytes(s->seed, r->address) & t->mask;
    while (t->slots[slot] != 0) {
        slot = (slot + 1) & t->mask;
    }
    t->slots[slot] = r->index + 1;
}

/* There is room for it. */
static void enter(struct state *s, struct rcpt *r)
{
    r->index = (uint32_t)s->count;
    s->rcpts[s->count++] = r;
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
    enter(s, r);
    return true;
}

/* The array of the envelope's recipients need not outlive the start. */
static const struct str *keep_orcpt(struct state *s, struct str orcpt)
{
    struct str *kept = orcpt.len > 0 ? ARENA_NEW(s->arena, struct str) : NULL;
    if (kept) {
        *kept = orcpt;
    }
    return orcpt.len > 0 ? kept : &no_text;
}

bool state_init(struct state *s, struct arena *arena, const struct envelope *envelope,
                struct hash_seed seed)
{
    size_t count = envelope->rcpt_count;
    *s = (struct state){.arena = arena, .envelope = envelope, .seed = seed, .cap = count};
    struct rcpt *rcpts = arena_array(arena, count, sizeof *rcpts);
    s->rcpts = arena_array(arena, count, sizeof(struct rcpt *));
    if (!rcpts || !s->rcpts) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        const struct envelope_rcpt *rcpt = &envelope->rcpts[i];
        rcpts[i] = (struct rcpt){
            .address = rcpt->address,
            .orcpt = keep_orcpt(s, rcpt->orcpt),
            .notify = rcpt->notify,
            .sender = &envelope->reverse_path,
            .last = &not_tried,
            .parent = RCPT_NO_PARENT,
            .next = envelope->release,
        };
        if (!rcpts[i].orcpt) {
            return false;
        }
        enter(s, &rcpts[i]);
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
        enter_address(s, s->rcpts[i]);
    }
    return true;
}

static struct rcpt *search(const struct state *s, struct str address)
{
    for (size_t i = 0; i < s->count; i++) {
        if (str_eq(s->rcpts[i]->address, address)) {
            return s->rcpts[i];
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
        struct rcpt *r = s->rcpts[t->slots[slot] - 1];
        if (str_eq(r->address, address)) {
            return r;
        }
    }
    return NULL;
}

bool state_descends(const struct state *s, const struct rcpt *r, struct str address)
{
    while (!str_eq(r->address, address)) {
        if (r->parent == RCPT_NO_PARENT) {
            return false;
        }
        r = s->rcpts[r->parent];
    }
    return true;
}

const struct rcpt *state_named(const struct state *s, const struct rcpt *r)
{
    while (r->parent != RCPT_NO_PARENT && str_eq(*s->rcpts[r->parent]->sender, *r->sender) &&
           s->rcpts[r->parent]->list_member == r->list_member) {
        r = s->rcpts[r->parent];
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
static struct rcpt member_of(const struct rcpt *parent, const struct outcome_child *child,
                             size_t siblings)
{
    struct rcpt made = {
        .address = child->address,
        .orcpt = &no_text,
        .last = &not_tried,
        .sender = parent->sender,
        .list_member = parent->list_member,
        .parent = parent->index,
        .depth = (uint16_t)(parent->depth + 1),
    };
    if (child->sender.len > 0) {
        made.sender = &child->sender;
        made.list_member = true;
        return made;
    }
    made.orcpt = parent->orcpt;
    made.notify = parent->notify;
    if (siblings > 1 && (made.notify & NOTIFY_SUCCESS)) {
        made.notify = (uint8_t)(made.notify & ~(unsigned)NOTIFY_SUCCESS);
        made.notify = made.notify ? made.notify : NOTIFY_NEVER;
    }
    return made;
}

static bool expand(struct state *s, const struct rcpt *parent, const struct outcome *o)
{
    for (size_t i = 0; i < o->child_count; i++) {
        struct rcpt made = member_of(parent, &o->children[i], o->child_count);
        if (!add(s, &made)) {
            return false;
        }
    }
    return true;
}

static void defer(struct rcpt *r, const struct outcome *o)
{
    r->last = o;
    r->next = o->next;
    r->attempts++;
    if (outcome_is_site_trouble(o)) {
        r->site_failures++;
    } else {
        r->site_failures = 0;
        r->deferrals++;
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
           !r->list_member;
}

bool state_keeps(const struct state *s, const struct outcome *o)
{
    const struct rcpt *r = o->rcpt < s->count ? s->rcpts[o->rcpt] : NULL;
    if (o->kind == OUTCOME_DELIVERED || o->kind == OUTCOME_RELAYED) {
        return !r || r->index < STATE_TOLD_MAX || (r->notify & NOTIFY_SUCCESS) != 0 ||
               state_tells_relay(s, r, o);
    }
    return o->kind < OUTCOME_HELD; /* the others are flags of the recipient */
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
    struct outcome *kept = ARENA_NEW(s->arena, struct outcome);
    if (kept) {
        *kept = *o;
    }
    return kept;
}

bool state_apply(struct state *s, const struct outcome *happened)
{
    const struct outcome *o = keep(s, happened);
    if (!o) {
        return false;
    }
    if (happened->rcpt != OUTCOME_ALL_RCPTS) {
        return happened->rcpt >= s->count || apply_to(s, s->rcpts[happened->rcpt], o);
    }
    if (o->kind == OUTCOME_EXPANDED) {
        return true;
    }
    for (size_t i = 0; i < s->count; i++) {
        if (!apply_to(s, s->rcpts[i], o)) {
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
