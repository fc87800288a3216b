/* penalty.h: a client that behaved badly keeps its place among its own in the crowd for a while, so
 * that with all its connections it cannot come back at once, again and again. It takes none from
 * others: its connection is gone. */
#pragma once

#include "core/base/list.h"
#include "path/accept/crowd.h"
#include "port/ports.h"

/* On one loop; zeroed memory with `ports` and `crowd`. */
struct penalties {
    const struct ports *ports;
    struct crowd *crowd;
    struct list running; /* of struct penalty */
    size_t count;
};

void penalties_init(struct penalties *p, const struct ports *ports, struct crowd *crowd);
enum { PENALTIES_MAX = 100000 };

/* Frees the client's place in the crowd when so long has passed; at once where memory is short, or
 * there are PENALTIES_MAX. */
void penalties_add(struct penalties *p, struct ip client, struct span how_long);
/* All at once. */
void penalties_done(struct penalties *p);
