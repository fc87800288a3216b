/* forward.h: a user's ~/.forward, as sendmail and Postfix's local(8) take it: items after commas
 * and line ends, lines that begin with "#" are comments. An item is an address, a user of this
 * host,
 * "\user" or the user's own name (the mailbox itself), "/file", "/maildir/", or "|command". */
#pragma once

#include "core/base/arena.h"

enum { FORWARD_BYTES_MAX = 65536, FORWARD_TARGETS_MAX = 100 };

enum forward_kind {
    FORWARD_ADDRESS, /* a whole address */
    FORWARD_MAILBOX, /* the user's own mailbox */
    FORWARD_FILE,    /* an mbox, by its absolute path */
    FORWARD_MAILDIR, /* likewise; ends with "/" */
    FORWARD_PROGRAM, /* a command line for the shell, without its "|" */
};

struct forward_target {
    enum forward_kind kind;
    struct str text; /* in the arena or the file's text; empty: MAILBOX */
};

struct forward {
    struct forward_target targets[FORWARD_TARGETS_MAX];
    size_t count;      /* 0: nothing is said, as if there were no file */
    size_t line;       /* which one is wrong, from 1 */
    const char *error; /* what is wrong with it */
};

/* Whose file it is. */
struct forward_owner {
    struct str user;    /* the name on this host */
    struct str address; /* the address that led here; its domain completes bare names */
};

/* False: something in it is wrong, and no part of it is to be followed. */
NODISCARD bool forward_parse(struct str text, const struct forward_owner *owner,
                             struct arena *arena, struct forward *forward);
