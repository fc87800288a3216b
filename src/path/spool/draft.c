#include "path/spool/draft.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    FIRST_CHUNK = 8 * 1024,
    CHUNK = 64 * 1024,
    SPILL_ROOM = 256 * 1024, /* bytes of a spilling draft in memory before its sender waits… */
    SHORT_ROOM = 64 * 1024,  /* …and where all drafts together have used up theirs */
};

struct chunk {
    struct chunk *next;
    size_t used, room;
    char bytes[];
};

struct chunks {
    struct chunk *first, *last;
    size_t count, used;
};

struct draft {
    struct draft_office *office;
    struct chunks kept;    /* not yet in the file */
    struct chunks writing; /* the write under way */
    uint64_t size;
    int error; /* sticks */

    bool spilling; /* it has, or will have, a file */
    bool busy;     /* an operation is under way */
    bool freed;    /* goes when that ends */
    struct disk_file *file;
    uint64_t written;
    char name[32];   /* "incoming/…", in the office's folder */
    struct buf path; /* of the file */
    struct disk_op op;
    struct str *pieces;
    struct disk_pieces all;
    void (*ready)(void *owner);
    void *ready_owner;

    bool committing;
    void (*done)(void *owner, int result);
    void *done_owner;
    struct buf envelope;
    struct buf additions;
    struct spool_put put;
    struct parcel parcel; /* to the home loop, and back */
};

static struct disk *disk_of(const struct draft *d)
{
    return d->office->ports->disk;
}

struct draft *draft_new(struct draft_office *office)
{
    struct draft *d = calloc(1, sizeof *d);
    if (d) {
        d->office = office;
    }
    return d;
}

uint64_t draft_size(const struct draft *d)
{
    return d->size;
}

static void chunks_free(struct draft *d, struct chunks *c)
{
    while (c->first) {
        struct chunk *next = c->first->next;
        d->office->memory_used -= c->first->room;
        free(c->first);
        c->first = next;
    }
    *c = (struct chunks){0};
}

static bool chunks_add(struct draft *d, struct str bytes)
{
    struct chunks *c = &d->kept;
    while (bytes.len > 0) {
        if (!c->last || c->last->used == c->last->room) {
            size_t room = c->used < CHUNK ? FIRST_CHUNK : CHUNK;
            struct chunk *made = malloc(sizeof *made + room);
            if (!made) {
                return false;
            }
            *made = (struct chunk){.room = room};
            *(c->last ? &c->last->next : &c->first) = made;
            c->last = made;
            c->count++;
            d->office->memory_used += room;
        }
        size_t n = c->last->room - c->last->used;
        n = n < bytes.len ? n : bytes.len;
        memcpy(c->last->bytes + c->last->used, bytes.ptr, n);
        c->last->used += n;
        c->used += n;
        bytes = str_tail(bytes, n);
    }
    return true;
}

/* The pieces that stand for the chunks; false: no memory. */
static bool make_pieces(struct draft *d, const struct chunks *c)
{
    free(d->pieces);
    d->pieces = malloc((c->count + 1) * sizeof *d->pieces);
    if (!d->pieces) {
        return false;
    }
    d->all = (struct disk_pieces){d->pieces, 0};
    for (const struct chunk *k = c->first; k; k = k->next) {
        d->pieces[d->all.count++] = str_from(k->bytes, k->used);
    }
    return true;
}

static void end(struct draft *d)
{
    buf_done(&d->path);
    free(d);
}

static void file_gone(struct disk_op *op)
{
    end(CONTAINER_OF(op, struct draft, op));
}

/* Frees all but the file's name, then that. */
static void dismantle(struct draft *d)
{
    chunks_free(d, &d->kept);
    chunks_free(d, &d->writing);
    free(d->pieces);
    buf_done(&d->envelope);
    buf_done(&d->additions);
    bool made = d->file != NULL;
    if (d->file) {
        disk_of(d)->close(disk_of(d), d->file);
    }
    if (!made) {
        end(d);
        return;
    }
    d->op = (struct disk_op){.done = file_gone};
    disk_of(d)->remove(disk_of(d), &d->op, buf_str(&d->path));
}

void draft_free(struct draft *d)
{
    if (d && d->busy) {
        d->freed = true; /* its operation is under way */
    } else if (d) {
        dismantle(d);
    }
}

static void advance(struct draft *d);

static void commit_ended(struct draft *d, int result)
{
    void (*done)(void *, int) = d->done;
    void *owner = d->done_owner;
    dismantle(d);
    done(owner, result);
}

/* Back on the session's loop. */
static void told(struct parcel *parcel)
{
    struct draft *d = CONTAINER_OF(parcel, struct draft, parcel);
    commit_ended(d, d->error < 0 ? d->error : d->put.result);
}

static void tell(struct draft *d)
{
    d->parcel.open = told;
    d->office->ports->inbox->post(d->office->ports->inbox, &d->parcel);
}

/* On the home loop from here… */
static void put_done(struct spool_put *put)
{
    struct draft *d = CONTAINER_OF(put, struct draft, put);
    struct arena arena = {0};
    struct envelope envelope = {0};
    if (put->result == 0 && d->office->committed) {
        /* What was just encoded decodes, but for want of memory: then the message waits in the
         * spool for the next start, safe. */
        if (envelope_decode(buf_str(&d->envelope), &arena, &envelope)) {
            d->office->committed(d->office->owner, &envelope);
        }
        arena_done(&arena);
    }
    tell(d);
}

static void put(struct parcel *parcel)
{
    struct draft *d = CONTAINER_OF(parcel, struct draft, parcel);
    d->put.done = put_done;
    d->put.envelope = buf_str(&d->envelope);
    d->put.additions = buf_str(&d->additions);
    d->put.body = d->all;
    d->put.body_size = d->size;
    spool_put(d->office->spool, &d->put);
}
/* …to here. */

static void hand_over(struct draft *d)
{
    d->all = (struct disk_pieces){0};
    if (d->error == 0 && !d->spilling && !make_pieces(d, &d->kept)) {
        d->error = -ENOMEM;
    }
    if (d->error < 0) {
        tell(d);
        return;
    }
    if (d->spilling) {
        d->put.body_file = str_from_cstr(d->name);
    }
    d->parcel.open = put;
    d->office->home->post(d->office->home, &d->parcel);
}

/* The next operation, when none is under way. */
static bool has_room(const struct draft *d)
{
    bool short_of_memory = d->office->memory_used > d->office->memory_all;
    return d->kept.used + d->writing.used < (short_of_memory ? SHORT_ROOM : SPILL_ROOM);
}

static void operation_ended(struct draft *d)
{
    d->busy = false;
    if (d->freed) {
        dismantle(d);
        return;
    }
    advance(d);
    if (d->ready && has_room(d)) {
        void (*ready)(void *) = d->ready;
        d->ready = NULL;
        ready(d->ready_owner);
    }
}

static void opened(struct disk_op *op)
{
    struct draft *d = CONTAINER_OF(op, struct draft, op);
    d->file = op->result == 0 ? op->file : NULL;
    d->error = op->result < 0 ? (int)op->result : d->error;
    operation_ended(d);
}

static void wrote(struct disk_op *op)
{
    struct draft *d = CONTAINER_OF(op, struct draft, op);
    d->error = op->result < 0 ? (int)op->result : d->error;
    d->written += d->writing.used;
    chunks_free(d, &d->writing);
    operation_ended(d);
}

static void synced(struct disk_op *op)
{
    struct draft *d = CONTAINER_OF(op, struct draft, op);
    d->busy = false;
    d->error = op->result < 0 ? (int)op->result : d->error;
    if (d->error == 0) {
        /* The name is the spool's from here on, whatever becomes of the put. */
        disk_of(d)->close(disk_of(d), d->file);
        d->file = NULL;
    }
    hand_over(d);
}

static void open_file(struct draft *d)
{
    uint64_t name = d->office->ports->entropy->u64(d->office->ports->entropy);
    static const char digits[] = "0123456789abcdef";
    memcpy(d->name, "incoming/", 9);
    for (size_t i = 0; i < 16; i++) {
        d->name[9 + i] = digits[name >> (4 * i) & 15];
    }
    buf_join(&d->path, d->office->folder, STR("/"), str_from_cstr(d->name));
    if (d->path.failed) {
        d->error = -ENOMEM;
        return;
    }
    d->op = (struct disk_op){.done = opened};
    d->busy = true;
    disk_of(d)->open(disk_of(d), &d->op, buf_str(&d->path),
                     DISK_WRITE | DISK_CREATE | DISK_EXCLUSIVE);
}

static void write_kept(struct draft *d)
{
    if (!make_pieces(d, &d->kept)) {
        d->error = -ENOMEM;
        return;
    }
    d->writing = d->kept;
    d->kept = (struct chunks){0};
    d->op = (struct disk_op){.done = wrote};
    d->busy = true;
    disk_of(d)->write(disk_of(d), &d->op, d->file, d->written, &d->all);
}

/* Starts what is to be done next, if nothing is under way. */
static void advance(struct draft *d)
{
    if (d->spilling && !d->busy && d->error == 0) {
        if (!d->file) {
            open_file(d);
        } else if (d->kept.used >= CHUNK || (d->committing && d->kept.used > 0)) {
            write_kept(d);
        } else if (d->committing) {
            d->op = (struct disk_op){.done = synced};
            d->busy = true;
            disk_of(d)->sync(disk_of(d), &d->op, d->file);
            return;
        }
    }
    if (d->error < 0) {
        chunks_free(d, &d->kept);
    }
    if (d->committing && !d->busy && (!d->spilling || d->error < 0)) {
        hand_over(d);
    }
}

bool draft_add(struct draft *d, struct str bytes, void (*ready)(void *owner), void *owner)
{
    d->size += bytes.len;
    if (d->error < 0) {
        return true; /* the rest is taken and thrown away; commit tells */
    }
    if (!chunks_add(d, bytes)) {
        d->error = -ENOMEM;
    }
    const struct draft_office *office = d->office;
    d->spilling = d->spilling || d->kept.used > office->memory_each ||
                  office->memory_used > office->memory_all;
    advance(d);
    if (!d->busy || has_room(d)) {
        return true;
    }
    d->ready = ready;
    d->ready_owner = owner;
    return false;
}

void draft_commit(struct draft *d, const struct draft_commit *commit)
{
    d->committing = true;
    d->ready = NULL;
    d->done = commit->done;
    d->done_owner = commit->owner;
    d->put.id = commit->envelope->id;
    d->put.reserve = commit->envelope->is_report;
    envelope_encode(&d->envelope, commit->envelope);
    buf_add(&d->additions, commit->additions);
    if (d->envelope.failed || d->additions.failed) {
        d->error = -ENOMEM;
    }
    advance(d);
}
