/* file_watch.h: tells when one of some files has changed and is at rest again. It looks when the
 * system reports something in a folder that the way to a file leads through (inotify; symbolic
 * links are followed, so that a link or a folder that is switched counts), and every minute
 * besides, for file systems that report nothing. A file that is missing is a state of it like
 * another. */
#pragma once

#include "core/base/arena.h"
#include "world/whole_file.h"

enum { WATCH_SETTLE_MS = 200, WATCH_PERIOD_MS = 60000 };

struct watched_file;

struct file_watch {
    int reports; /* a descriptor: readable means file_watch_reported(); -1: none */
    struct arena arena;
    struct watched_file *files;
    size_t count;
    int64_t look_at_us; /* monotonic; 0: nothing is watched */
};

/* Watches these files instead of those it did, from the state they are in. Paths are copied. Zeroed
 * memory watches nothing. Without memory it watches nothing, and says false. */
NODISCARD bool file_watch_set(struct file_watch *watch, const struct str *paths, size_t count,
                              int64_t now_us);
void file_watch_reported(struct file_watch *watch, int64_t now_us);
/* At `look_at_us` or later: true once for each change. */
NODISCARD bool file_watch_look(struct file_watch *watch, int64_t now_us);
void file_watch_done(struct file_watch *watch);
