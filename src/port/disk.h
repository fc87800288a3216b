/* disk.h: files, asynchronously. Every operation is a struct that the caller embeds and keeps until
 * its `done` runs, on the loop that asked, never before the call returned. Results are 0 or a
 * count, or -errno. Paths are copied at the call. Buffers are borrowed until done.
 *
 * A file handle may be handed to another loop's disk (a segment is written by one loop and read by
 * all); its owner closes it when nobody uses it any more. */
#pragma once

#include "core/base/arena.h"
#include "core/base/instant.h"
#include "core/base/str.h"

struct disk_file; /* the implementer's handle */

struct disk_pieces {
    const struct str *pieces;
    size_t count;
};

struct disk_op {
    void (*done)(struct disk_op *op);
    int64_t result;         /* 0, a count of bytes, or -errno */
    struct disk_file *file; /* open: the handle made */
    uint64_t size;          /* stat: bytes in the file; space: bytes free to us */
    uint64_t size_total;    /* space: of the whole file system */
    struct instant changed; /* stat: last modification */
    bool is_folder;         /* stat */
    bool is_special;        /* stat: neither file nor folder: a device, a FIFO, a socket */
    struct arena *names_in; /* list: memory for `names`, given by the caller */
    struct str *names;      /* list: the entries but "." and "..", in no order */
    size_t name_count;
    void *impl; /* the implementer's */
};

/* Calls that block, for the `work` of perform() alone. Results are 0, a count, or -errno. */
struct disk_calls {
    /* A file that was not there, to be written. */
    int64_t (*create)(struct disk_calls *calls, struct str path, struct disk_file **file);
    int64_t (*write)(struct disk_calls *calls, struct disk_file *file, uint64_t offset,
                     struct str bytes);
    /* What was written sets out for the disk; sync() waits until it is there. */
    void (*begin_sync)(struct disk_calls *calls, struct disk_file *file);
    int64_t (*sync)(struct disk_calls *calls, struct disk_file *file);
    void (*close)(struct disk_calls *calls, struct disk_file *file);
    int64_t (*rename)(struct disk_calls *calls, struct str from, struct str to);
    int64_t (*sync_folder)(struct disk_calls *calls, struct str path);
    int64_t (*remove)(struct disk_calls *calls, struct str path);
};

enum disk_open {
    DISK_READ = 1,
    DISK_WRITE = 2,
    DISK_CREATE = 4,    /* make it if it is not there */
    DISK_EXCLUSIVE = 8, /* with CREATE: -EEXIST if it is there */
    DISK_APPEND = 16,
    DISK_TRUNCATE = 32,
    DISK_NO_FOLLOW = 64, /* -ELOOP where the last component is a symbolic link */
};

struct disk {
    /* Mode 0600 for files, 0700 for folders. */
    void (*open)(struct disk *disk, struct disk_op *op, struct str path, unsigned flags);
    void (*close)(struct disk *disk,
                  struct disk_file *file); /* cannot fail in a way that matters: sync first */

    /* Short only at the end of the file. */
    void (*read)(struct disk *disk, struct disk_op *op, struct disk_file *file, uint64_t offset,
                 struct str into); /* `into.ptr` is written to */
    /* All of the pieces in order, or an error (how much was written is then unknown). With
     * DISK_APPEND the offset is ignored. The array of pieces is borrowed until done. */
    void (*write)(struct disk *disk, struct disk_op *op, struct disk_file *file, uint64_t offset,
                  const struct disk_pieces *pieces);
    /* The same, and then a sync, as one operation: what a group commit is. */
    void (*write_sync)(struct disk *disk, struct disk_op *op, struct disk_file *file,
                       uint64_t offset, const struct disk_pieces *pieces);
    void (*sync)(struct disk *disk, struct disk_op *op, struct disk_file *file); /* data and size */
    void (*truncate)(struct disk *disk, struct disk_op *op, struct disk_file *file, uint64_t size);
    void (*stat_file)(struct disk *disk, struct disk_op *op, struct disk_file *file);
    /* An exclusive lock on the file, held until it is closed; -EAGAIN where another process holds
     * it. */
    void (*lock)(struct disk *disk, struct disk_op *op, struct disk_file *file);

    void (*stat)(struct disk *disk, struct disk_op *op, struct str path);
    void (*list)(struct disk *disk, struct disk_op *op, struct str path);
    void (*make_folder)(struct disk *disk, struct disk_op *op,
                        struct str path); /* with parents; fine if there */
    void (*sync_folder)(struct disk *disk, struct disk_op *op, struct str path);
    void (*rename)(struct disk *disk, struct disk_op *op, struct str from, struct str to);
    /* A second name; -EEXIST where `to` is there. */
    void (*link)(struct disk *disk, struct disk_op *op, struct str from, struct str to);
    void (*remove)(struct disk *disk, struct disk_op *op, struct str path);
    void (*space)(struct disk *disk, struct disk_op *op, struct str path);
    /* Many calls as one operation: `work` is carried out as a whole, on a thread where it may
     * block, and touches only what nobody else does until done. The result is 0 when it ran. */
    void (*perform)(struct disk *disk, struct disk_op *op,
                    void (*work)(struct disk_op *op, struct disk_calls *calls));
};
