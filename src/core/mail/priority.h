/* priority.h: how urgent a message is (MT-PRIORITY, RFC 6710): -9 to 9, the highest first. */
#pragma once

#include <stdint.h>

enum { PRIORITY_MIN = -9, PRIORITY_MAX = 9, PRIORITY_ORDER_BITS = 56 };

/* A key for heap.h: before all of lower priority, and among its own by `order`, of which so many
 * bits count. */
static inline int64_t priority_key(int priority, uint64_t order)
{
    uint64_t mask = (UINT64_C(1) << PRIORITY_ORDER_BITS) - 1;
    uint64_t rank = (uint64_t)(PRIORITY_MAX - priority) << PRIORITY_ORDER_BITS;
    return (int64_t)(rank | (order & mask));
}
