/* draft.h: a message while it is being received, on a session's loop. It gathers the body in memory
 * up to a bound and spills longer ones into a file of their own; commit makes all durable through
 * the spool on the home loop. Memory per draft is bounded whatever the message's size. */
#pragma once

#include "core/mail/envelope.h"
#include "path/spool/spool.h"
#include "port/ports.h"

/* One a loop, shared by its sessions. */
struct draft_office {
    const struct ports *ports; /* this loop's */
    struct inbox *home;        /* the spool's loop */
    struct spool *spool;       /* touched on the home loop only */
    struct str folder;         /* the spool's folder, for spilled bodies */
    size_t memory_each;        /* bytes of a body kept in memory; beyond it spills (1 MiB) */
    size_t memory_all;         /* for all drafts of this loop; beyond it all spill early */
    size_t memory_used;        /* kept by drafts */
    /* Runs on the home loop after a message became durable, before the session hears of it: the
     * queue takes it up. `envelope` is borrowed. */
    void (*committed)(void *owner, const struct envelope *envelope);
    void *owner;
};

struct draft;

/* Null: no memory. */
struct draft *draft_new(struct draft_office *office);
/* Takes further bytes of the body. False: no more until `ready` runs (they were taken all the
 * same); at most 64 KiB a call. */
NODISCARD bool draft_add(struct draft *d, struct str bytes, void (*ready)(void *owner),
                         void *owner);
uint64_t draft_size(const struct draft *d);

/* Makes it durable under envelope->id with `additions` on top. `done` runs on this loop with 0 or
 * -errno (-ENOSPC: 452 4.3.1; others: 451 4.3.0); the draft is gone then. The envelope and its
 * texts are encoded at the call, not kept. May be called after draft_add() returned false, without
 * waiting. */
struct draft_commit {
    const struct envelope *envelope;
    struct str additions;
    void (*done)(void *owner, int result);
    void *owner;
};
void draft_commit(struct draft *d, const struct draft_commit *commit);
/* Drops it; at any time but after draft_commit(). Null is fine. */
void draft_free(struct draft *d);
