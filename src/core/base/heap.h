/* heap.h: an intrusive binary min-heap of elements ordered by a 64-bit key (a due time). The heap
 * owns only its array of pointers. An element knows its place, so that it can be removed. */
#pragma once

#include "core/base/str.h"

struct heap_node {
    int64_t key;
    uint32_t place; /* 1-based; 0: not in a heap */
};

struct heap {
    struct heap_node **nodes;
    size_t count;
    size_t cap;
};

void heap_done(struct heap *h);
/* Up to that size no push fails; false: no memory. */
NODISCARD bool heap_reserve(struct heap *h, size_t count);
NODISCARD bool heap_push(struct heap *h, struct heap_node *n, int64_t key); /* false: no memory */
struct heap_node *heap_min(const struct heap *h);                           /* null when empty */
void heap_remove(struct heap *h, struct heap_node *n);                      /* fine if not in it */
void heap_move(struct heap *h, struct heap_node *n, int64_t key);           /* must be in it */
