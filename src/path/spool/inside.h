/* inside.h: what the files of the log-structured spool share. log.c serves the interface, commit.c
 * writes, pool.c keeps segments, read.c reads records, compact.c frees space, recover.c opens.
 *
 * Nothing here calls an operation's `done` from inside the call that started it: what ends at once
 * ends in the next turn (log_soon()). */
#pragma once

#include "core/base/buf.h"
#include "path/spool/index.h"
#include "path/spool/log.h"
#include "path/spool/record.h"
#include "path/spool/roll.h"
#include "path/spool/segment.h"

enum {
    BATCH_MAX = 8 * 1024 * 1024,   /* bytes in one commit, unless one record is larger */
    RECENT_EACH = 128 * 1024,      /* records up to this size are kept in memory… */
    RECENT_ALL = 32 * 1024 * 1024, /* …as long as all of them take no more */
    RECENT_LOOK = 8,
    MERGE_AT = 8, /* outcome records of a message before they are merged */
    PATH_MAX_BYTES = 1024,
};

/* Something to do in the next turn, or when an entry is free again. */
struct task {
    struct list link;
    void (*run)(struct task *task);
    struct queue_id id; /* while it waits for an entry */
};

/* Whom disk space is kept for: a put leaves the reserve, a mark or report leaves what compaction
 * needs. */
enum level { LEVEL_PUT, LEVEL_MARK, LEVEL_COMPACT };

/* One record on its way to the log. The texts are borrowed until done. */
struct append {
    struct list link;
    void (*done)(struct append *append, int result);
    struct record record; /* the numbers and texts; `synced` is filled in here */
    struct disk_pieces body;
    enum level level;
    unsigned attempts;
    struct location at; /* done with 0: where it stands, durable */
    char head[RECORD_HEAD];
};

struct builder;
struct compactor;

/* A new state of the roll, on its way to the disk. */
struct roll_entry {
    struct list link;
    void (*done)(struct roll_entry *entry, int result);
};

enum { ROLL_FILES = 2 };

struct roll_keeper {
    struct disk_file *files[ROLL_FILES];
    size_t turn; /* the file to write next */
    uint64_t version;
    uint64_t noted_generation, noted_end; /* what was last written, or tried */
    struct list waiting;
    struct roll_entry *entering;
    struct roll_entry note;
    struct buf bytes;
    struct str piece;
    struct disk_pieces pieces;
    struct disk_op op;
};

struct spool_log {
    struct spool spool;
    const struct ports *ports;
    uint64_t segment_size;
    uint64_t inline_limit;
    uint64_t reserve;
    size_t reserve_segments;
    char folder[PATH_MAX_BYTES];
    char path[PATH_MAX_BYTES + 64]; /* the last that log_path() made */
    struct disk_file *lock;

    struct segment **segments; /* by slot; null: none */
    size_t slot_count;
    struct segment *tail; /* null: the next append takes one */
    uint64_t generation;  /* the last one given */
    struct segment_end untold[SEGMENT_ENDS];
    size_t untold_count;
    struct index index;

    struct list appends; /* waiting for the commit under way */
    struct list batch;   /* being written */
    bool committing;     /* or taking a segment */
    struct str *pieces;
    size_t piece_count, piece_cap;
    struct disk_pieces batch_pieces;
    uint64_t batch_bytes; /* records alone */
    struct disk_op commit_op;
    struct roll_entry tail_enters;
    struct roll_keeper roll;
    struct segment *taken; /* a new segment on its way to be the tail */
    bool full;             /* the disk is full: only written segments count */
    char header[SEGMENT_START];

    struct parcel turn;
    bool turn_posted;
    struct list soon;     /* tasks */
    struct list waiting;  /* tasks that wait for an entry */
    struct list doubtful; /* body files of log_drop_body() */
    struct list dead_puts, dead_marks;
    struct spool_get *dead_gets; /* linked by impl: done with an error in the next turn */

    struct builder *builder;
    struct compactor *compactor;
    struct disk_op space_op;
    bool asking_space;
    uint64_t space_free; /* as last asked */
    unsigned under_way;  /* operations that close() waits for */
    struct list recents;
    size_t recent_bytes;
    uint64_t messages;
    uint64_t bodies_bytes; /* in files of their own */
    void (*closed)(void *owner);
    void *closed_owner;
};

/* log.c */
struct spool_log *spool_log_new(const struct ports *ports, const struct spool_log_options *options);
void spool_log_free(struct spool_log *log); /* closes its files */
/* "FOLDER/…": good until the next call. */
struct str log_path(struct spool_log *log, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
struct str log_body_path(struct spool_log *log, struct queue_id id);
struct str log_segment_path(struct spool_log *log, const struct segment *s);
void log_wake(struct spool_log *log); /* a turn comes */
void log_soon(struct spool_log *log, struct task *task);
void log_wait(struct spool_log *log, struct task *task, struct queue_id id);
void log_entry_free(struct spool_log *log, const struct entry *e); /* who waits for it runs */
void log_live(struct spool_log *log, struct location at, bool live);
void log_forget(struct spool_log *log, struct entry *e); /* finished, and no longer pinned */

/* Removes a message's body file; `later`: its record was written, though not acknowledged, and may
 * be found after a power cut, until a commit succeeds: then log_doubt_ends() removes it. */
void log_drop_body(struct spool_log *log, struct queue_id id, bool later);
void log_doubt_ends(struct spool_log *log);

/* commit.c */
void log_append(struct spool_log *log, struct append *a);
void log_commit(struct spool_log *log); /* starts a commit if there is something and none runs */

/* pool.c */
struct segment *pool_add(struct spool_log *log, uint32_t slot); /* null: no memory */
void pool_drop(struct spool_log *log, struct segment *s);       /* closes and frees it */
NODISCARD bool pool_new_slot(const struct spool_log *log, uint32_t *slot);
size_t pool_free_count(const struct spool_log *log); /* written free segments */
uint64_t pool_available(const struct spool_log *log);
void pool_take(struct spool_log *log); /* log->taken follows; then pool_taken() of commit.c */
void commit_taken(struct spool_log *log, int result);
void pool_seal_tail(struct spool_log *log, bool suspect);
void pool_told(struct spool_log *log, uint64_t generation); /* its end need not be told */
/* Makes the reserve whole, or with `spare` one segment more; true while at it. */
bool pool_build(struct spool_log *log, bool spare);
void pool_ask_space(struct spool_log *log);

/* roll_file.c */
void roll_enter(struct spool_log *log, struct roll_entry *e); /* the segments as they are then */
/* Where the tail has grown much since it was last written down (`all`: at all), that is noted. */
void roll_note(struct spool_log *log, bool all);
void roll_turn(struct spool_log *log);
bool roll_idle(const struct spool_log *log);
void roll_done(struct spool_log *log);

/* free.c */
struct freeing {
    struct spool_log *log;
    struct segment *segment;
    void (*done)(struct freeing *f, int result);
    struct append ends;
    struct roll_entry leaves;
    struct buf pairs;
    struct disk_op op;
    struct str piece;
    struct disk_pieces pieces;
    char header[SEGMENT_START];
};
/* Gives back a segment in which nothing lives: to the pool, or its file to the system. */
void segment_give_back(struct freeing *f);

/* read.c */
struct record_read {
    struct spool_log *log;
    void (*done)(struct record_read *read, int result);
    struct location at;
    uint32_t want; /* bytes of it to read: all before its body at least */
    char *bytes;   /* done: the caller's to free, whatever the result */
    struct record record;
    struct disk_op op;
};
void record_fetch(struct record_read *read);

/* Reads a message's outcome records one after the other into one text. */
struct outcomes_read {
    struct record_read read;
    void (*done)(struct outcomes_read *read, int result);
    struct places *places; /* copied; freed at done */
    uint32_t next;
    bool pin; /* their segments are pinned meanwhile */
    struct buf joined;
};
/* False: no memory, and `done` will not run. */
NODISCARD bool outcomes_fetch(struct spool_log *log, struct outcomes_read *read,
                              const struct entry *e);

/* recent.c: most messages are read soon after they came: the last that came stay in memory. */
struct recent {
    struct list link; /* in log->recents, oldest first */
    struct entry *entry;
    char bytes[]; /* the record without padding; nobody writes to it */
};
void recent_keep(struct spool_log *log, struct entry *e, const struct append *a);
void recent_drop(struct spool_log *log, struct entry *e);

/* get.c */
void log_get(struct spool *s, struct spool_get *op);
void log_release(struct spool *s, struct queue_id id);
/* put.c, mark.c */
void log_put(struct spool *s, struct spool_put *op);
void log_mark(struct spool *s, struct spool_mark *op);

/* compact.c */
NODISCARD bool compactor_new(struct spool_log *log);
bool compactor_tick(struct spool_log *log); /* true while there is more to do */
bool compactor_idle(const struct spool_log *log);
void compactor_free(struct spool_log *log);
void builder_free(struct spool_log *log);
bool builder_idle(const struct spool_log *log);
