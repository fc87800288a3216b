/* state.h: how a message stands: its envelope with all outcomes so far laid over it. Pure: the same
 * outcomes give the same state, whether they happened now or are read back after a crash. */
#pragma once

#include "core/base/map.h"
#include "core/mail/next_hop.h"
#include "path/queue/queue_control.h"

enum {
    STATE_DEPTH_MAX = 20,    /* expansions within expansions */
    STATE_RCPTS_MAX = 50000, /* of one message, with all that expansions brought */
    STATE_TOLD_MAX = 200,    /* of so many recipients all is remembered, for operators */
};

#define RCPT_NO_PARENT UINT32_MAX

/* What is done about a recipient while its message is being worked on. */
enum rcpt_work {
    WORK_NONE,
    WORK_DUE,     /* to be routed */
    WORK_ROUTING, /* asked for */
    WORK_ROUTED,  /* has a hop, and no job yet */
    WORK_PARKED,  /* has a hop whose site takes nothing now */
    WORK_SENT,    /* in a job */
};

/* Where a recipient comes from: shared by all that come from there. */
struct rcpt_origin {
    struct str orcpt;
    struct str sender; /* the reverse-path */
    uint32_t parent;   /* index of what expanded to it, or RCPT_NO_PARENT */
    uint16_t depth;
    bool list_member; /* the sender is a list's owner, not the envelope's sender */
};

/* There may be 100,000 of them in a message that is being worked on: 56 octets each. What many have
 * alike is behind a pointer. */
struct rcpt {
    const char *address; /* rcpt_address() */
    uint32_t address_len;
    uint32_t index;
    const struct rcpt_origin *origin;
    const struct outcome *last; /* never null; of kind 0: not tried yet */
    const struct routing *way;  /* ROUTED, PARKED, SENT */
    struct instant next;        /* PENDING: not before */
    uint16_t attempts;          /* that ended DEFERRED; the counts stay at their greatest value */
    uint16_t deferrals;         /* of these: for reasons of its own */
    uint16_t site_failures;     /* of these, the last ones in a row: its site was not reached */
    unsigned notify : 4;
    enum queue_rcpt_phase phase : 2;
    enum rcpt_work work : 3;
    bool notified : 1; /* a delay notice has gone */
    bool reported : 1; /* the report due about its end is durable */
    bool aside : 1;    /* PARKED: of its way only the site is known any more */
};

static inline struct str rcpt_address(const struct rcpt *r)
{
    return str_from(r->address, r->address_len);
}

/* Whether one transaction, or one report, may be for both. */
static inline bool rcpt_same_sender(const struct rcpt *a, const struct rcpt *b)
{
    return a->origin == b->origin || (a->origin->list_member == b->origin->list_member &&
                                      str_eq(a->origin->sender, b->origin->sender));
}

/* Recipients by address, made when one is looked for: only what expands needs it. */
struct address_table {
    uint32_t *slots; /* index + 1; 0: free */
    size_t mask;     /* at least twice as many as there are recipients; 0: there is no table */
};

struct state {
    struct arena *arena;
    const struct envelope *envelope;
    struct hash_seed seed;
    struct address_table addresses;
    struct rcpt *named; /* by the envelope, `named_count` of them */
    struct rcpt **more; /* that expansions brought */
    size_t named_count;
    size_t more_cap;
    size_t count;                 /* of all: state_rcpt() */
    const struct outcome *newest; /* of those kept; null: none yet */
    uint32_t pending;
    uint32_t held;
};

static inline struct rcpt *state_rcpt(const struct state *s, size_t index)
{
    return index < s->named_count ? &s->named[index] : s->more[index - s->named_count];
}

/* False: no memory. `envelope`, less the array of its recipients, and `arena` must outlive it. */
NODISCARD bool state_init(struct state *s, struct arena *arena, const struct envelope *envelope,
                          struct hash_seed seed);
/* Lays one outcome over it. If it is kept (state_keeps()), its texts must live as long as the
 * arena. What makes no sense (no such recipient, one that is done) changes nothing. False: no
 * memory. */
NODISCARD bool state_apply(struct state *s, const struct outcome *o);
/* The same with all of encoded `outcomes`. False: damaged, or no memory. */
NODISCARD bool state_replay(struct state *s, struct str outcomes);
/* Whether the sender is to hear that this outcome handed it on to another server: where it asked
 * for a trace, or to be told of delays of which that server knows nothing (RFC 2852 4.1.4). */
bool state_tells_relay(const struct state *s, const struct rcpt *r, const struct outcome *o);
/* Whether more than its kind is remembered of this outcome (`last`). Of many recipients, those that
 * were delivered to and are reported to nobody need no more. */
bool state_keeps(const struct state *s, const struct outcome *o);
/* The newest outcome kept, where it says the same of another recipient: recipients that fare alike
 * share what is remembered. Else null. */
const struct outcome *state_alike(const struct state *s, const struct outcome *o);

struct rcpt *state_find(struct state *s, struct str address); /* or null */
/* Whether that address is the recipient's own or one that expanded to it. */
bool state_descends(const struct state *s, const struct rcpt *r, struct str address);
/* The recipient as this one's sender knows it: the root of its expansions, or the list's member. */
const struct rcpt *state_named(const struct state *s, const struct rcpt *r);

/* Nothing was reached: the trouble is the site's and not this recipient's. */
bool outcome_is_site_trouble(const struct outcome *o);
