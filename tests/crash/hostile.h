/* hostile.h: a server that wants to hurt who sends to it. It takes nothing, or says yes to
 * everything; and it checks that nobody listens to it for long, nor to much. */
#pragma once

#include "sim/net.h"
#include "sim/world.h"

struct hostile {
    struct sim_world *world;
    struct sim_host host;
    struct sim_loop loop;
    struct net_listener listener;
    bool says_yes; /* to what ends a message too */
    unsigned visits;
};

void hostile_init(struct hostile *h, struct sim_world *w, struct sim_wire *wire, const char *ip);
