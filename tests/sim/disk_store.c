#include "sim/disk_store.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { DIRTY = 1, ALLOCATED = 2 };

void disk_store_init(struct disk_store *s, uint64_t seed)
{
    *s = (struct disk_store){.random = seed * 2 + 1, .capacity = UINT64_MAX};
    list_init(&s->files);
    list_init(&s->names);
}

uint64_t disk_store_draw(struct disk_store *s)
{
    s->random += 0x9e3779b97f4a7c15U; /* SplitMix64 */
    uint64_t z = s->random;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9U;
    z = (z ^ z >> 27) * 0x94d049bb133111ebU;
    return z ^ z >> 31;
}

static void free_file(struct disk_store *s, struct stored_file *f)
{
    for (size_t i = 0; i < f->room / SECTOR; i++) {
        s->used -= f->state[i] & ALLOCATED ? SECTOR : 0;
    }
    list_remove(&f->link);
    free(f->now);
    free(f->durable);
    free(f->state);
    free(f);
}

void disk_store_drop(struct disk_store *s, struct stored_file *f)
{
    if (f && --f->refs == 0) {
        free_file(s, f);
    }
}

static void free_name(struct disk_store *s, struct stored_name *n)
{
    disk_store_drop(s, n->now);
    disk_store_drop(s, n->durable);
    list_remove(&n->link);
    free(n->path);
    free(n);
}

void disk_store_done(struct disk_store *s)
{
    LIST_EACH (node, &s->names) {
        free_name(s, CONTAINER_OF(node, struct stored_name, link));
    }
    LIST_EACH (node, &s->files) {
        free_file(s, CONTAINER_OF(node, struct stored_file, link));
    }
}

struct stored_name *disk_store_find(struct disk_store *s, struct str path)
{
    while (path.len > 1 && path.ptr[path.len - 1] == '/') {
        path.len--;
    }
    LIST_EACH (node, &s->names) {
        struct stored_name *n = CONTAINER_OF(node, struct stored_name, link);
        if (str_eq(str_from_cstr(n->path), path)) {
            return n;
        }
    }
    return NULL;
}

struct stored_file *disk_store_file(struct disk_store *s, struct str path)
{
    struct stored_name *n = disk_store_find(s, path);
    return n ? n->now : NULL;
}

bool disk_store_is_folder(struct disk_store *s, struct str path)
{
    struct stored_file *f = disk_store_file(s, path);
    return path.len == 0 || str_eq(path, STR("/")) || str_eq(path, STR(".")) || (f && f->is_folder);
}

static struct str folder_of(struct str path)
{
    size_t slash = str_rfind(path, '/');
    return slash == STR_NONE ? STR(".") : str_head(path, slash);
}

int disk_store_name(struct disk_store *s, struct str path, struct stored_file *file)
{
    struct stored_name *n = disk_store_find(s, path);
    if (!disk_store_is_folder(s, folder_of(path))) {
        return -ENOENT;
    }
    if (!n) {
        n = calloc(1, sizeof *n);
        n->path = calloc(1, path.len + 1);
        memcpy(n->path, path.ptr, path.len);
        list_append(&s->names, &n->link);
    }
    if (file) {
        file->refs++;
    }
    disk_store_drop(s, n->now);
    n->now = file;
    if (!n->now && !n->durable) {
        free_name(s, n);
    }
    return 0;
}

struct stored_file *disk_store_make(struct disk_store *s, bool is_folder)
{
    struct stored_file *f = calloc(1, sizeof *f);
    f->is_folder = is_folder;
    list_append(&s->files, &f->link);
    return f;
}

static void grow(struct stored_file *f, size_t size)
{
    if (size <= f->room) {
        return;
    }
    size_t room = (size + SECTOR - 1) / SECTOR * SECTOR;
    room = room < 2 * f->room ? 2 * f->room : room;
    f->now = realloc(f->now, room);
    f->durable = realloc(f->durable, room);
    f->state = realloc(f->state, room / SECTOR);
    memset(f->now + f->room, 0, room - f->room);
    memset(f->durable + f->room, 0, room - f->room);
    memset(f->state + f->room / SECTOR, 0, (room - f->room) / SECTOR);
    f->room = room;
}

static void keep_sector(struct stored_file *f, size_t i)
{
    memcpy(f->durable + i * SECTOR, f->now + i * SECTOR, SECTOR);
}

static bool is_dirty(const struct stored_file *f, size_t i)
{
    return (f->state[i] & DIRTY) != 0;
}

int disk_store_write(struct disk_store *s, struct stored_file *f, size_t offset, struct str bytes,
                     bool torn)
{
    grow(f, offset + bytes.len);
    while (bytes.len > 0) {
        size_t sector = offset / SECTOR;
        size_t n = SECTOR - offset % SECTOR;
        n = n < bytes.len ? n : bytes.len;
        if (!torn || disk_store_draw(s) % 2 == 0) {
            if (!(f->state[sector] & ALLOCATED)) {
                if (s->used + SECTOR > s->capacity) {
                    return -ENOSPC;
                }
                s->used += SECTOR;
            }
            if (is_dirty(f, sector) && disk_store_draw(s) % 2 == 0) {
                keep_sector(f, sector); /* the system wrote it back before it was written again */
            }
            f->state[sector] = DIRTY | ALLOCATED;
            memcpy(f->now + offset, bytes.ptr, n);
            f->size = f->size < offset + n ? offset + n : f->size;
        }
        offset += n;
        bytes = str_tail(bytes, n);
    }
    return 0;
}

int disk_store_resize(struct disk_store *s, struct stored_file *f, size_t size)
{
    (void)s;
    grow(f, size);
    if (size < f->size) {
        memset(f->now + size, 0, f->size - size);
        for (size_t i = size / SECTOR; i < (f->size + SECTOR - 1) / SECTOR; i++) {
            f->state[i] |= DIRTY;
        }
    }
    f->size = size;
    return 0;
}

void disk_store_sync(struct stored_file *f)
{
    for (size_t i = 0; i < f->room / SECTOR; i++) {
        if (is_dirty(f, i)) {
            keep_sector(f, i);
            f->state[i] &= (uint8_t)~DIRTY;
        }
    }
    f->durable_size = f->size;
}

void disk_store_sync_failed(struct disk_store *s, struct stored_file *f)
{
    for (size_t i = 0; i < f->room / SECTOR; i++) {
        uint64_t fate = is_dirty(f, i) ? disk_store_draw(s) % 4 : 3;
        if (fate < 2) {
            keep_sector(f, i);
        } else if (fate == 2) { /* out of memory too */
            memcpy(f->now + i * SECTOR, f->durable + i * SECTOR, SECTOR);
        }
        f->state[i] &= (uint8_t)~DIRTY;
    }
    f->durable_size = disk_store_draw(s) % 2 == 0 ? f->size : f->durable_size;
}

void disk_store_sync_folder(struct disk_store *s, struct str folder)
{
    LIST_EACH (node, &s->names) {
        struct stored_name *n = CONTAINER_OF(node, struct stored_name, link);
        if (!str_eq(folder_of(str_from_cstr(n->path)), folder) || n->now == n->durable) {
            continue;
        }
        disk_store_drop(s, n->durable);
        n->durable = n->now;
        if (n->now) {
            n->now->refs++;
        } else {
            free_name(s, n);
        }
    }
}

static void cut_file(struct disk_store *s, struct stored_file *f)
{
    size_t most = f->durable_size;
    for (size_t i = 0; i < f->room / SECTOR; i++) {
        if (is_dirty(f, i) && disk_store_draw(s) % 2 == 0) {
            keep_sector(f, i);
            size_t end = (i + 1) * SECTOR < f->size ? (i + 1) * SECTOR : f->size;
            most = end > most ? end : most;
        }
        f->state[i] &= (uint8_t)~DIRTY;
    }
    if (f->size < f->durable_size) {
        most = disk_store_draw(s) % 2 == 0 ? f->size : f->durable_size;
    }
    f->durable_size = most;
}

void disk_store_cut(struct disk_store *s)
{
    LIST_EACH (node, &s->files) {
        cut_file(s, CONTAINER_OF(node, struct stored_file, link));
    }
    LIST_EACH (node, &s->names) {
        struct stored_name *n = CONTAINER_OF(node, struct stored_name, link);
        if (n->now != n->durable && disk_store_draw(s) % 2 == 0) {
            disk_store_drop(s, n->durable);
            n->durable = n->now;
            if (n->now) {
                n->now->refs++;
            }
        }
    }
}

void disk_store_restart(struct disk_store *s)
{
    LIST_EACH (node, &s->files) {
        struct stored_file *f = CONTAINER_OF(node, struct stored_file, link);
        if (f->room > 0) {
            memcpy(f->now, f->durable, f->room);
            memset(f->now + f->durable_size, 0, f->room - f->durable_size);
            memcpy(f->durable, f->now, f->room);
        }
        f->size = f->durable_size;
        f->locked_by = NULL;
    }
    LIST_EACH (node, &s->names) {
        struct stored_name *n = CONTAINER_OF(node, struct stored_name, link);
        if (n->durable) {
            n->durable->refs++;
        }
        disk_store_drop(s, n->now);
        n->now = n->durable;
        if (!n->now) {
            free_name(s, n);
        }
    }
}
