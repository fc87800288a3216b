/* alias_items.h: the right side of an alias, or a line of an :include: file, cut into its items:
 * comma lists, quotes, comments in parentheses, addresses in angle brackets. */
#pragma once

#include "core/base/arena.h"

enum alias_item_kind { ITEM_ADDRESS, ITEM_FILE, ITEM_PIPE, ITEM_INCLUDE };

struct alias_item {
    enum alias_item_kind kind;
    struct str text;   /* the address as written, with a backslash before it if it had one; the path
                          of a file; the command line of a pipe without its "|" */
    size_t offset;     /* where in the line it begins */
    const char *error; /* not null: it is none, and why; the items after it are still to be had */
};

struct alias_items {
    struct str line; /* borrowed, and by the items too */
    size_t at;       /* where the next item, or what is before it, begins */
    struct arena *arena;
    bool no_memory; /* there may be more items than alias_items_next() gave */
};

/* The next item; false: no more. Empty ones (",,") are passed over. */
bool alias_items_next(struct alias_items *items, struct alias_item *item);
