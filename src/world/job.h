/* job.h: one disk operation on its way: what is asked, carried out by any thread with plain system
 * calls, and how it ended. For this folder alone. */
#pragma once

#include <stdatomic.h>

#include "world/disk_calls.h"
#include "world/inside.h"

enum job_kind {
    JOB_OPEN,
    JOB_CLOSE,
    JOB_READ,
    JOB_WRITE,
    JOB_WRITE_SYNC,
    JOB_SYNC,
    JOB_TRUNCATE,
    JOB_STAT_FILE,
    JOB_LOCK,
    JOB_STAT,
    JOB_LIST,
    JOB_MAKE_FOLDER,
    JOB_SYNC_FOLDER,
    JOB_RENAME,
    JOB_LINK,
    JOB_REMOVE,
    JOB_SPACE,
    JOB_PERFORM,
};

struct disk_file {
    int descriptor;
    bool append;
    atomic_uint commits; /* how often write_sync() was asked */
};

struct job {
    enum job_kind kind;
    struct disk_op *op; /* not to be touched but by the loop's thread; null: close */
    void (*performs)(struct disk_op *op, struct disk_calls *calls); /* perform: it may */
    struct loop_disk *disk;
    struct disk_file *file;
    unsigned flags;
    uint64_t offset; /* or size */
    char *into;
    size_t into_len;
    struct disk_pieces pieces; /* copied: only the array is borrowed */
    const char *path;          /* NUL-terminated, behind this struct */
    const char *to;

    int64_t result;
    uint64_t size;
    uint64_t size_total;
    struct instant changed;
    bool is_folder;
    bool is_special;
    struct buf names; /* list: each followed by a NUL */
    size_t name_count;

    struct list node;       /* in the loop's jobs */
    uv_work_t work;         /* in the pool, or */
    struct job *next;       /* in the committer's queue, and */
    struct parcel finished; /* on its way back from there */
};

void job_run(struct job *job); /* on any thread; blocks */

/* The committer: a thread that does nothing but write_sync, so that no other work of the disk's,
 * however much, stands before a commit. */
struct committer;
NODISCARD struct committer *committer_start(struct inbox *inbox);
void committer_add(struct committer *c, struct job *job); /* comes back as job->finished */
void committer_stop(struct committer *c);                 /* after the last job; null is fine */
