/* keeper.h: the file in which what users have sent survives a restart. Written whole, synced and
 * renamed, within KEEPER_EVERY_S of a change, and at the end: a crash forgets what was sent in the
 * last seconds, and nothing else. On the home loop.
 *
 * Log events: allowances-damaged (the file is not believed: all begin anew), allowances-trouble (it
 * cannot be written; told once), allowances-back. */
#pragma once

#include "allowance/allowances.h"
#include "core/base/arena.h"
#include "world/work.h"

enum { KEEPER_EVERY_S = 2 };

struct allowance_keeper {
    struct loop *loop;           /* the home loop */
    struct allowance_desk *desk; /* null: there is none */
    struct arena memory;
    const char *file;
    struct timer tick;
    struct work work;
    struct buf saved; /* being written */
    int result;
    bool trouble; /* told */
};

/* Reads the file and gives each of `loops` and the home loop the port. Before they run; blocks. 0
 * or -ENOMEM. Into zeroed memory. */
NODISCARD int allowance_keeper_open(struct allowance_keeper *k, struct loop *home,
                                    struct loop **loops, size_t count, struct str spool_path);
/* From now on the file is written as needed. */
void allowance_keeper_start(struct allowance_keeper *k);
/* When all loops are freed: writes the last state; blocks. Fine on zeroed memory. */
void allowance_keeper_close(struct allowance_keeper *k);
