/* entropy.h: unpredictable bytes; in simulations, predictable from the seed. */
#pragma once

#include "core/base/str.h"

struct entropy {
    uint64_t (*u64)(struct entropy *entropy);
};

/* Uniform in [0, below) for any `below` that is far from 2^64; at least 1. */
static inline uint64_t entropy_below(struct entropy *entropy, uint64_t below)
{
    return entropy->u64(entropy) % below;
}
