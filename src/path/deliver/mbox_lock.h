/* mbox_lock.h: an mbox opened and locked against every program that may touch it: by fcntl on the
 * file itself, and by the dot-lock FILE.lock where its folder lets us make one (in /var/mail it may
 * not: then fcntl alone must do, as with Postfix). Neither lock is waited for while the other is
 * held, so nobody's order of locking can tie us up. */
#pragma once

#include "path/deliver/local_folders.h"

enum {
    MBOX_WAIT_S = 60,      /* for a lock, in all */
    MBOX_STALE_S = 5 * 60, /* older than this, a dot-lock may be somebody's that died */
    MBOX_STALE_BREAKS = 3, /* so many are taken away in one delivery */
};

/* The caller embeds it, zeroed, sets the first part, and keeps it until released. */
struct mbox_lock {
    void (*done)(struct mbox_lock *l); /* once */
    void (*released)(struct mbox_lock *l);
    struct deliver_office *office;
    struct arena *arena;
    struct str path;

    /* Done. With a result below 0 nothing is held, and there is nothing to release. */
    int64_t result; /* 0; -EAGAIN: locked all the time; -ECANCELED: we are stopping; -errno */
    struct str at;  /* the file or folder that the result is about */
    struct disk_file *file; /* to read and write */
    uint64_t size;

    /* Its own. */
    struct disk_op op;
    struct timer again;
    struct local_folders folders;
    struct str dot;
    struct str aside; /* a stale lock's name while it goes */
    struct instant seen;
    struct instant since;
    struct instant file_changed;
    unsigned breaks;
    bool has_dot;
    bool made;
};

void mbox_lock(struct mbox_lock *l);
/* Closes the file and removes the dot-lock; then `released` runs. */
void mbox_lock_release(struct mbox_lock *l);
