/* disk_inside.h: an operation of the disk in memory. For disk.c and disk_calls.c alone. */
#pragma once

#include "sim/disk.h"

struct disk_file {
    struct sim_disk *owner; /* null: opened before a restart */
    struct stored_file *file;
    unsigned flags;
};

enum job_kind {
    JOB_OPEN,
    JOB_READ,
    JOB_WRITE,
    JOB_WRITE_SYNC,
    JOB_SYNC,
    JOB_TRUNCATE,
    JOB_STAT_FILE,
    JOB_LOCK,
    JOB_STAT,
    JOB_LIST,
    JOB_MAKE_FOLDER,
    JOB_SYNC_FOLDER,
    JOB_RENAME,
    JOB_LINK,
    JOB_REMOVE,
    JOB_SPACE,
    JOB_PERFORM
};

struct job {
    struct list link;
    struct timer timer;
    struct sim_disk *d;
    struct disk_op *op;
    enum job_kind kind;
    struct disk_file *handle;
    uint64_t offset;
    struct str into;
    const struct disk_pieces *pieces;
    unsigned flags;
    uint64_t number;
    struct str path, to;
    struct arena paths;
    void (*work)(struct disk_op *op, struct disk_calls *calls);
};

int64_t disk_job_run(struct job *j); /* its effect, without faults */

/* What perform() is: work() with calls of which each may fail, or be where the power is cut. At
 * most so many have an effect, then the machine is as dead. */
int64_t disk_perform(struct job *j, uint64_t calls);
