/* disk.h: port/disk.h over libuv's thread pool, and a thread of its own for commits. */
#pragma once

#include "core/base/list.h"
#include "port/disk.h"
#include "world/soon.h"

struct loop;
struct committer;

struct loop_disk {
    struct disk port;
    struct loop *loop;
    struct list jobs;            /* all that are under way */
    struct committer *committer; /* started by the first file that is committed twice */
    struct disk_op *starved;     /* asked when there was no memory: linked by `impl` */
    struct soon starved_soon;
};

void loop_disk_init(struct loop_disk *d, struct loop *loop);
void loop_disk_close(struct loop_disk *d); /* waits for the committer */
void loop_disk_done(struct loop_disk *d);  /* after the loop turned for the last time */
