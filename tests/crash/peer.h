/* peer.h: a mail server of somebody else's: good, moody or lying. It takes what it says it takes,
 * judges it, and checks that nobody asks more of it than the limits allow. */
#pragma once

#include "crash/ledger.h"
#include "sim/net.h"
#include "sim/world.h"

enum temper {
    TEMPER_GOOD,  /* recipients that begin with "r" are refused for good */
    TEMPER_MOODY, /* fails in every way, until it is healed */
    TEMPER_LYING, /* 250 to everything, and more */
};

struct peer {
    struct sim_world *world;
    struct ledger *ledger;
    struct sim_host host;
    struct sim_loop loop;
    struct net_listener listener;
    enum temper temper;
    unsigned open;            /* connections, now */
    unsigned open_most;       /* allowed */
    unsigned connection_most; /* messages on one connection, allowed */
    unsigned rcpts_most;      /* in one transaction, allowed */
    unsigned taken;
};

void peer_init(struct peer *p, struct sim_world *w, struct sim_wire *wire, const char *ip);
