#include "path/queue/schedule.h"

struct instant schedule_next(const struct config_queue *config, uint32_t failures,
                             struct instant now, struct entropy *entropy)
{
    struct span wait = SPAN_H(1);
    if (config->retry_count > 0) {
        size_t step = failures > 0 ? failures - 1 : 0;
        wait = config->retry[step < config->retry_count ? step : config->retry_count - 1];
    }
    wait.us = wait.us < SPAN_S(1).us ? SPAN_S(1).us : wait.us;
    int64_t tenth = wait.us / 10;
    if (tenth > 0) {
        wait.us += (int64_t)entropy_below(entropy, (uint64_t)tenth * 2 + 1) - tenth;
    }
    return instant_add(now, wait);
}
