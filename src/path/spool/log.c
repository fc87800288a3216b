#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "path/spool/inside.h"

static const uint64_t default_size = 64ULL * 1024 * 1024;
static const uint64_t default_inline = 1024ULL * 1024;
static const uint64_t smallest_size = 16ULL * 1024;

struct str log_path(struct spool_log *log, const char *format, ...)
{
    int at = snprintf(log->path, sizeof log->path, "%s/", log->folder);
    va_list args;
    va_start(args, format);
    int more = vsnprintf(log->path + at, sizeof log->path - (size_t)at, format, args);
    va_end(args);
    size_t len = (size_t)at + (size_t)(more > 0 ? more : 0);
    return str_from(log->path, len < sizeof log->path ? len : sizeof log->path - 1);
}

struct str log_body_path(struct spool_log *log, struct queue_id id)
{
    return log_path(log, "bodies/%s", queue_id_text(id).chars);
}

struct str log_segment_path(struct spool_log *log, const struct segment *s)
{
    return log_path(log, "log/%08x", (unsigned)s->slot);
}

void log_live(struct spool_log *log, struct location at, bool live)
{
    struct segment *s = log->segments[at.slot];
    uint64_t bytes = record_padded(at.length);
    s->live = live ? s->live + bytes : s->live - bytes;
}

void log_wake(struct spool_log *log)
{
    if (!log->turn_posted) {
        log->turn_posted = true;
        log->ports->inbox->post(log->ports->inbox, &log->turn);
    }
}

void log_soon(struct spool_log *log, struct task *task)
{
    list_append(&log->soon, &task->link);
    log_wake(log);
}

void log_wait(struct spool_log *log, struct task *task, struct queue_id id)
{
    task->id = id;
    list_append(&log->waiting, &task->link);
}

void log_entry_free(struct spool_log *log, const struct entry *e)
{
    struct list *before = log->soon.next; /* in their order, and before any that came later */
    LIST_EACH (node, &log->waiting) {
        if (CONTAINER_OF(node, struct task, link)->id.value == e->id.value) {
            list_remove(node);
            list_insert_before(before, node);
            log_wake(log);
        }
    }
}

struct body_removal {
    struct list link;
    struct queue_id id;
    struct disk_op op;
    struct spool_log *log;
};

static void body_removed(struct disk_op *op)
{
    struct body_removal *r = CONTAINER_OF(op, struct body_removal, op);
    r->log->under_way--;
    log_wake(r->log);
    free(r);
}

static void remove_body(struct body_removal *r)
{
    r->log->under_way++;
    r->op = (struct disk_op){.done = body_removed};
    r->log->ports->disk->remove(r->log->ports->disk, &r->op, log_body_path(r->log, r->id));
}

void log_drop_body(struct spool_log *log, struct queue_id id, bool later)
{
    /* Without memory the file stays until the next start finds it without a record. */
    struct body_removal *r = calloc(1, sizeof *r);
    if (r) {
        r->log = log;
        r->id = id;
        if (later) {
            list_append(&log->doubtful, &r->link);
        } else {
            remove_body(r);
        }
    }
}

void log_doubt_ends(struct spool_log *log)
{
    for (struct list *node; (node = list_pop(&log->doubtful)) != NULL;) {
        remove_body(CONTAINER_OF(node, struct body_removal, link));
    }
}

void log_forget(struct spool_log *log, struct entry *e)
{
    if (e->body) {
        log->ports->disk->close(log->ports->disk, e->body);
    }
    if (e->flags & ENTRY_BODY_FILE) {
        log->bodies_bytes -= e->body_size;
        log_drop_body(log, e->id, false);
    }
    recent_drop(log, e);
    index_remove(&log->index, e);
}

static void run_dead(struct spool_log *log)
{
    for (struct list *node; (node = list_pop(&log->dead_puts));) {
        struct spool_put *op = CONTAINER_OF(node, struct spool_put, link);
        op->done(op);
    }
    for (struct list *node; (node = list_pop(&log->dead_marks));) {
        struct spool_mark *op = CONTAINER_OF(node, struct spool_mark, link);
        op->done(op);
    }
    while (log->dead_gets) {
        struct spool_get *op = log->dead_gets;
        log->dead_gets = op->impl;
        op->done(op);
    }
}

static bool log_is_idle(const struct spool_log *log)
{
    return !log->turn_posted && !log->committing && log->under_way == 0 &&
           list_empty(&log->appends) && list_empty(&log->soon) && builder_idle(log) &&
           compactor_idle(log) && roll_idle(log);
}

static void turn(struct parcel *parcel)
{
    struct spool_log *log = CONTAINER_OF(parcel, struct spool_log, turn);
    log->turn_posted = false;
    run_dead(log);
    struct list now;
    list_init(&now);
    while (!list_empty(&log->soon)) {
        list_append(&now, list_pop(&log->soon));
    }
    for (struct list *node; (node = list_pop(&now));) {
        struct task *task = CONTAINER_OF(node, struct task, link);
        task->run(task);
    }
    log_commit(log);
    roll_turn(log);
    if (log->closed && log_is_idle(log)) {
        roll_note(log, true);
    }
    if (log->closed && log_is_idle(log)) {
        void (*closed)(void *) = log->closed;
        void *owner = log->closed_owner;
        spool_log_free(log);
        closed(owner);
    }
}

static void log_close(struct spool *s, void (*closed)(void *owner), void *owner)
{
    struct spool_log *log = CONTAINER_OF(s, struct spool_log, spool);
    log->closed = closed;
    log->closed_owner = owner;
    log_wake(log);
}

static bool log_tick(struct spool *s)
{
    struct spool_log *log = CONTAINER_OF(s, struct spool_log, spool);
    if (log->closed) {
        return false;
    }
    pool_ask_space(log);
    roll_note(log, false);
    bool compacting = compactor_tick(log);
    /* On a full disk the answer about its space decides whether there is something to build. */
    return (!log->full && pool_build(log, !compacting)) || compacting;
}

static void log_usage(const struct spool *s, struct spool_usage *usage)
{
    const void *whole = s; /* the spool stands first in its log */
    const struct spool_log *log = whole;
    *usage = (struct spool_usage){.messages = log->messages,
                                  .bytes_live = log->bodies_bytes,
                                  .bytes_total = log->bodies_bytes};
    for (size_t i = 0; i < log->slot_count; i++) {
        const struct segment *segment = log->segments[i];
        if (segment) {
            usage->bytes_live += segment->state >= SEGMENT_TAIL ? segment->live : 0;
            usage->bytes_total += segment->size;
        }
    }
    uint64_t room = pool_available(log) + (log->full ? 0 : log->space_free);
    usage->bytes_free = room > log->reserve ? room - log->reserve : 0;
}

static const struct spool_ops operations = {.put = log_put,
                                            .mark = log_mark,
                                            .get = log_get,
                                            .release = log_release,
                                            .tick = log_tick,
                                            .usage = log_usage,
                                            .close = log_close};

struct spool_log *spool_log_new(const struct ports *ports, const struct spool_log_options *options)
{
    struct spool_log *log = calloc(1, sizeof *log);
    if (!log) {
        return NULL;
    }
    log->spool.ops = &operations;
    log->ports = ports;
    uint64_t size = options->segment_size ? options->segment_size : default_size;
    size = size < smallest_size ? smallest_size : size;
    size = size > UINT32_MAX / 2 ? UINT32_MAX / 2 : size;
    log->segment_size = size / SEGMENT_START * SEGMENT_START;
    uint64_t room = log->segment_size - SEGMENT_START;
    log->reserve = options->reserve ? options->reserve : room;
    log->reserve_segments = (size_t)((log->reserve + room - 1) / room);
    log->inline_limit = options->inline_limit ? options->inline_limit : default_inline;
    memcpy(log->folder, options->folder.ptr, options->folder.len);
    list_init(&log->recents);
    list_init(&log->appends);
    list_init(&log->batch);
    list_init(&log->soon);
    list_init(&log->waiting);
    list_init(&log->doubtful);
    list_init(&log->roll.waiting);
    list_init(&log->dead_puts);
    list_init(&log->dead_marks);
    log->turn.open = turn;
    return log;
}

void spool_log_free(struct spool_log *log)
{
    struct disk *disk = log->ports->disk;
    for (struct map_iter it = map_begin(&log->index.map);;) {
        struct map_node *n = map_next(&it);
        if (!n) {
            break;
        }
        struct entry *e = CONTAINER_OF(n, struct entry, node);
        if (e->body) {
            disk->close(disk, e->body);
        }
    }
    index_done(&log->index);
    for (struct list *node; (node = list_pop(&log->doubtful)) != NULL;) {
        free(CONTAINER_OF(node, struct body_removal, link));
    }
    for (size_t i = 0; i < log->slot_count; i++) {
        if (log->segments[i]) {
            pool_drop(log, log->segments[i]);
        }
    }
    roll_done(log);
    free(log->segments);
    free(log->pieces);
    compactor_free(log);
    builder_free(log);
    if (log->lock) {
        disk->close(disk, log->lock);
    }
    free(log);
}
