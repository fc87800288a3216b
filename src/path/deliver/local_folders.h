/* local_folders.h: folders made on demand, private, and durable before a message in them counts as
 * delivered: each new name is synced up to the folder that stood before. */
#pragma once

#include "path/deliver/deliver.h"

/* The caller embeds it, sets the first part, and keeps it until done. */
struct local_folders {
    void (*done)(struct local_folders *f); /* once, never before the call returned */
    struct deliver_office *office;
    struct str paths[3]; /* without slashes at their ends; made one after the other */
    size_t count;

    int64_t result; /* 0, or -errno */
    struct str at;  /* whose trouble it is */

    /* Its own. */
    struct disk_op op;
    size_t next;
    struct str stands; /* the nearest folder that is there */
};

void local_folders_make(struct local_folders *f);
