#include "core/base/bucket.h"

#define HOUR_US INT64_C(3600000000)

static uint64_t parts(uint32_t units)
{
    return (units < BUCKET_LIMIT_MAX ? units : (uint64_t)BUCKET_LIMIT_MAX) * BUCKET_UNIT;
}

void bucket_drain(struct bucket *b, uint32_t limit, int64_t now_us)
{
    if (now_us > b->at_us) {
        uint64_t elapsed = (uint64_t)now_us - (uint64_t)b->at_us;
        bool empty = limit > 0 && elapsed > b->used / limit;
        b->used = empty ? 0 : b->used - elapsed * limit;
        b->at_us = now_us;
    }
    if (b->used > parts(limit)) {
        b->used = parts(limit);
    }
}

bool bucket_fits(const struct bucket *b, uint32_t limit, uint32_t units)
{
    return limit == 0 || (units <= limit && b->used + parts(units) <= parts(limit));
}

int64_t bucket_wait(const struct bucket *b, uint32_t limit, uint32_t units)
{
    if (bucket_fits(b, limit, units)) {
        return 0;
    }
    uint64_t over = b->used + parts(units) - parts(limit);
    uint64_t wait = over / limit + (over % limit > 0);
    return wait < (uint64_t)HOUR_US ? (int64_t)wait : HOUR_US;
}

void bucket_add(struct bucket *b, uint32_t units)
{
    uint64_t most = parts(BUCKET_LIMIT_MAX), more = parts(units);
    b->used = b->used < most - more ? b->used + more : most;
}

uint32_t bucket_units(const struct bucket *b)
{
    return (uint32_t)(b->used / BUCKET_UNIT + (b->used % BUCKET_UNIT > 0));
}
