/* memory.h: answers of the DNS, kept as long as their TTLs allow. A server is asked about the same
 * few clients and sites again and again; what is at hand costs a look into a table, not a passage
 * through another thread. Bounded: when it is full, what was not wanted for the longest time goes.
 */
#pragma once

#include "core/base/list.h"
#include "core/base/map.h"
#include "core/base/str.h"

enum {
    DNS_MEMORY_OCTETS_MAX = 384 << 10, /* of everything kept, entries included */
    DNS_MEMORY_MESSAGE_MAX = 4096,     /* a longer message is not kept */
    DNS_MEMORY_AGE_MAX_US = 60000000,  /* whatever the TTL: the next cache below knows more */
};

struct dns_memory {
    struct map map;
    struct list used; /* what was wanted last comes first */
    size_t octets;
    struct hash_seed seed;
};

struct dns_kept {
    struct str message; /* RFC 1035 section 4 */
    bool secure;        /* validated by DNSSEC */
    int64_t ttl;        /* seconds, as it was when the answer came */
};

void dns_memory_init(struct dns_memory *memory, struct hash_seed seed);
void dns_memory_done(struct dns_memory *memory);

/* True with what is known; borrowed until the next call. Names compare as RFC 4343 says. Times are
 * microseconds of a clock that never goes back. */
NODISCARD bool dns_memory_find(struct dns_memory *memory, struct str name, uint16_t type,
                               int64_t now_us, struct dns_kept *found);
/* Copies it. It need not be kept: no memory, too long, a TTL of 0 (RFC 1035 section 3.2.1). */
void dns_memory_keep(struct dns_memory *memory, struct str name, uint16_t type,
                     const struct dns_kept *answer, int64_t now_us);
