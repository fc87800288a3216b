/* shares.h: that no client's network takes more of the login process than its share. Work is done
 * in turns: a network's first question comes before another one's second, however many that one has
 * brought. And who has most exchanges open is known, for when there is no room. Pure; fixed memory;
 * the caller locks. */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum { SHARES_PLACES = 1 << 14 };

/* Of one network, or of a few that share a place: which they are cannot be foreseen from outside.
 */
struct share {
    uint32_t open; /* exchanges; kept by the caller */
    uint64_t last; /* the turn of its last question */
};

struct shares {
    uint64_t now; /* the turn that is being worked for */
    struct share places[SHARES_PLACES];
};

/* For zeroed memory. `network`: a number from a secret seed. */
struct share *shares_of(struct shares *s, uint64_t network);
/* The turn of one more question. Lower ones come first, and of equals the earlier. */
uint64_t shares_turn(const struct shares *s, struct share *share);
/* That question's turn has come. */
void shares_begin(struct shares *s, uint64_t turn);
