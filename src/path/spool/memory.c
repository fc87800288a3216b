#include "path/spool/memory.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/buf.h"
#include "core/base/map.h"

enum { PATH_ROOM = 1200 };

struct memory_spool {
    struct spool spool;
    const struct ports *ports;
    struct buf folder;
    struct map messages;
    struct parcel turn;
    bool turn_posted;
    bool folder_made;
    struct disk_op folder_op;
    struct list soon;
    unsigned under_way;
    void (*closed)(void *owner);
    void *closed_owner;
};

struct memory_message {
    struct map_node node;
    struct queue_id id;
    struct buf envelope, additions, outcomes;
    uint64_t body_size;
    struct disk_file *body;
    uint32_t pins;
    bool durable, finished;
};

/* One operation under way: exactly one of the pointers is set. */
struct memory_work {
    struct list link;
    struct memory_spool *spool;
    struct spool_put *put;
    struct spool_mark *mark;
    struct spool_get *get;
    struct memory_message *message;
    int result;
    struct disk_file *file;
    struct disk_op op;
};

static struct str path_of(const struct memory_spool *m, struct queue_id id, char out[PATH_ROOM])
{
    int len =
        snprintf(out, PATH_ROOM, "%.*s/%s", STR_ARG(buf_str(&m->folder)), queue_id_text(id).chars);
    return str_from(out, len > 0 && len < PATH_ROOM ? (size_t)len : 0);
}

static struct memory_message *find(const struct memory_spool *m, struct queue_id id)
{
    for (struct map_node *n = map_find(&m->messages, hash_u64(id.value)); n; n = map_find_next(n)) {
        struct memory_message *message = CONTAINER_OF(n, struct memory_message, node);
        if (message->id.value == id.value) {
            return message;
        }
    }
    return NULL;
}

static void message_free(struct memory_spool *m, struct memory_message *message)
{
    map_remove(&m->messages, &message->node);
    if (message->body) {
        m->ports->disk->close(m->ports->disk, message->body);
    }
    buf_done(&message->envelope);
    buf_done(&message->additions);
    buf_done(&message->outcomes);
    free(message);
}

static void wake(struct memory_spool *m)
{
    if (!m->turn_posted) {
        m->turn_posted = true;
        m->ports->inbox->post(m->ports->inbox, &m->turn);
    }
}

static void work_end(struct memory_work *w, int result)
{
    struct memory_work ended = *w;
    w->spool->under_way--;
    wake(w->spool);
    free(w);
    if (ended.put) {
        ended.put->result = result;
        ended.put->done(ended.put);
    } else if (ended.mark) {
        ended.mark->result = result;
        ended.mark->done(ended.mark);
    } else {
        ended.get->result = result;
        ended.get->done(ended.get);
    }
}

static void put_end(struct disk_op *op)
{
    struct memory_work *w = CONTAINER_OF(op, struct memory_work, op);
    if (w->file) {
        w->spool->ports->disk->close(w->spool->ports->disk, w->file);
    }
    int result = op->result < 0 ? (int)op->result : 0;
    if (result < 0) {
        message_free(w->spool, w->message);
    } else {
        w->message->durable = true;
    }
    work_end(w, result);
}

static void body_created(struct disk_op *op)
{
    struct memory_work *w = CONTAINER_OF(op, struct memory_work, op);
    if (op->result < 0) {
        put_end(op);
        return;
    }
    w->file = op->file;
    *op = (struct disk_op){.done = put_end};
    w->spool->ports->disk->write(w->spool->ports->disk, op, w->file, 0, &w->put->body);
}

static void put_begin(struct memory_work *w)
{
    struct memory_spool *m = w->spool;
    struct disk *disk = m->ports->disk;
    char to[PATH_ROOM];
    char from[PATH_ROOM];
    struct str path = path_of(m, w->put->id, to);
    if (w->put->body_file.len > 0) {
        int len = snprintf(from, sizeof from, "%.*s/%.*s", STR_ARG(buf_str(&m->folder)),
                           STR_ARG(w->put->body_file));
        w->op = (struct disk_op){.done = put_end};
        disk->rename(disk, &w->op, str_from(from, len > 0 ? (size_t)len : 0), path);
    } else {
        w->op = (struct disk_op){.done = body_created};
        disk->open(disk, &w->op, path, DISK_WRITE | DISK_CREATE | DISK_TRUNCATE);
    }
}

static void mark_begin(struct memory_work *w)
{
    struct memory_message *message = find(w->spool, w->mark->id);
    if (!message || !message->durable || message->finished) {
        work_end(w, -ENOENT);
        return;
    }
    buf_add(&message->outcomes, w->mark->outcomes);
    message->finished = w->mark->finished;
    if (message->finished && message->pins == 0) {
        message_free(w->spool, message);
    }
    work_end(w, 0);
}

static void body_open(struct disk_op *op)
{
    struct memory_work *w = CONTAINER_OF(op, struct memory_work, op);
    struct memory_message *message = w->message;
    struct spool_get *get = w->get;
    if (op->result < 0) {
        message->pins--;
        work_end(w, (int)op->result);
        return;
    }
    if (message->body && op->file) {
        w->spool->ports->disk->close(w->spool->ports->disk, op->file);
    } else if (op->file) {
        message->body = op->file;
    }
    get->envelope = arena_copy(get->arena, buf_str(&message->envelope));
    get->additions = arena_copy(get->arena, buf_str(&message->additions));
    get->outcomes = arena_copy(get->arena, buf_str(&message->outcomes));
    get->body = (struct spool_body){.file = message->body, .size = message->body_size};
    work_end(w, 0);
}

static void get_begin(struct memory_work *w)
{
    struct memory_spool *m = w->spool;
    char path[PATH_ROOM];
    w->message = find(m, w->get->id);
    if (!w->message || !w->message->durable || w->message->finished) {
        work_end(w, -ENOENT);
        return;
    }
    w->message->pins++;
    w->op = (struct disk_op){.done = body_open};
    m->ports->disk->open(m->ports->disk, &w->op, path_of(m, w->get->id, path), DISK_READ);
}

static void memory_free(struct memory_spool *m)
{
    while (m->messages.count > 0) {
        struct map_iter it = map_begin(&m->messages);
        message_free(m, CONTAINER_OF(map_next(&it), struct memory_message, node));
    }
    map_done(&m->messages);
    buf_done(&m->folder);
    free(m);
}

static void turn(struct parcel *parcel)
{
    struct memory_spool *m = CONTAINER_OF(parcel, struct memory_spool, turn);
    m->turn_posted = false;
    for (struct list *node; m->folder_made && (node = list_pop(&m->soon)) != NULL;) {
        struct memory_work *w = CONTAINER_OF(node, struct memory_work, link);
        if (w->result < 0) {
            work_end(w, w->result);
        } else if (w->put) {
            put_begin(w);
        } else if (w->mark) {
            mark_begin(w);
        } else {
            get_begin(w);
        }
    }
    if (m->closed && m->under_way == 0 && !m->turn_posted) {
        void (*closed)(void *) = m->closed;
        void *owner = m->closed_owner;
        memory_free(m);
        closed(owner);
    }
}

static struct memory_work *work_new(struct spool *s)
{
    struct memory_spool *m = CONTAINER_OF(s, struct memory_spool, spool);
    struct memory_work *w = calloc(1, sizeof *w);
    if (w) {
        w->spool = m;
        m->under_way++;
        list_append(&m->soon, &w->link);
        wake(m);
    }
    return w;
}

static void memory_put(struct spool *s, struct spool_put *op)
{
    struct memory_work *w = work_new(s);
    struct memory_message *message = w ? calloc(1, sizeof *message) : NULL;
    if (!w) {
        op->result = -ENOMEM; /* in a test: nothing waits to say so later */
        op->done(op);
        return;
    }
    w->put = op;
    w->message = message;
    w->result = message ? 0 : -ENOMEM;
    if (!message) {
        return;
    }
    message->id = op->id;
    message->body_size = op->body_size;
    buf_add(&message->envelope, op->envelope);
    buf_add(&message->additions, op->additions);
    if (find(w->spool, op->id) ||
        !map_insert(&w->spool->messages, &message->node, hash_u64(op->id.value))) {
        w->result = -EEXIST;
        buf_done(&message->envelope);
        buf_done(&message->additions);
        free(message);
    }
}

static void memory_mark(struct spool *s, struct spool_mark *op)
{
    struct memory_work *w = work_new(s);
    if (!w) {
        op->result = -ENOMEM;
        op->done(op);
        return;
    }
    w->mark = op;
}

static void memory_get(struct spool *s, struct spool_get *op)
{
    struct memory_work *w = work_new(s);
    if (!w) {
        op->result = -ENOMEM;
        op->done(op);
        return;
    }
    w->get = op;
}

static void memory_release(struct spool *s, struct queue_id id)
{
    struct memory_spool *m = CONTAINER_OF(s, struct memory_spool, spool);
    struct memory_message *message = find(m, id);
    if (message && message->pins > 0 && --message->pins == 0 && message->finished) {
        message_free(m, message);
    }
}

static bool memory_tick(struct spool *s)
{
    (void)s;
    return false;
}

static void memory_usage(const struct spool *s, struct spool_usage *usage)
{
    const void *whole = s; /* the spool stands first in it */
    const struct memory_spool *m = whole;
    *usage = (struct spool_usage){.messages = m->messages.count, .bytes_free = UINT64_MAX};
}

static void memory_close(struct spool *s, void (*closed)(void *owner), void *owner)
{
    struct memory_spool *m = CONTAINER_OF(s, struct memory_spool, spool);
    m->closed = closed;
    m->closed_owner = owner;
    wake(m);
}

static const struct spool_ops operations = {.put = memory_put,
                                            .mark = memory_mark,
                                            .get = memory_get,
                                            .release = memory_release,
                                            .tick = memory_tick,
                                            .usage = memory_usage,
                                            .close = memory_close};

static void folder_made(struct disk_op *op)
{
    struct memory_spool *m = CONTAINER_OF(op, struct memory_spool, folder_op);
    m->folder_made = true;
    m->under_way--;
    wake(m);
}

struct spool *spool_memory_new(const struct ports *ports, struct str folder)
{
    struct memory_spool *m = calloc(1, sizeof *m);
    if (m) {
        buf_add(&m->folder, folder);
    }
    if (!m || m->folder.failed) {
        free(m);
        return NULL;
    }
    m->spool.ops = &operations;
    m->ports = ports;
    m->turn.open = turn;
    list_init(&m->soon);
    m->folder_op.done = folder_made;
    m->under_way = 1;
    ports->disk->make_folder(ports->disk, &m->folder_op, folder);
    return &m->spool;
}
