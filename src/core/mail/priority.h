/* priority.h: how urgent a message is (MT-PRIORITY, RFC 6710): -9 to 9, the highest first. */
#pragma once

#include <stdint.h>

enum { PRIORITY_MIN = -9, PRIORITY_MAX = 9, PRIORITY_STEP_S = 600 };

/* A key for heap.h: who has waited since then (in us) counts as if he had waited so many minutes
 * longer, or less, as his priority says. So the urgent come first, and nobody waits for ever: the
 * lowest goes before the highest that comes PRIORITY_STEP_S times their distance later. */
static inline int64_t priority_key(int priority, int64_t since_us)
{
    return since_us - priority * (int64_t)PRIORITY_STEP_S * 1000000;
}
