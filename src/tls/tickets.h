/* tickets.h: the keys that session tickets are sealed with (RFC 5077, RFC 8446 4.6.1): one set for
 * all loops, so that a session goes on on any. They are never written anywhere. A key seals for one
 * life of a ticket and opens for one more; then it is gone, and who learns what this process knows
 * cannot read sessions of before. */
#pragma once

#include <stdint.h>

#include "core/base/instant.h"
#include "core/base/str.h"

enum { TICKET_NAME_SIZE = 16, TICKET_SECRET_SIZE = 32 };

struct ticket_key {
    unsigned char name[TICKET_NAME_SIZE];
    unsigned char cipher[TICKET_SECRET_SIZE];
    unsigned char mac[TICKET_SECRET_SIZE];
};

struct tickets;

NODISCARD struct tickets *tickets_new(struct span life); /* null: no memory */
void tickets_free(struct tickets *tickets);              /* null is fine */
struct span tickets_life(const struct tickets *tickets);
/* Both from any thread; `now_us` is of a monotonic clock. */
/* The key to seal with. False: the system gave no random bytes. */
NODISCARD bool tickets_current(struct tickets *tickets, int64_t now_us, struct ticket_key *key);
/* The key of that name. False: there is none, or no more. */
NODISCARD bool tickets_find(struct tickets *tickets, int64_t now_us, const unsigned char *name,
                            struct ticket_key *key);
