/* bucket.h: a leaky bucket used as a meter (ITU-T I.371): how much of an hourly limit is used up.
 * What is used drains away evenly, `limit` units an hour: after a pause `limit` units may come at
 * once, then one more each hour/limit; a full bucket is empty after an hour.
 *
 * A unit is BUCKET_UNIT parts, of which `limit` drain each microsecond: all numbers are whole, and
 * nothing is won or lost by looking often. Times are of a monotonic clock, in microseconds; one
 * that steps back drains nothing. A limit of 0 is none. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define BUCKET_UNIT UINT64_C(3600000000)

enum { BUCKET_LIMIT_MAX = 1000000000 };

/* Zeroed: nothing is used. */
struct bucket {
    uint64_t used; /* parts, at `at_us` */
    int64_t at_us;
};

/* What has drained by now is taken off. More than a limit that was lowered meanwhile counts as
 * that limit, so that nobody waits for longer than an hour. */
void bucket_drain(struct bucket *b, uint32_t limit, int64_t now_us);
/* After bucket_drain() with the same limit: */
bool bucket_fits(const struct bucket *b, uint32_t limit, uint32_t units);
/* Microseconds until so many fit: 0 where they do, at most an hour. For units up to `limit`. */
int64_t bucket_wait(const struct bucket *b, uint32_t limit, uint32_t units);
void bucket_add(struct bucket *b, uint32_t units);
/* Whole units, rounded up: what is not used of a limit is then free at once. */
uint32_t bucket_units(const struct bucket *b);
