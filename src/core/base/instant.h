/* instant.h: points in time and their distances. An instant is wall-clock time in microseconds
 * since 1970-01-01 UTC (it is kept on disk); a span is microseconds and may be negative. Both are
 * structs, so that the compiler refuses to mix them. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct instant {
    int64_t us;
};

struct span {
    int64_t us;
};

#define SPAN_MS(n) ((struct span){(int64_t)(n)*1000})
#define SPAN_S(n) ((struct span){(int64_t)(n)*1000000})
#define SPAN_MIN(n) SPAN_S((int64_t)(n)*60)
#define SPAN_H(n) SPAN_S((int64_t)(n)*3600)
#define SPAN_D(n) SPAN_S((int64_t)(n)*86400)

static inline struct instant instant_add(struct instant t, struct span d)
{
    return (struct instant){t.us + d.us};
}

static inline struct span instant_since(struct instant later, struct instant earlier)
{
    return (struct span){later.us - earlier.us};
}

static inline bool instant_before(struct instant a, struct instant b)
{
    return a.us < b.us;
}

static inline int64_t instant_seconds(struct instant t)
{
    return t.us / 1000000;
}

static inline int64_t span_seconds(struct span d)
{
    return d.us / 1000000;
}
