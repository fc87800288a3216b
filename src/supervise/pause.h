/* pause.h: how a process that dies soon after each start is started again. */
#pragma once

#include "core/base/instant.h"

/* How long to wait before the next start, when `failures` have failed in a row. */
struct span restart_pause(unsigned failures);
int64_t monotonic_now_us(void);
