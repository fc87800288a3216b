/* Bodies in files of their own, at recovery: one without a record was never acknowledged, or its
 * message is finished; a record without its file is damage. */
#include <errno.h>

#include "path/spool/recover.h"

static void next_body(struct recovery *r);

static void went_on(struct disk_op *op)
{
    next_body(CONTAINER_OF(op, struct recovery, disk_op));
}

static void body_looked_at(struct disk_op *op)
{
    struct recovery *r = CONTAINER_OF(op, struct recovery, disk_op);
    r->body->body_seen = op->result == 0 && op->size == r->body->body_size;
    next_body(r);
}

static void next_body(struct recovery *r)
{
    struct disk *disk = r->log->ports->disk;
    if (r->name == r->name_count) {
        recovery_restore(r);
        return;
    }
    struct str name = r->names[r->name++];
    struct queue_id id;
    r->body = queue_id_parse(name, &id) ? recovered_find(&r->found, id.value) : NULL;
    struct str path = log_path(r->log, "bodies/%.*s", STR_ARG(name));
    if (r->body && recovered_counts(r->body) && r->body->body_file) {
        r->disk_op = (struct disk_op){.done = body_looked_at};
        disk->stat(disk, &r->disk_op, path);
    } else {
        r->disk_op = (struct disk_op){.done = went_on};
        disk->remove(disk, &r->disk_op, path);
    }
}

static void bodies_listed(struct disk_op *op)
{
    struct recovery *r = CONTAINER_OF(op, struct recovery, disk_op);
    if (op->result < 0) {
        recovery_fail(r, (int)op->result);
        return;
    }
    r->names = op->names;
    r->name_count = op->name_count;
    r->name = 0;
    next_body(r);
}

static void next_incoming(struct disk_op *op)
{
    struct recovery *r = CONTAINER_OF(op, struct recovery, disk_op);
    struct disk *disk = r->log->ports->disk;
    if (r->name < r->name_count) {
        struct str path = log_path(r->log, "incoming/%.*s", STR_ARG(r->names[r->name]));
        r->name++;
        *op = (struct disk_op){.done = next_incoming};
        disk->remove(disk, op, path);
        return;
    }
    *op = (struct disk_op){.done = bodies_listed, .names_in = &r->names_in};
    disk->list(disk, op, log_path(r->log, "bodies"));
}

static void incoming_listed(struct disk_op *op)
{
    struct recovery *r = CONTAINER_OF(op, struct recovery, disk_op);
    r->names = op->result < 0 ? NULL : op->names;
    r->name_count = op->result < 0 ? 0 : op->name_count;
    r->name = 0;
    next_incoming(op);
}

void recovery_bodies(struct recovery *r)
{
    r->disk_op = (struct disk_op){.done = incoming_listed, .names_in = &r->names_in};
    r->log->ports->disk->list(r->log->ports->disk, &r->disk_op, log_path(r->log, "incoming"));
}
