/* penalty.h: a client that was thrown out keeps its place in the crowd for a while, so that with
 * all its connections it cannot come back at once, again and again. It costs nothing else: its
 * connection is gone. */
#pragma once

#include "core/base/list.h"
#include "path/accept/crowd.h"
#include "port/ports.h"

#define PENALTY SPAN_S(10)

/* On one loop; zeroed memory with `ports` and `crowd`. */
struct penalties {
    const struct ports *ports;
    struct crowd *crowd;
    struct list running; /* of struct penalty */
};

void penalties_init(struct penalties *p, const struct ports *ports, struct crowd *crowd);
/* Frees the client's place in the crowd, in a while; at once where memory is short. */
void penalties_add(struct penalties *p, struct ip client);
/* All at once. */
void penalties_done(struct penalties *p);
