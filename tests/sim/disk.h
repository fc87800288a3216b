/* disk.h: port/disk.h in memory, with everything that can go wrong. Operations end after a random
 * delay, in any order; their effect is at their end. */
#pragma once

#include "port/clock.h"
#include "port/disk.h"
#include "port/timer.h"
#include "sim/disk_store.h"

struct sim_disk {
    struct disk disk; /* what ports point to */
    struct timers *timers;
    struct clock *clock; /* for times of change; may be null */
    struct disk_store store;
    struct list jobs; /* under way */

    /* Faults; calls and syncs are numbered from 1; 0: never. */
    uint64_t cut_at;        /* the power is cut at this call */
    uint64_t fail_at;       /* this call fails with fail_error, and has no effect */
    int fail_error;         /* -EIO, … */
    uint64_t sync_fails_at; /* this sync or write_sync fails, and what it was to sync may be gone */
    uint64_t syncs_fail_times; /* as many from there on; 0: one */
    bool syncs_fail;           /* all do */

    uint64_t calls; /* made so far, but for close */
    uint64_t syncs;
    uint64_t renames;        /* that succeeded: whoever looks for new files looks then */
    uint64_t writes;         /* of any kind */
    uint64_t reads_fail_in;  /* one read in so many fails with -EIO, by chance */
    uint64_t write_fails_at; /* this write fails with -ENOSPC, a part of it done */
    bool dead;               /* the power is cut: all fails with -EIO until restart */
};

/* The folder "/" is there, nothing else. */
void sim_disk_init(struct sim_disk *d, struct timers *timers, uint64_t seed);
void sim_disk_done(struct sim_disk *d); /* operations under way never end */

void sim_disk_cut(struct sim_disk *d); /* now */
/* After a cut, or after all who used it closed: the machine starts, with no faults set. Handles
 * still open must not be used again. */
void sim_disk_restart(struct sim_disk *d);

/* The program dies, the machine does not: what it wrote stays; of what was under way a part
 * happens, and nobody is told. The disk may be used by another program at once. */
void sim_disk_killed(struct sim_disk *d);
/* Forgets operations under way, whose owners are gone. */
void sim_disk_forget(struct sim_disk *d);

/* For tests, at once and without faults. */
void sim_disk_flip(struct sim_disk *d, const char *path, uint64_t offset, unsigned bit);
struct str sim_disk_bytes(struct sim_disk *d, const char *path); /* null pointer: no such file */
void sim_disk_put(struct sim_disk *d, const char *path, struct str bytes); /* durable; no folders */
void sim_disk_remove(struct sim_disk *d, const char *path);                /* durably */
bool sim_disk_exists(struct sim_disk *d, const char *path);
