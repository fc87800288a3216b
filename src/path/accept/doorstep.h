/* doorstep.h: connections that are not let in, and are told so only after a while (421). Whoever is
 * answered at once comes again at once, and a few clients that do so without pause cost more than
 * thousands of sessions; while they wait they cost nothing but a socket. What they say meanwhile is
 * not read. On one loop. */
#pragma once

#include "core/base/list.h"
#include "port/ports.h"

/* Zeroed memory with `ports`. */
struct doorstep {
    const struct ports *ports;
    struct list waiting; /* of struct caller, who came first at the front */
    uint32_t count;
};

void doorstep_init(struct doorstep *d, const struct ports *ports);
/* Takes the stream, paused as it came. `most`: so many may wait; one more is told at once, and so
 * it is where memory is short. */
void doorstep_refuse(struct doorstep *d, struct stream *stream, uint32_t most);
/* All are told at once. */
void doorstep_clear(struct doorstep *d);
