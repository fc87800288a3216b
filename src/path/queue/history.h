/* history.h: the stories of finished messages, kept for a while in files under <spool>/history/.
 * Appends are not synced: a power cut costs the newest stories and nothing else. Files are rotated
 * by size and removed by age and by the size of all. */
#pragma once

#include "path/queue/story.h"
#include "port/ports.h"

enum { HISTORY_OUTCOMES_MAX = 256 << 10 }; /* bytes of outcomes kept of one message: the first */

struct history;

/* Null: no memory. `folder` is copied; it is made and listed in the background. */
struct history *history_new(const struct ports *ports, struct str folder);
/* Bounds; may be called again. The oldest files go first. */
void history_bound(struct history *h, struct span age, uint64_t size);

/* Appends a story. All is copied; what cannot be kept (the disk is too slow or full) is dropped. */
struct history_record {
    struct queue_id id;
    struct instant finished;
    struct str envelope; /* encoded */
    struct str outcomes; /* encoded, joined */
};
void history_add(struct history *h, const struct history_record *record);

/* Looks for stories, newest first. */
struct history_search {
    /* A story that matches, borrowed for the call; false: no more are wanted. */
    bool (*each)(struct history_search *search, const struct story *story);
    void (*done)(struct history_search *search);
    struct queue_id id; /* zero: any */
    struct str address; /* empty: any; borrowed until done */
    int result;         /* done: 0, or -errno of a file that could not be read */
    void *owner;
    void *impl;
};
/* `done` runs never before this returned, unless memory is short. */
void history_find(struct history *h, struct history_search *search);

/* `flushed` runs when all that was added has been written (perhaps at once). */
void history_flush(struct history *h, void (*flushed)(void *owner), void *owner);
/* When nothing of it is under way (after a flush, and no search running), or when the world it ran
 * in has stopped. Null is fine. */
void history_free(struct history *h);
