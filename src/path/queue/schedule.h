/* schedule.h: when something that failed is tried again. */
#pragma once

#include "config/config.h"
#include "port/entropy.h"

/* After `failures` (1 and more) in a row that ended at `now`: the configured wait, give or take a
 * tenth, so that what failed together does not come back together. */
struct instant schedule_next(const struct config_queue *config, uint32_t failures,
                             struct instant now, struct entropy *entropy);
