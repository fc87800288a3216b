#include "supervise/pause.h"

#include <time.h>

struct span restart_pause(unsigned failures)
{
    enum { AT_ONCE = 3, FIRST_MS = 100, LONGEST_MS = 10000 };
    if (failures <= AT_ONCE) {
        return SPAN_MS(0);
    }
    unsigned doubled = failures - AT_ONCE - 1;
    int64_t pause = doubled < 7 ? FIRST_MS << doubled : LONGEST_MS;
    return SPAN_MS(pause < LONGEST_MS ? pause : LONGEST_MS);
}

int64_t monotonic_now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}
