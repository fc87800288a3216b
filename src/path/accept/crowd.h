/* crowd.h: how many connections there are now, in all and from one client, on all loops together.
 *
 * A client is an IPv4 address, or the /64 network of an IPv6 address: whoever has one has all of
 * it. Many have a /48 as well, so that all clients of one together have no more than a few.
 * They are counted in a table of fixed size without locks, each in two places; the lower
 * of the two is what it has at most. Which clients share a place cannot be foreseen from outside
 * (the seed is secret), and two that share both are one in four thousand million. */
#pragma once

#include "core/base/ip.h"
#include "core/base/map.h"

#include <stdatomic.h>

enum {
    CROWD_PLACES = 1 << 16,
    CROWD_CLIENTS_EACH = 4, /* so many clients' places for an IPv6 /48 */
};

struct crowd {
    struct hash_seed seed;
    atomic_uint total;
    atomic_uint places[CROWD_PLACES];
};

enum crowd_answer {
    CROWD_IN,       /* counted, until crowd_leave() and crowd_forget() */
    CROWD_FULL,     /* one too many in all, and nothing was counted */
    CROWD_TOO_MANY, /* one too many of that client; likewise */
};

/* For zeroed memory. */
void crowd_init(struct crowd *c, struct hash_seed seed);
/* One connection more; from any loop. `most` in all, `most_each` from one client (0: no limit). */
NODISCARD enum crowd_answer crowd_enter(struct crowd *c, struct ip client, uint32_t most,
                                        uint32_t most_each);
/* A connection that entered has ended… */
void crowd_leave(struct crowd *c);
/* …and its client may have another one in its place; the same address. */
void crowd_forget(struct crowd *c, struct ip client);
