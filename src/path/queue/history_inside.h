/* history_inside.h: what history.c (writing) and history_search.c (reading) share. */
#pragma once

#include "path/queue/history.h"

enum {
    HISTORY_PENDING_MAX = 4 << 20, /* bytes waiting for the disk; more is dropped */
    HISTORY_READ_MAX = 64 << 20,   /* bytes of one file that a search reads */
    HISTORY_NAME = 16,             /* hex digits: when the file was begun, in milliseconds */
};

struct history_file {
    uint64_t began_ms;
    uint64_t size;
    struct instant newest;
};

struct history {
    const struct ports *ports;
    struct str folder; /* in `arena` */
    struct arena arena;
    struct span age;
    uint64_t size_max;
    struct history_file *files; /* the oldest first; the last may be `open` */
    size_t file_count;
    size_t file_cap;
    struct disk_file *open; /* the last of `files`, being appended to */
    struct buf pending;
    struct buf writing;
    struct str piece;
    struct disk_pieces pieces;
    struct disk_op op;
    struct disk_op remove_op;
    struct arena names_arena;
    struct str *names;
    size_t name_count;
    size_t name_next;
    struct timer timer;
    bool busy;     /* `op` is under way */
    bool removing; /* `remove_op` is */
    bool ready;    /* the folder was listed */
    bool failed;   /* the disk refused: wait */
    void (*flushed)(void *owner);
    void *flushed_owner;
};

/* The file's path, in memory of `out`. */
void history_path(const struct history *h, uint64_t began_ms, struct buf *out);
