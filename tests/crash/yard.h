/* yard.h: a spool, its loop and its disk, without the rest of a mail system; and the ways in which
 * it lives and dies. Runs are processes of their own: what dies leaves its memory. */
#pragma once

#include "crash/tally.h"
#include "path/spool/log.h"
#include "sim/disk.h"
#include "sim/inbox.h"
#include "sim/world.h"

struct yard {
    struct sim_world world;
    struct sim_loop loop;
    struct sim_inbox inbox;
    struct clock clock;
    struct entropy entropy;
    struct log log;
    struct sim_disk disk;
    struct ports ports;
    struct spool_log_open open;
    struct spool_log_options options;
    struct spool *spool; /* null: not open */
    struct tally tally;
    unsigned readers; /* of messages: a spool is closed when there are none */
    bool ended;       /* opening, or closing */
    bool fault_set;   /* since the disk was last healed: operations may fail */
};

void yard_init(struct yard *y, uint64_t seed);
/* Opens it and judges what it tells. False: the power was cut meanwhile, or it failed, as it may
 * with faults; the disk is healed then. Anything else is trouble. */
bool yard_open(struct yard *y);
/* After damage: it opens as if nothing had happened, or refuses and is salvaged. */
void yard_open_damaged(struct yard *y);
void yard_close(struct yard *y); /* in order */
void yard_kill(struct yard *y);
void yard_cut(struct yard *y);
bool yard_dead(const struct yard *y); /* a cut that was set has come */
void yard_step(struct yard *y, uint64_t events);
void yard_rest(struct yard *y); /* all events; it comes to rest or is in trouble */
void yard_tidy(struct yard *y); /* and all housekeeping */
void yard_heal(struct yard *y);

/* work.c: puts, marks, reads and housekeeping at random. */
void yard_work(struct yard *y, uint64_t operations);
/* Each message that is there is read and compared. */
void yard_read_all(struct yard *y);
/* Each is finished; then little of the disk is in use. */
void yard_finish_all(struct yard *y);

/* faults.c */
void yard_set_fault(struct yard *y);
void yard_damage(struct yard *y); /* of the files of a spool that is closed */
