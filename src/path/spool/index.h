/* index.h: where each message's records stand, in memory: about 100 bytes a message at rest. */
#pragma once

#include "core/base/map.h"
#include "core/base/slab.h"
#include "core/mail/queue_id.h"
#include "port/disk.h"

/* A record's place in the log. */
struct location {
    uint32_t slot;
    uint32_t offset;
    uint32_t length; /* without padding */
};

/* Outcome records behind the message's own, oldest first. */
struct places {
    uint32_t count, cap;
    struct location at[];
};

enum entry_flag {
    ENTRY_PENDING = 1, /* its message record is not durable yet */
    ENTRY_BUSY = 2,    /* a mark of it is being written: others wait */
    ENTRY_MOVING = 4,  /* its message record is being moved: readers wait */
    ENTRY_REMOVED = 8, /* finished, but pinned: only release() finds it */
    ENTRY_BODY_FILE = 16,
};

struct entry {
    struct map_node node;
    struct queue_id id;
    struct location at;
    uint32_t before_body;
    uint64_t body_size;
    struct places *outcomes; /* null: none */
    struct recent *recent;   /* the record as it was put; or null */
    struct disk_file *body;  /* the body's file, open while pinned */
    uint64_t born;           /* as in struct record */
    uint32_t merged;         /* outcomes up to this number are in the message record */
    uint32_t last;           /* the last outcome's number */
    uint32_t pins;
    uint16_t flags;
    uint16_t moves; /* records of it that compaction is writing: marks wait */
};

struct index {
    struct map map;
    struct slab entries;
};

struct entry *index_find(const struct index *x, struct queue_id id); /* or null */
struct entry *index_add(struct index *x, struct queue_id id);        /* null: no memory */
void index_remove(struct index *x, struct entry *e);                 /* and frees it */
void index_done(struct index *x);

/* Room for one outcome more, so that recording it later cannot fail. */
NODISCARD bool entry_reserve(struct entry *e);
