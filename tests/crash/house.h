/* house.h: the whole of a run: two machines, clients, other servers, DNS, and what befalls them. */
#pragma once

#include "crash/client.h"
#include "crash/hostile.h"
#include "crash/machine.h"
#include "crash/peer.h"

enum { MACHINES = 2, CLIENTS = 4, PEERS = 3, HOSTILES = 2 };

struct house {
    struct sim_world world;
    struct sim_loop loop; /* the wire's, and of what befalls */
    struct sim_wire wire;
    struct zone zone;
    struct ledger ledger;
    struct machine machines[MACHINES];
    struct client clients[CLIENTS];
    struct peer peers[PEERS];
    struct hostile hostiles[HOSTILES];
    struct timer evil;
    unsigned evils; /* that this run may still see */
    uint32_t kinds; /* bits: which kinds */
    bool healed;
};

/* Everything from the seed; returns when all has come to rest and was judged. */
void house_run(struct house *h, uint64_t seed);
/* chaos.c */
void chaos_start(struct house *h);
void chaos_end(struct house *h); /* what can be healed is healed */
