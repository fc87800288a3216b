/* clock.h: what time it is. Wall time for what is kept and shown; monotonic time for intervals. */
#pragma once

#include "core/base/instant.h"

struct clock {
    struct instant (*wall)(struct clock *clock);
    int64_t (*monotonic_us)(struct clock *clock);
};
