/* id_time.h: the time that is in an id. Many mail servers make their ids from the clock; a forger
 * who alters a date seldom alters the id with it. */
#pragma once

#include "core/trace/received.h"

struct id_time {
    bool known;
    bool local;      /* UTC, or the time of the server's zone: either fits */
    int64_t seconds; /* since 1970 */
};

/* By the form of the software named in `r`. */
struct id_time id_time_read(const struct received *r);
