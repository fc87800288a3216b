/* clock.h: the machine's time, from any thread: what port/clock.h is on every loop. */
#pragma once

#include "core/base/instant.h"

int64_t clock_monotonic_us(void);
struct instant clock_wall(void);
