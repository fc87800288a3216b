#include "path/spool/recover.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct disk *disk_of(const struct recovery *r)
{
    return r->log->ports->disk;
}

void recovery_free(struct recovery *r)
{
    arena_done(&r->names_in);
    free(r->headers);
    free(r->ends);
    free(r->roll_bytes);
    free(r->bytes);
    recovered_done(&r->found);
    free(r);
}

void recovery_fail(struct recovery *r, int error)
{
    struct spool_log_open *op = r->op;
    spool_log_free(r->log);
    recovery_free(r);
    op->spool = NULL;
    op->result = error;
    op->done(op);
}

void recovery_damage(struct recovery *r, const char *what, const char *file, uint64_t offset)
{
    (void)snprintf(r->op->reason, sizeof r->op->reason,
                   "%.60s: %.60s at byte %llu. Nothing was changed. Restore the file, or open the "
                   "spool with salvage to keep all that is readable",
                   what, file, (unsigned long long)offset);
    recovery_fail(r, -EBADMSG);
}

bool recovery_end_told(struct recovery *r, struct segment_end end)
{
    for (size_t i = 0; i < r->end_count; i++) {
        if (r->ends[i].generation == end.generation) {
            return true;
        }
    }
    if (r->end_count == r->end_cap) {
        size_t cap = r->end_cap ? r->end_cap * 2 : 32;
        struct segment_end *grown = realloc(r->ends, cap * sizeof *grown);
        if (!grown) {
            return false;
        }
        r->ends = grown;
        r->end_cap = cap;
    }
    r->ends[r->end_count++] = end;
    return true;
}

static int latest_first(const void *a, const void *b)
{
    const struct segment_header *x = a;
    const struct segment_header *y = b;
    return x->generation > y->generation ? -1 : x->generation < y->generation;
}

static void headers_read(struct recovery *r)
{
    if (r->header_count > 0) {
        qsort(r->headers, r->header_count, sizeof r->headers[0], latest_first);
    }
    for (size_t i = 1; i < r->header_count; i++) {
        if (r->headers[i].generation == r->headers[i - 1].generation) {
            struct segment *s = r->log->segments[r->headers[i].slot];
            recovery_damage(r, "two segments have one generation", log_segment_path(r->log, s).ptr,
                            0);
            return;
        }
        for (size_t k = 0; k < r->headers[i - 1].end_count; k++) {
            for (size_t n = i; n < r->header_count; n++) {
                struct segment *told = r->log->segments[r->headers[n].slot];
                if (told->generation == r->headers[i - 1].ends[k].generation && told->teller == 0) {
                    told->teller = r->headers[i - 1].generation;
                }
            }
        }
    }
    if (recovery_roll_answers(r)) {
        recovery_scan(r);
    }
}

static void next_name(struct recovery *r);

static void went_on(struct disk_op *op)
{
    next_name(CONTAINER_OF(op, struct recovery, disk_op));
}

/* A file that holds nothing, or that salvage can do nothing with. */
static void put_aside(struct recovery *r, bool keep)
{
    char path[PATH_MAX_BYTES + 64];
    struct str from = log_segment_path(r->log, r->segment);
    uint32_t slot = r->segment->slot;
    memcpy(path, from.ptr, from.len);
    pool_drop(r->log, r->segment);
    r->disk_op = (struct disk_op){.done = went_on};
    if (keep) {
        disk_of(r)->rename(disk_of(r), &r->disk_op, str_from(path, from.len),
                           log_path(r->log, "damaged-%08x", (unsigned)slot));
    } else {
        disk_of(r)->remove(disk_of(r), &r->disk_op, str_from(path, from.len));
    }
}

static bool keep_header(struct recovery *r, const struct segment_header *h)
{
    if (r->header_count == r->header_cap) {
        size_t cap = r->header_cap ? r->header_cap * 2 : 16;
        struct segment_header *grown = realloc(r->headers, cap * sizeof *grown);
        if (!grown) {
            return false;
        }
        r->headers = grown;
        r->header_cap = cap;
    }
    r->headers[r->header_count++] = *h;
    return true;
}

/* What the header says of the segment; false: the file is not one of ours to use. */
static bool take_header(struct recovery *r, const struct segment_header *h)
{
    struct segment *s = r->segment;
    if (h->generation > r->log->generation) {
        r->log->generation = h->generation;
    }
    s->generation = h->generation;
    s->nonce = h->nonce;
    s->seed = segment_seed(h->generation, h->nonce);
    s->size = h->size;
    s->written = r->file_size >= h->size;
    s->born_min = UINT64_MAX;
    s->end = r->file_size < h->size ? r->file_size : h->size;
    s->state = h->in_use ? SEGMENT_SEALED : SEGMENT_FREE;
    return h->in_use || (s->written && s->size == r->log->segment_size &&
                         pool_free_count(r->log) <= r->log->reserve_segments + 1);
}

static void header_read(struct disk_op *op)
{
    struct recovery *r = CONTAINER_OF(op, struct recovery, disk_op);
    struct segment_header h = {0};
    enum segment_header_result result = HEADER_BAD;
    if (op->result >= 0) {
        result = segment_header_read(str_from(r->header, (size_t)op->result), &h);
    }
    bool good =
        result == HEADER_OK && h.slot == r->segment->slot && (!h.in_use || h.generation > 0);
    bool damaged = !good && result != HEADER_BLANK;
    if (damaged && !r->op->salvage) {
        recovery_damage(r,
                        op->result < 0 ? "a segment's header cannot be read"
                                       : "a segment's header is damaged",
                        log_segment_path(r->log, r->segment).ptr, 0);
    } else if (damaged) {
        r->op->salvaged++;
        put_aside(r, true);
    } else if (!good || !take_header(r, &h)) {
        put_aside(r, false);
    } else if (h.in_use && !keep_header(r, &h)) {
        recovery_fail(r, -ENOMEM);
    } else {
        next_name(r);
    }
}

static void size_known(struct disk_op *op)
{
    struct recovery *r = CONTAINER_OF(op, struct recovery, disk_op);
    if (op->result < 0) {
        recovery_fail(r, (int)op->result);
        return;
    }
    r->file_size = op->size;
    *op = (struct disk_op){.done = header_read};
    disk_of(r)->read(disk_of(r), op, r->segment->file, 0, str_from(r->header, SEGMENT_START));
}

static void segment_open(struct disk_op *op)
{
    struct recovery *r = CONTAINER_OF(op, struct recovery, disk_op);
    if (op->result < 0) {
        recovery_fail(r, (int)op->result);
        return;
    }
    r->segment->file = op->file;
    *op = (struct disk_op){.done = size_known};
    disk_of(r)->stat_file(disk_of(r), op, r->segment->file);
}

/* "0000001f"; whatever else stands there is not ours. */
static bool slot_of(struct str name, uint32_t *slot)
{
    static const char digits[] = "0123456789abcdef";
    uint32_t value = 0;
    for (size_t i = 0; i < name.len; i++) {
        size_t digit = str_find(str_from(digits, 16), name.ptr[i]);
        if (digit == STR_NONE) {
            return false;
        }
        value = value << 4 | (uint32_t)digit;
    }
    *slot = value;
    return name.len == 8 && value < 1U << 20;
}

static void next_name(struct recovery *r)
{
    uint32_t slot = 0;
    while (r->name < r->name_count && !slot_of(r->names[r->name], &slot)) {
        r->name++;
    }
    if (r->name == r->name_count) {
        headers_read(r);
        return;
    }
    r->name++;
    r->segment = pool_add(r->log, slot);
    if (!r->segment) {
        recovery_fail(r, -ENOMEM);
        return;
    }
    r->disk_op = (struct disk_op){.done = segment_open};
    disk_of(r)->open(disk_of(r), &r->disk_op, log_segment_path(r->log, r->segment),
                     DISK_READ | DISK_WRITE);
}

static void segments_listed(struct disk_op *op)
{
    struct recovery *r = CONTAINER_OF(op, struct recovery, disk_op);
    if (op->result < 0) {
        recovery_fail(r, (int)op->result);
        return;
    }
    r->names = op->names;
    r->name_count = op->name_count;
    r->name = 0;
    next_name(r);
}

static void locked(struct disk_op *op)
{
    struct recovery *r = CONTAINER_OF(op, struct recovery, disk_op);
    if (op->result < 0) {
        (void)snprintf(r->op->reason, sizeof r->op->reason,
                       "%.120s is locked: another process has this spool open",
                       log_path(r->log, "lock").ptr);
        recovery_fail(r, (int)op->result);
        return;
    }
    recovery_roll(r);
}

void recovery_segments(struct recovery *r)
{
    r->disk_op = (struct disk_op){.done = segments_listed, .names_in = &r->names_in};
    disk_of(r)->list(disk_of(r), &r->disk_op, log_path(r->log, "log"));
}

static void lock_open(struct disk_op *op)
{
    struct recovery *r = CONTAINER_OF(op, struct recovery, disk_op);
    if (op->result < 0) {
        (void)snprintf(r->op->reason, sizeof r->op->reason, "%.120s cannot be opened",
                       log_path(r->log, "lock").ptr);
        recovery_fail(r, (int)op->result);
        return;
    }
    r->log->lock = op->file;
    *op = (struct disk_op){.done = locked};
    disk_of(r)->lock(disk_of(r), op, r->log->lock);
}

static const char *const folders[] = {"log", "bodies", "incoming"};

static void folder_made(struct disk_op *op)
{
    struct recovery *r = CONTAINER_OF(op, struct recovery, disk_op);
    /* The folder above may not be ours to sync: then its maker saw to it. */
    if (op->result < 0 && r->step != ARRAY_LEN(folders) + 2) {
        (void)snprintf(r->op->reason, sizeof r->op->reason, "a folder in %.120s cannot be made",
                       r->log->folder);
        recovery_fail(r, (int)op->result);
    } else if (r->step < ARRAY_LEN(folders)) {
        *op = (struct disk_op){.done = folder_made};
        disk_of(r)->make_folder(disk_of(r), op, log_path(r->log, "%s", folders[r->step++]));
    } else if (r->step == ARRAY_LEN(folders)) {
        r->step++;
        *op = (struct disk_op){.done = folder_made};
        disk_of(r)->sync_folder(disk_of(r), op, str_from_cstr(r->log->folder));
    } else if (r->step == ARRAY_LEN(folders) + 1) {
        r->step++;
        struct str folder = str_from_cstr(r->log->folder);
        size_t slash = str_rfind(folder, '/');
        struct str above = slash == STR_NONE ? STR(".") : str_head(folder, slash ? slash : 1);
        *op = (struct disk_op){.done = folder_made};
        disk_of(r)->sync_folder(disk_of(r), op, above);
    } else {
        *op = (struct disk_op){.done = lock_open};
        disk_of(r)->open(disk_of(r), op, log_path(r->log, "lock"),
                         DISK_READ | DISK_WRITE | DISK_CREATE);
    }
}

/* An error before there is anything to wait for: it is told in a turn of the loop all the same. */
struct early_end {
    struct parcel parcel;
    struct spool_log_open *op;
};

static void early(struct parcel *parcel)
{
    struct early_end *end = CONTAINER_OF(parcel, struct early_end, parcel);
    struct spool_log_open *op = end->op;
    free(end);
    op->done(op);
}

void spool_log_open(struct spool_log_open *op)
{
    bool fits = op->options.folder.len > 0 && op->options.folder.len < PATH_MAX_BYTES;
    struct recovery *r = calloc(1, sizeof *r);
    struct early_end *end = calloc(1, sizeof *end);
    op->result = fits ? -ENOMEM : -ENAMETOOLONG;
    op->spool = NULL;
    op->salvaged = 0;
    op->reason[0] = '\0';
    struct spool_log *log = fits && r && end ? spool_log_new(op->ports, &op->options) : NULL;
    if (log) {
        free(end);
        r->op = op;
        r->log = log;
        struct disk_op none = {0};
        r->disk_op = none;
        folder_made(&r->disk_op);
        return;
    }
    free(r);
    if (end) {
        *end = (struct early_end){{.open = early}, op};
        op->ports->inbox->post(op->ports->inbox, &end->parcel);
    } else {
        op->done(op);
    }
}
