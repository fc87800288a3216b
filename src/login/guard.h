/* guard.h: against guessed passwords. Failures count for the client's network (an IPv4 address, an
 * IPv6 /64), for the account, and for the two together; they fade by half every ten minutes. A
 * network that fails often waits longer each time and is then refused, and so are all of an IPv6
 * /48 (many have one) that fails very often; an account under attack refuses the networks that have
 * failed at it themselves, and no other, so that its owner with the right password always comes in
 * from elsewhere. Fixed memory; safe from any thread. */
#pragma once

#include "core/base/instant.h"
#include "core/base/ip.h"
#include "core/base/map.h"

enum {
    GUARD_NETWORK_FAILURES = 20, /* then a network is refused */
    GUARD_SITE_FAILURES = 100,   /* then all networks of an IPv6 /48 are */
    GUARD_ACCOUNT_FAILURES = 50, /* then an account is under attack… */
    GUARD_PAIR_FAILURES = 5,     /* …and refuses a network that has failed at it so often */
    GUARD_DELAY_MAX_MS = 8000,
};

struct guard;

NODISCARD struct guard *guard_new(struct hash_seed seed); /* null: no memory */
void guard_free(struct guard *guard);                     /* null is fine */

/* A number for the client's network: the same for all its addresses, and for no other one but by
 * chance. */
uint64_t guard_network(const struct guard *guard, struct ip peer);
/* May this network try? `user` empty: the name is not known yet. `now` is monotonic. */
NODISCARD bool guard_allows(struct guard *guard, struct ip peer, struct str user, int64_t now_us);
/* Notes a failure; returns how long to wait before it is said. */
struct span guard_failed(struct guard *guard, struct ip peer, struct str user, int64_t now_us);
/* The user is in: his own earlier slips from there are forgotten. */
void guard_succeeded(struct guard *guard, struct ip peer, struct str user, int64_t now_us);
