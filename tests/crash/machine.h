/* machine.h: a host on which Postrider runs: the real path with simulated clock, disk, network and
 * DNS. It can lose its power, its process, or its disk's good will. Memory of what died is never
 * given back: runs are processes of their own. */
#pragma once

#include "crash/ledger.h"
#include "path/postoffice.h"
#include "sim/disk.h"
#include "sim/inbox.h"
#include "sim/net.h"
#include "sim/resolver.h"
#include "sim/world.h"

enum { MACHINE_LOOPS = 3, MACHINE_FILES = 4096, MACHINE_ARMED = 16 };

struct machine {
    struct sim_world *world;
    struct ledger *ledger;
    const char *name; /* "one.example": its domain and the folder of its mailboxes */
    const char *config_text;
    struct sim_host host;
    struct sim_loop loop;
    struct sim_loop power; /* what outlives a crash */
    struct sim_disk disk;
    struct sim_resolver resolver;
    struct zone *zone;
    struct clock clock;
    struct entropy entropy;
    struct log log;
    struct sim_inbox inboxes[MACHINE_LOOPS];
    struct ports ports[MACHINE_LOOPS];
    const struct ports *branches[MACHINE_LOOPS - 1];
    struct config *config;
    struct postoffice *office; /* null: it is down */
    bool open;
    bool closing;
    bool fault_set;      /* of the disk, since it started: opening may fail */
    int64_t wall_offset; /* microseconds */
    struct timer boot;
    uint64_t renames_seen;
    uint64_t seen[MACHINE_FILES]; /* hashes of the mailbox files that were judged */
    unsigned seen_count;
    unsigned boots, cuts, kills, stops;
};

void machine_init(struct machine *m, struct sim_world *w, struct sim_wire *wire, const char *ip);
void machine_start(struct machine *m);
void machine_cut(struct machine *m);  /* power */
void machine_kill(struct machine *m); /* process */
void machine_stop(struct machine *m); /* in order */
/* After every event: a cut that the disk made, mailboxes with something new. */
void machine_look(struct machine *m);
/* All its mailboxes are counted into the ledger. */
void machine_count(struct machine *m);
bool machine_idle(const struct machine *m); /* up, and its spool empty */
