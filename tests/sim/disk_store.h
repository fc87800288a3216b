/* disk_store.h: the files of a disk in memory, with what of them a power cut leaves. What was
 * written and not synced survives in any subset of its sectors of 512 bytes, each as any of the
 * writes to it left it; a name that was made,
 * moved or removed without a sync of its folder may be as before or as after. All chance comes from
 * the seed. */
#pragma once

#include "core/base/list.h"
#include "core/base/str.h"

enum { SECTOR = 512 };

struct stored_file {
    struct list link;
    bool is_folder;
    unsigned refs; /* names, durable names, handles */
    char *now;
    char *durable;
    size_t size;         /* as seen */
    size_t durable_size; /* after a power cut, if nothing more is synced */
    size_t room;         /* bytes of both buffers, whole sectors */
    uint8_t *state;      /* a byte a sector: DIRTY, ALLOCATED */
    void *locked_by;
    int64_t changed_us;
};

struct stored_name {
    struct list link;
    char *path;                  /* NUL-terminated */
    struct stored_file *now;     /* null: not there */
    struct stored_file *durable; /* null: not there after a power cut */
};

struct disk_store {
    struct list files;
    struct list names;
    uint64_t random;   /* the generator's state */
    uint64_t capacity; /* bytes of sectors that fit on it */
    uint64_t used;
};

void disk_store_init(struct disk_store *s, uint64_t seed);
void disk_store_done(struct disk_store *s);
uint64_t disk_store_draw(struct disk_store *s); /* the next of its random numbers */

struct stored_name *disk_store_find(struct disk_store *s, struct str path); /* or null */
struct stored_file *disk_store_file(struct disk_store *s, struct str path); /* there now, or null */
bool disk_store_is_folder(struct disk_store *s, struct str path);
/* 0 or -errno: the name now stands for the file; for null it is gone. */
int disk_store_name(struct disk_store *s, struct str path, struct stored_file *file);
struct stored_file *disk_store_make(struct disk_store *s, bool is_folder);
void disk_store_drop(struct disk_store *s, struct stored_file *f); /* one reference less */

/* 0, or -ENOSPC with a part written. Where `torn`, a random part is written, in any order. */
int disk_store_write(struct disk_store *s, struct stored_file *f, size_t offset, struct str bytes,
                     bool torn);
int disk_store_resize(struct disk_store *s, struct stored_file *f, size_t size);
void disk_store_sync(struct stored_file *f);
/* A sync that failed: a random part reached the disk, and what did not is forgotten as if it had:
 * it may still be seen, or what was there before. */
void disk_store_sync_failed(struct disk_store *s, struct stored_file *f);
void disk_store_sync_folder(struct disk_store *s, struct str folder);

/* The power is cut: what is durable from now on is decided. Then, when all handles are closed, the
 * machine starts again and sees that. */
void disk_store_cut(struct disk_store *s);
void disk_store_restart(struct disk_store *s);
