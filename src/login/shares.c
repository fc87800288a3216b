#include "login/shares.h"

struct share *shares_of(struct shares *s, uint64_t network)
{
    return &s->places[network % SHARES_PLACES];
}

/* Who was idle has saved no turns. */
uint64_t shares_turn(const struct shares *s, struct share *share)
{
    share->last = (share->last > s->now ? share->last : s->now) + 1;
    return share->last;
}

void shares_begin(struct shares *s, uint64_t turn)
{
    s->now = turn > s->now ? turn : s->now;
}
