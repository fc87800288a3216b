#include "path/deliver/local_folders.h"

#include "path/deliver/local_delivery.h"

#include <errno.h>

static void make_next(struct local_folders *f);
static void look(struct local_folders *f);

static struct disk *disk_of(const struct local_folders *f)
{
    return f->office->ports->disk;
}

static struct local_folders *of(struct disk_op *op, void (*then)(struct disk_op *op))
{
    struct local_folders *f = CONTAINER_OF(op, struct local_folders, op);
    f->op = (struct disk_op){.done = then};
    return f;
}

static void end(struct local_folders *f, int64_t result)
{
    f->result = result;
    f->done(f);
}

/* A folder that we may write but not read cannot be synced by us; that stops no mail. */
static bool can_go_on(int64_t result)
{
    return result >= 0 || result == -EACCES || result == -EPERM;
}

/* The name of `at` was synced into its folder; on upwards to what stood before. */
static void on_synced(struct disk_op *op)
{
    int64_t result = op->result;
    struct local_folders *f = of(op, on_synced);
    if (!can_go_on(result)) {
        end(f, result);
    } else if (f->at.len <= f->stands.len) {
        f->next++;
        make_next(f);
    } else {
        f->at = local_folder_of(f->at);
        disk_of(f)->sync_folder(disk_of(f), &f->op, f->at);
    }
}

static void on_made(struct disk_op *op)
{
    int64_t result = op->result;
    struct local_folders *f = of(op, on_synced);
    if (result < 0) {
        end(f, result);
        return;
    }
    f->at = local_folder_of(f->at);
    disk_of(f)->sync_folder(disk_of(f), &f->op, f->at);
}

static void make(struct local_folders *f)
{
    f->at = f->paths[f->next];
    f->op = (struct disk_op){.done = on_made};
    disk_of(f)->make_folder(disk_of(f), &f->op, f->at);
}

static void on_looked(struct disk_op *op)
{
    int64_t result = op->result;
    struct local_folders *f = CONTAINER_OF(op, struct local_folders, op);
    if (result == -ENOENT) {
        f->stands = local_folder_of(f->stands);
        look(f);
    } else if (result < 0) {
        end(f, result);
    } else if (f->stands.len == f->paths[f->next].len && op->is_folder) {
        f->next++;
        make_next(f);
    } else {
        make(f);
    }
}

static void look(struct local_folders *f)
{
    if (str_eq(f->stands, STR("/")) || str_eq(f->stands, STR("."))) {
        make(f);
        return;
    }
    f->op = (struct disk_op){.done = on_looked};
    disk_of(f)->stat(disk_of(f), &f->op, f->stands);
}

static void make_next(struct local_folders *f)
{
    if (f->next == f->count) {
        end(f, 0);
        return;
    }
    f->stands = f->at = f->paths[f->next];
    look(f);
}

void local_folders_make(struct local_folders *f)
{
    f->next = 0;
    f->result = 0;
    make_next(f);
}
