/* deliver_by.h: until when a message is wanted delivered, and what is done then (BY of MAIL,
 * RFC 2852). */
#pragma once

#include "core/base/instant.h"

enum { BY_SECONDS_MAX = 999999999 };

enum by_mode {
    BY_NONE,   /* its sender named no time */
    BY_NOTIFY, /* "N": the sender is told that it is late, and delivery goes on */
    BY_RETURN, /* "R": it is returned, and not delivered later */
};

struct deliver_by {
    int32_t seconds; /* from the message's arrival. RETURN: more than 0; NOTIFY: if not, the time
                      * was over before it came here, and the sender has been told */
    enum by_mode mode;
    bool trace; /* "T": the sender wants to be told of every server that it is handed to */
};

/* What is left of it for the next server, rounded down; 0 or less where the time has passed. */
static inline struct deliver_by deliver_by_left(struct deliver_by by, struct instant arrived,
                                                struct instant now)
{
    int64_t left = by.seconds - span_seconds(instant_since(now, arrived)) -
                   (instant_since(now, arrived).us % 1000000 > 0);
    left = left < -BY_SECONDS_MAX ? -BY_SECONDS_MAX : left;
    by.seconds = by.mode == BY_NONE ? 0 : (int32_t)(left < BY_SECONDS_MAX ? left : BY_SECONDS_MAX);
    return by;
}
