#include "control/pickup.h"

#include "control/pickup_format.h"
#include "core/mail/date.h"

#include <errno.h>
#include <string.h>

enum { PIECE = 64 << 10, LOOK_EVERY_S = 5 };

static void next_file(struct pickup_office *o);
static void opened(struct pickup_office *o);
static void close_file(struct pickup_office *o);

static void finished(struct disk_op *op)
{
    struct pickup_office *o = CONTAINER_OF(op, struct pickup_office, op);
    o->busy = false;
    if (!o->stopped) {
        o->then(o);
    } else if (o->then != opened || op->result < 0) {
        close_file(o);
    } else {
        o->ports->disk->close(o->ports->disk, op->file);
    }
}

static struct disk_op *begin(struct pickup_office *o, void (*then)(struct pickup_office *o))
{
    o->op = (struct disk_op){.done = finished};
    o->then = then;
    o->busy = true;
    return &o->op;
}

static void look_later(struct pickup_office *o)
{
    arena_done(&o->names);
    o->names = (struct arena){0};
    o->files = NULL;
    o->file_count = o->file_next = 0;
    o->ports->timers->arm(o->ports->timers, &o->timer, SPAN_S(LOOK_EVERY_S));
}

static void close_file(struct pickup_office *o)
{
    if (o->file) {
        o->ports->disk->close(o->ports->disk, o->file);
        o->file = NULL;
    }
    draft_free(o->draft);
    o->draft = NULL;
    arena_done(&o->work);
    o->work = (struct arena){0};
}

static void give_up(struct pickup_office *o, const char *reason)
{
    log_event(o->ports->log, LOG_WARNING, "pickup-trouble", F_STR("file", o->path),
              F_STR("reason", str_from_cstr(reason)));
    close_file(o);
    next_file(o);
}

static void moved_aside(struct pickup_office *o)
{
    next_file(o);
}

/* A file that is not what it should be is kept for a person to look at. */
static void damaged(struct pickup_office *o)
{
    struct str name = str_tail(o->path, o->folder.len);
    log_event(o->ports->log, LOG_ERROR, "pickup-damaged", F_STR("file", o->path),
              F_STR("moved-to", STR("pickup/damaged/")));
    struct str to = arena_format(&o->names, "%.*s/damaged%.*s", STR_ARG(o->folder), STR_ARG(name));
    close_file(o);
    o->ports->disk->rename(o->ports->disk, begin(o, moved_aside), o->path, to);
}

/* A link, a folder, a FIFO, a socket: no time makes a message of it. */
static bool is_no_file(int64_t error)
{
    return error == -ELOOP || error == -EISDIR || error == -ESPIPE || error == -ENXIO;
}

static void cannot_read(struct pickup_office *o)
{
    if (is_no_file(o->op.result)) {
        damaged(o);
    } else {
        give_up(o, strerror((int)-o->op.result));
    }
}

static void removed(struct pickup_office *o)
{
    close_file(o);
    next_file(o);
}

static void committed(void *owner, int result)
{
    struct pickup_office *o = owner;
    o->draft = NULL;
    o->busy = false;
    if (o->stopped && result != 0) {
        close_file(o);
        return;
    }
    if (result != 0) {
        give_up(o, strerror(-result));
        return;
    }
    struct queue_id_text id = queue_id_text(o->envelope.id);
    log_event(o->ports->log, LOG_INFO, "queued", F_STR("id", queue_id_str(&id)),
              F_STR("sender", o->envelope.reverse_path), F_INT("rcpts", o->envelope.rcpt_count),
              F_INT("size", o->envelope.body_size), F_STR("protocol", STR("pickup")),
              F_STR("user", o->envelope.user));
    o->ports->disk->remove(o->ports->disk, begin(o, removed), o->path);
}

static void commit(struct pickup_office *o)
{
    struct envelope *e = &o->envelope;
    struct buf additions = {0};
    struct queue_id_text id;
    e->id = queue_id_make(o->ids, o->ports->clock->wall(o->ports->clock));
    e->body_size = draft_size(o->draft);
    id = queue_id_text(e->id);
    buf_add_format(&additions, "Received: by %.*s (Postrider) with local (%.*s) id %s;\r\n\t",
                   STR_ARG(o->config->hostname), STR_ARG(e->user), id.chars);
    date_format(&additions, e->arrived);
    buf_add(&additions, STR("\r\n"));
    if (additions.failed) {
        give_up(o, "not enough memory");
    } else {
        struct draft *draft = o->draft;
        o->draft = NULL; /* the commit's from here on */
        o->busy = true;
        draft_commit(draft, &(struct draft_commit){.envelope = e,
                                                   .additions = buf_str(&additions),
                                                   .done = committed,
                                                   .owner = o});
    }
    buf_done(&additions);
}

static void read_piece(struct pickup_office *o);

static void drained(void *owner)
{
    struct pickup_office *o = owner;
    o->busy = false;
    if (!o->stopped) {
        read_piece(o);
    } else {
        close_file(o);
    }
}

static void got_piece(struct pickup_office *o)
{
    if (o->op.result < 0) {
        give_up(o, strerror((int)-o->op.result));
        return;
    }
    if (o->op.result == 0) {
        commit(o);
        return;
    }
    o->offset += (uint64_t)o->op.result;
    o->busy = true;
    if (draft_add(o->draft, str_head(o->piece, (size_t)o->op.result), drained, o)) {
        o->busy = false;
        read_piece(o);
    }
}

static void read_piece(struct pickup_office *o)
{
    o->ports->disk->read(o->ports->disk, begin(o, got_piece), o->file, o->offset, o->piece);
}

static void got_head(struct pickup_office *o)
{
    size_t head = 0;
    if (o->op.result < 0) {
        cannot_read(o);
        return;
    }
    struct str bytes = str_head(o->piece, (size_t)o->op.result);
    if (!pickup_read_head(bytes, &o->work, &o->envelope, &head)) {
        damaged(o);
        return;
    }
    o->draft = draft_new(o->drafts);
    o->piece = str_from(arena_alloc(&o->work, PIECE), PIECE);
    if (!o->draft || !o->piece.ptr) {
        give_up(o, "not enough memory");
        return;
    }
    o->offset = head;
    read_piece(o);
}

static void opened(struct pickup_office *o)
{
    if (o->op.result < 0) {
        cannot_read(o);
        return;
    }
    o->file = o->op.file;
    o->piece = str_from(arena_alloc(&o->work, PICKUP_HEAD_MAX), PICKUP_HEAD_MAX);
    if (!o->piece.ptr) {
        give_up(o, "not enough memory");
        return;
    }
    o->ports->disk->read(o->ports->disk, begin(o, got_head), o->file, 0, o->piece);
}

/* Files still being written have other names. */
static bool is_whole(struct str name)
{
    return str_ends(name, STR(".mail"));
}

static void next_file(struct pickup_office *o)
{
    while (o->file_next < o->file_count && !is_whole(o->files[o->file_next])) {
        o->file_next++;
    }
    if (o->file_next == o->file_count || o->stopped) {
        look_later(o);
        return;
    }
    struct str name = o->files[o->file_next++];
    o->path = arena_format(&o->names, "%.*s/%.*s", STR_ARG(o->folder), STR_ARG(name));
    if (!o->path.ptr) {
        look_later(o);
        return;
    }
    o->ports->disk->open(o->ports->disk, begin(o, opened), o->path, DISK_READ | DISK_NO_FOLLOW);
}

static void listed(struct pickup_office *o)
{
    if (o->op.result < 0) {
        look_later(o);
        return;
    }
    o->files = o->op.names;
    o->file_count = o->op.name_count;
    next_file(o);
}

static void look(struct timer *timer)
{
    struct pickup_office *o = CONTAINER_OF(timer, struct pickup_office, timer);
    struct disk_op *op = begin(o, listed);
    op->names_in = &o->names;
    o->folder = arena_format(&o->names, "%.*s/pickup", STR_ARG(o->config->spool_path));
    o->ports->disk->list(o->ports->disk, op, o->folder);
}

static void folder_made(struct pickup_office *o)
{
    if (o->op.result < 0) {
        log_event(o->ports->log, LOG_WARNING, "pickup-trouble",
                  F_STR("reason", str_from_cstr(strerror((int)-o->op.result))));
        return;
    }
    arena_done(&o->names);
    o->names = (struct arena){0};
    look(&o->timer);
}

void pickup_start(struct pickup_office *o, const struct config *config)
{
    o->config = config;
    o->timer = (struct timer){.fire = look};
    struct str folder = arena_format(&o->names, "%.*s/pickup/damaged", STR_ARG(config->spool_path));
    o->ports->disk->make_folder(o->ports->disk, begin(o, folder_made), folder);
}

void pickup_reload(struct pickup_office *o, const struct config *config)
{
    o->config = config;
}

void pickup_stop(struct pickup_office *o)
{
    o->stopped = true;
    o->ports->timers->cancel(o->ports->timers, &o->timer);
    if (!o->busy) {
        close_file(o);
    }
}

void pickup_done(struct pickup_office *o)
{
    arena_done(&o->work);
    arena_done(&o->names);
}
