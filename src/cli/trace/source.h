/* source.h: the messages to be judged, one after the other: a file with one, standard input, an
 * mbox, a Maildir or any folder of files. Blocks. One message is in memory at a time, and of it no
 * more than is asked for; of a folder the names of its files. */
#pragma once

#include "core/base/arena.h"
#include "core/base/buf.h"

#include <stdio.h>

enum { SOURCE_PIECE = 64 << 10 };

struct source {
    /* Set by the caller: */
    const char *path; /* null: standard input */
    size_t keep;      /* octets of a message; the rest is passed over */
    bool all;         /* folders, and every message of an mbox; else the first alone */

    /* The message that source_next() found, until the next call: */
    struct buf message;
    struct buf name; /* "FILE", "message 3 of FILE"; empty: of standard input, the only one */
    bool cut;        /* there is more of it than was kept */
    bool more;       /* `all` is false, and the mbox goes on */

    /* Its own: */
    FILE *file;
    bool mbox;
    bool ended;    /* of this file */
    size_t number; /* of messages in this file so far */
    size_t at, len;
    char piece[SOURCE_PIECE];
    struct arena names;
    char **files; /* of a folder, in order */
    size_t file_count, next_file;
    size_t unreadable; /* files that were passed over */
};

/* 0, or -errno: -EISDIR for a folder without `all`. */
NODISCARD int source_open(struct source *s);
/* 1: a message; 0: there are no more; -errno. */
NODISCARD int source_next(struct source *s);
void source_close(struct source *s);
