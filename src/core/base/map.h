/* map.h: an intrusive hash table. Elements embed a map_node with their hash; the table owns only
 * its buckets. Keys come from the network, so hashes of text are keyed (SipHash-1-3) with a seed
 * that the caller draws at random: nobody outside can aim for one bucket. */
#pragma once

#include "core/base/str.h"

struct map_node {
    struct map_node *next;
    uint64_t hash;
};

struct map {
    struct map_node **buckets;
    size_t bucket_count; /* a power of two, or 0 */
    size_t count;
};

struct hash_seed {
    uint64_t k0, k1;
};

uint64_t hash_bytes(struct hash_seed seed, struct str s);
uint64_t hash_nocase(struct hash_seed seed, struct str s); /* ASCII letters of either case alike */
uint64_t hash_u64(uint64_t value);                         /* for keys that we number ourselves */

void map_done(struct map *m);
NODISCARD bool map_insert(struct map *m, struct map_node *n, uint64_t hash); /* false: no memory */
void map_remove(struct map *m, struct map_node *n);                          /* must be in it */
/* The elements of one hash, in no order: for (n = map_find(m, h); n; n = map_find_next(n)). The
 * caller compares keys. */
struct map_node *map_find(const struct map *m, uint64_t hash);
struct map_node *map_find_next(const struct map_node *n);

/* Every element, in no order; insert and remove nothing meanwhile. */
struct map_iter {
    const struct map *map;
    size_t bucket;
    struct map_node *next;
};
struct map_iter map_begin(const struct map *m);
struct map_node *map_next(struct map_iter *it); /* null at the end */
