#include <errno.h>
#include <stdlib.h>

#include "path/spool/inside.h"

struct put_work {
    struct append append;
    struct task task;
    struct spool_log *log;
    struct spool_put *op;
    struct entry *entry;
    struct disk_op file_op;
    int result;
};

static void put_end(struct put_work *w)
{
    struct spool_put *op = w->op;
    op->result = w->result;
    w->log->under_way--;
    log_wake(w->log);
    free(w);
    op->done(op);
}

static void body_removed(struct disk_op *file_op)
{
    put_end(CONTAINER_OF(file_op, struct put_work, file_op));
}

static void put_failed(struct put_work *w, int result, struct str body)
{
    w->result = result;
    index_remove(&w->log->index, w->entry);
    if (body.len == 0) {
        put_end(w);
        return;
    }
    w->file_op = (struct disk_op){.done = body_removed};
    w->log->ports->disk->remove(w->log->ports->disk, &w->file_op, body);
}

static void appended(struct append *a, int result)
{
    struct put_work *w = CONTAINER_OF(a, struct put_work, append);
    struct spool_log *log = w->log;
    struct entry *e = w->entry;
    if (result < 0) {
        bool written = a->attempts > 0;
        if (a->record.body_file && written) {
            log_drop_body(log, w->op->id, true);
        }
        put_failed(w, result,
                   a->record.body_file && !written ? log_body_path(log, w->op->id)
                                                   : (struct str){0});
        return;
    }
    e->flags = a->record.body_file ? ENTRY_BODY_FILE : 0;
    e->at = a->at;
    e->born = a->record.born;
    recent_keep(log, e, a);
    log_live(log, e->at, true);
    log->messages++;
    log->bodies_bytes += a->record.body_file ? e->body_size : 0;
    put_end(w);
}

static void body_named(struct disk_op *op)
{
    struct put_work *w = CONTAINER_OF(op, struct put_work, file_op);
    if (op->result < 0) {
        put_failed(w, (int)op->result, log_body_path(w->log, w->op->id));
        return;
    }
    log_append(w->log, &w->append);
}

static void body_moved(struct disk_op *op)
{
    struct put_work *w = CONTAINER_OF(op, struct put_work, file_op);
    if (op->result < 0) {
        put_failed(w, (int)op->result, log_path(w->log, "%.*s", STR_ARG(w->op->body_file)));
        return;
    }
    *op = (struct disk_op){.done = body_named};
    w->log->ports->disk->sync_folder(w->log->ports->disk, op, log_path(w->log, "bodies"));
}

/* What is wrong with it at first sight. */
static int judge(const struct spool_log *log, const struct put_work *w)
{
    const struct record *r = &w->append.record;
    uint64_t in_memory = 0;
    for (size_t i = 0; i < w->op->body.count; i++) {
        in_memory += w->op->body.pieces[i].len;
    }
    if (!r->body_file && in_memory != w->op->body_size) {
        return -EINVAL;
    }
    uint64_t texts = (uint64_t)r->envelope.len + r->additions.len;
    uint64_t all = RECORD_HEAD + texts + (r->body_file ? 0 : w->op->body_size);
    return all > log->segment_size - SEGMENT_START - RECORD_ALIGN ? -EFBIG : 0;
}

static void put_begin(struct task *task)
{
    struct put_work *w = CONTAINER_OF(task, struct put_work, task);
    struct spool_log *log = w->log;
    struct record *r = &w->append.record;
    struct str body = {0};
    char from[PATH_MAX_BYTES + 64];
    if (r->body_file) {
        struct str path = log_path(log, "%.*s", STR_ARG(w->op->body_file));
        for (size_t i = 0; i < path.len; i++) {
            from[i] = path.ptr[i];
        }
        body = str_from(from, path.len);
    }
    w->result = judge(log, w);
    if (w->result < 0) {
        put_failed(w, w->result, body);
    } else if (r->body_file) {
        w->file_op = (struct disk_op){.done = body_moved};
        log->ports->disk->rename(log->ports->disk, &w->file_op, body,
                                 log_body_path(log, w->op->id));
    } else {
        log_append(log, &w->append);
    }
}

void log_put(struct spool *s, struct spool_put *op)
{
    struct spool_log *log = CONTAINER_OF(s, struct spool_log, spool);
    struct put_work *w = NULL;
    struct entry *e = NULL;
    op->result = -EEXIST;
    if (!index_find(&log->index, op->id)) {
        op->result = -ENOMEM;
        w = calloc(1, sizeof *w);
        e = w ? index_add(&log->index, op->id) : NULL;
    }
    if (!e) {
        free(w);
        list_append(&log->dead_puts, &op->link);
        log_wake(log);
        return;
    }
    w->log = log;
    w->op = op;
    w->entry = e;
    w->append.done = appended;
    w->append.level = op->reserve ? LEVEL_MARK : LEVEL_PUT;
    w->append.record = (struct record){.type = RECORD_MESSAGE,
                                       .body_file = op->body_file.len > 0,
                                       .id = op->id.value,
                                       .envelope = op->envelope,
                                       .additions = op->additions,
                                       .body_size = op->body_size};
    w->append.body = w->append.record.body_file ? (struct disk_pieces){0} : op->body;
    e->flags = ENTRY_PENDING;
    e->body_size = op->body_size;
    e->before_body = record_before_body(&w->append.record);
    log->under_way++;
    w->task.run = put_begin;
    log_soon(log, &w->task);
}
