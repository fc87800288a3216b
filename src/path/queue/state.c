#include "path/queue/state.h"

#include <string.h>

static struct rcpt *add(struct state *s, const struct rcpt *made)
{
    if (s->count == s->cap) {
        size_t cap = s->cap ? s->cap * 2 : 4;
        cap = cap < s->envelope->rcpt_count ? s->envelope->rcpt_count : cap;
        struct rcpt **grown = arena_array(s->arena, cap, sizeof(struct rcpt *));
        if (!grown) {
            return NULL;
        }
        for (size_t i = 0; i < s->count; i++) {
            grown[i] = s->rcpts[i];
        }
        s->rcpts = grown;
        s->cap = cap;
    }
    struct rcpt *r = ARENA_NEW(s->arena, struct rcpt);
    if (!r) {
        return NULL;
    }
    *r = *made;
    r->index = (uint32_t)s->count;
    if (!map_insert(&s->addresses, &r->by_address, hash_bytes(s->seed, r->address))) {
        return NULL;
    }
    s->rcpts[s->count++] = r;
    s->pending++;
    return r;
}

bool state_init(struct state *s, struct arena *arena, const struct envelope *envelope,
                struct hash_seed seed)
{
    *s = (struct state){.arena = arena, .envelope = envelope, .seed = seed};
    for (size_t i = 0; i < envelope->rcpt_count; i++) {
        const struct envelope_rcpt *rcpt = &envelope->rcpts[i];
        struct rcpt made = {
            .address = rcpt->address,
            .orcpt = rcpt->orcpt,
            .notify = rcpt->notify,
            .sender = envelope->reverse_path,
            .parent = RCPT_NO_PARENT,
        };
        if (!add(s, &made)) {
            state_done(s);
            return false;
        }
    }
    return true;
}

void state_done(struct state *s)
{
    map_done(&s->addresses);
}

struct rcpt *state_find(const struct state *s, struct str address)
{
    struct map_node *n = map_find(&s->addresses, hash_bytes(s->seed, address));
    for (; n; n = map_find_next(n)) {
        struct rcpt *r = CONTAINER_OF(n, struct rcpt, by_address);
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
    while (r->parent != RCPT_NO_PARENT && str_eq(s->rcpts[r->parent]->sender, r->sender) &&
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
    return remote && network;
}

/* A list's members belong to its owner, who asked for nothing; a lone member of an alias stands for
 * it in every way; of several, none may tell the sender of a success (RFC 3461 5.2.7). */
static struct rcpt member_of(const struct rcpt *parent, const struct outcome_child *child,
                             size_t siblings)
{
    struct rcpt made = {
        .address = child->address,
        .sender = parent->sender,
        .list_member = parent->list_member,
        .parent = parent->index,
        .depth = (uint16_t)(parent->depth + 1),
    };
    if (child->sender.len > 0) {
        made.sender = child->sender;
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
    r->last = *o;
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
    r->last = *o;
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
        r->next = (struct instant){0};
        break;
    case OUTCOME_NOTIFIED:
        r->notified = true;
        break;
    case OUTCOME_REPORTED:
        break;
    }
    return true;
}

bool state_apply(struct state *s, const struct outcome *o)
{
    if (o->rcpt != OUTCOME_ALL_RCPTS) {
        return o->rcpt >= s->count || apply_to(s, s->rcpts[o->rcpt], o);
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
