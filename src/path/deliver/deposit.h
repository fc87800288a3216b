/* deposit.h: whole files put where others see them, each durable before anybody is told. Those that
 * wait together are one piece of work for the disk: all are written, then all synced, then all
 * moved, then each folder is synced once; so many share what one sync costs. As a group commit
 * does, a batch takes what came while others were at work, and no timer holds one back. */
#pragma once

#include "core/base/list.h"
#include "port/ports.h"

enum {
    DEPOSIT_BATCHES = 8, /* at work at a time: while some wait for the disk, others write */
    DEPOSIT_BATCH = 32,  /* files in one */
};

enum deposit_step { DEPOSIT_CREATE, DEPOSIT_WRITE, DEPOSIT_MOVE, DEPOSIT_SYNC_FOLDER };

/* The caller embeds it, zeroed, sets the first part, and keeps it and its texts until done. */
struct deposit {
    void (*done)(struct deposit *d); /* once, never before deposits_add() returned */
    struct str draft;                /* where the file is written, on the same file system */
    struct str final;                /* where it is moved; what is there is replaced */
    struct disk_file *file; /* the draft, begun by the caller and closed here; null: made here */
    uint64_t size;          /* of what is in `file` already, unsynced */
    struct str bytes;       /* what comes after that */

    /* 0: the file is at `final` and survives a power cut. -errno: nothing is left of it, as far as
     * the disk lets us; other files of the batch are none the worse. */
    int64_t result;
    enum deposit_step step; /* what failed */

    /* Its own. */
    struct list link;
    struct str at; /* the name it has */
    bool folder_synced;
};

/* One a loop. */
struct deposits {
    const struct ports *ports;
    struct list waiting;
    size_t waiting_count;
    struct timer soon;
    struct deposit_batch {
        struct disk_op op;
        struct deposits *desk;
        struct list files; /* none: not at work */
    } batches[DEPOSIT_BATCHES];
};

void deposits_init(struct deposits *desk, const struct ports *ports);
void deposits_add(struct deposits *desk, struct deposit *d);
/* One alone, here and now, by whoever may block; `done` is not called. */
void deposit_at_once(struct deposit *d, struct disk_calls *calls);
