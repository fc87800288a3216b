/* spool.h: where messages are kept until nothing is left to do for them. The durability contract:
 * when put's or mark's `done` has run with result 0, what it wrote survives a power cut.
 *
 * The spool lives on the home loop; everything here runs there, except what draft.h says. It knows
 * messages as bytes: envelope, additions (header lines of ours on top), body; outcomes are opaque,
 * self-delimiting bytes that it keeps in order and may join. This header is the interface; log.h is
 * the log-structured spool, memory.h one for tests. */
#pragma once

#include "core/base/arena.h"
#include "core/base/list.h"
#include "core/mail/queue_id.h"
#include "port/disk.h"

struct spool;

/* Where a body's bytes are. Valid while the message is pinned (spool_get to spool_release). */
struct spool_body {
    struct disk_file *file; /* readable from any loop's disk */
    uint64_t offset;
    uint64_t size;
    const char *bytes; /* not null: it lies here too, from its beginning to its end */
};

/* Makes a message durable. The caller keeps the op and all it points to until done. */
struct spool_put {
    void (*done)(struct spool_put *op);
    struct queue_id id;
    struct str envelope;     /* envelope_encode()d */
    struct str additions;    /* header lines, CRLF ended */
    struct disk_pieces body; /* in memory, unless… */
    struct str body_file;    /* …not empty: it stands, synced, in this file of the spool's folder,
                              * which is the spool's from now on (removed if put fails) */
    uint64_t body_size;
    int result;       /* done: 0, -ENOSPC (the reserve is kept for outcomes), or -errno */
    bool reserve;     /* may use the reserve: our own reports */
    struct list link; /* the spool's */
    void *impl;
};

/* Makes outcomes of a message durable; with `finished`, forgets the message instead (its outcomes
 * are the caller's to keep elsewhere first). */
struct spool_mark {
    void (*done)(struct spool_mark *op);
    struct queue_id id;
    struct str outcomes;
    bool finished;
    int result; /* done: 0, -ENOENT, -errno */
    struct list link;
    void *impl;
};

/* Reads a message's record and pins it: its bytes stay where they are until spool_release(). */
struct spool_get {
    void (*done)(struct spool_get *op);
    struct queue_id id;
    struct arena *arena; /* memory for the texts below */
    struct str envelope;
    struct str additions;
    struct str outcomes; /* all of them, in order */
    struct spool_body body;
    int result; /* done: 0, -ENOENT, -EIO (damaged), -errno */
    void *impl;
};

/* What a recovered spool tells of each message it holds, oldest first. */
struct spool_found {
    struct queue_id id;
    struct str envelope;
    struct str outcomes;
};

struct spool_usage {
    uint64_t messages;
    uint64_t bytes_live;  /* of queued messages */
    uint64_t bytes_total; /* on the disk, reserve included */
    uint64_t bytes_free;  /* still to be had for new mail */
};

struct spool_ops {
    void (*put)(struct spool *s, struct spool_put *op);
    void (*mark)(struct spool *s, struct spool_mark *op);
    void (*get)(struct spool *s, struct spool_get *op);
    void (*release)(struct spool *s, struct queue_id id);
    /* One bounded step of housekeeping (compaction, space); true while there is more to do. */
    bool (*tick)(struct spool *s);
    void (*usage)(const struct spool *s, struct spool_usage *usage);
    /* Finishes what is under way, closes its files, frees it; then `closed` runs. */
    void (*close)(struct spool *s, void (*closed)(void *owner), void *owner);
};

struct spool {
    const struct spool_ops *ops;
};

static inline void spool_put(struct spool *s, struct spool_put *op)
{
    s->ops->put(s, op);
}

static inline void spool_mark(struct spool *s, struct spool_mark *op)
{
    s->ops->mark(s, op);
}

static inline void spool_get(struct spool *s, struct spool_get *op)
{
    s->ops->get(s, op);
}

static inline void spool_release(struct spool *s, struct queue_id id)
{
    s->ops->release(s, id);
}
