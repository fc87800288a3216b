#include "path/deliver/mbox_lock.h"

#include "path/deliver/local_delivery.h"

#include <errno.h>

static void attempt(struct mbox_lock *l);

static struct disk *disk_of(const struct mbox_lock *l)
{
    return l->office->ports->disk;
}

static struct instant now(const struct mbox_lock *l)
{
    struct clock *clock = l->office->ports->clock;
    return (struct instant){clock->monotonic_us(clock)};
}

static struct disk_op *ask(struct mbox_lock *l, void (*then)(struct disk_op *op))
{
    l->op = (struct disk_op){.done = then};
    return &l->op;
}

static struct mbox_lock *of(struct disk_op *op)
{
    return CONTAINER_OF(op, struct mbox_lock, op);
}

static void close_file(struct mbox_lock *l)
{
    if (l->file) {
        disk_of(l)->close(disk_of(l), l->file);
        l->file = NULL;
    }
}

/* A lock that cannot be removed is stale after a while: nothing to be done about it here. */
static void on_dot_removed(struct disk_op *op)
{
    struct mbox_lock *l = of(op);
    l->released(l);
}

void mbox_lock_release(struct mbox_lock *l)
{
    close_file(l);
    if (!l->has_dot) {
        l->released(l);
        return;
    }
    l->has_dot = false;
    disk_of(l)->remove(disk_of(l), ask(l, on_dot_removed), l->dot);
}

static void on_released_after_failure(struct disk_op *op)
{
    struct mbox_lock *l = of(op);
    l->done(l);
}

static void fail(struct mbox_lock *l, struct str at, int64_t error)
{
    l->result = error;
    l->at = at;
    close_file(l);
    if (!l->has_dot) {
        l->done(l);
        return;
    }
    l->has_dot = false;
    disk_of(l)->remove(disk_of(l), ask(l, on_released_after_failure), l->dot);
}

static void on_again(struct timer *timer)
{
    attempt(CONTAINER_OF(timer, struct mbox_lock, again));
}

/* Somebody has it: lets go of all, and comes back in a moment. */
static void wait(struct mbox_lock *l, struct str at)
{
    const struct ports *ports = l->office->ports;
    if (l->office->stopping) {
        fail(l, at, -ECANCELED);
    } else if (instant_since(now(l), l->since).us >= SPAN_S(MBOX_WAIT_S).us) {
        fail(l, at, -EAGAIN);
    } else {
        close_file(l);
        l->again.fire = on_again;
        int64_t extra = (int64_t)entropy_below(ports->entropy, 500);
        ports->timers->arm(ports->timers, &l->again, SPAN_MS(500 + extra));
    }
}

static void on_dot_let_go(struct disk_op *op)
{
    wait(of(op), of(op)->path);
}

/* The mailbox's name may have come to mean another file between open and lock: programs that empty
 * a mailbox like to remove or replace it. What we wrote would be lost with the old one. */
static void on_name_seen(struct disk_op *op)
{
    struct mbox_lock *l = of(op);
    if (op->result < 0 && op->result != -ENOENT) {
        fail(l, l->path, op->result);
    } else if (op->result == 0 && op->size == l->size && op->changed.us == l->file_changed.us) {
        l->result = 0;
        l->done(l);
    } else if (l->has_dot) {
        l->has_dot = false;
        disk_of(l)->remove(disk_of(l), ask(l, on_dot_let_go), l->dot);
    } else {
        wait(l, l->path);
    }
}

static void on_file_seen(struct disk_op *op)
{
    struct mbox_lock *l = of(op);
    if (op->result < 0 || op->is_folder || op->is_special) {
        fail(l, l->path, op->result < 0 ? op->result : op->is_folder ? -EISDIR : -ESPIPE);
        return;
    }
    l->size = op->size;
    l->file_changed = op->changed;
    disk_of(l)->stat(disk_of(l), ask(l, on_name_seen), l->path);
}

static void look_at_file(struct mbox_lock *l)
{
    disk_of(l)->stat_file(disk_of(l), ask(l, on_file_seen), l->file);
}

static void on_aside_removed(struct disk_op *op)
{
    wait(of(op), of(op)->dot);
}

static void remove_aside(struct mbox_lock *l)
{
    disk_of(l)->remove(disk_of(l), ask(l, on_aside_removed), l->aside);
}

static void on_put_back(struct disk_op *op)
{
    remove_aside(of(op));
}

/* What we moved away may be a fresh lock, made when another had just removed the stale one: then it
 * goes back to its place. */
static void on_aside_seen(struct disk_op *op)
{
    struct mbox_lock *l = of(op);
    if (op->result == 0 && op->changed.us != l->seen.us) {
        disk_of(l)->link(disk_of(l), ask(l, on_put_back), l->aside, l->dot);
    } else {
        remove_aside(l);
    }
}

static void on_moved_aside(struct disk_op *op)
{
    struct mbox_lock *l = of(op);
    if (op->result < 0) {
        wait(l, l->dot);
        return;
    }
    disk_of(l)->stat(disk_of(l), ask(l, on_aside_seen), l->aside);
}

static bool is_old(const struct mbox_lock *l, struct instant changed)
{
    struct clock *clock = l->office->ports->clock;
    return instant_since(clock->wall(clock), changed).us > SPAN_S(MBOX_STALE_S).us;
}

/* Nobody holds the mailbox by fcntl (we do), the lock is old, and the mailbox was not written to
 * for as long: whoever made the lock is gone. */
static void on_mailbox_age(struct disk_op *op)
{
    struct mbox_lock *l = of(op);
    struct entropy *entropy = l->office->ports->entropy;
    if (op->result < 0 || !is_old(l, op->changed) || l->breaks == MBOX_STALE_BREAKS) {
        wait(l, l->dot);
        return;
    }
    l->breaks++;
    l->aside = arena_format(l->arena, "%.*s.%016llx", STR_ARG(l->dot),
                            (unsigned long long)entropy->u64(entropy));
    if (!l->aside.ptr) {
        fail(l, l->dot, -ENOMEM);
        return;
    }
    disk_of(l)->rename(disk_of(l), ask(l, on_moved_aside), l->dot, l->aside);
}

static void on_dot_seen(struct disk_op *op)
{
    struct mbox_lock *l = of(op);
    l->seen = op->changed;
    if (op->result < 0 || !is_old(l, op->changed)) {
        wait(l, l->dot);
        return;
    }
    disk_of(l)->stat_file(disk_of(l), ask(l, on_mailbox_age), l->file);
}

/* Errors that say: here no dot-lock can be made, by us or for a name like this. */
static bool goes_without(int64_t error)
{
    return error == -EACCES || error == -EPERM || error == -EROFS || error == -ENAMETOOLONG;
}

static void on_dot_made(struct disk_op *op)
{
    struct mbox_lock *l = of(op);
    if (op->result >= 0) {
        l->has_dot = true;
        disk_of(l)->close(disk_of(l), op->file);
        look_at_file(l);
    } else if (op->result == -EEXIST) {
        disk_of(l)->stat(disk_of(l), ask(l, on_dot_seen), l->dot);
    } else if (goes_without(op->result)) {
        look_at_file(l);
    } else {
        fail(l, l->dot, op->result);
    }
}

static void on_locked(struct disk_op *op)
{
    struct mbox_lock *l = of(op);
    if (op->result == -EAGAIN) {
        wait(l, l->path);
    } else if (op->result < 0) {
        fail(l, l->path, op->result);
    } else {
        disk_of(l)->open(disk_of(l), ask(l, on_dot_made), l->dot,
                         DISK_WRITE | DISK_CREATE | DISK_EXCLUSIVE | DISK_NO_FOLLOW);
    }
}

static void on_folder_made(struct local_folders *f)
{
    struct mbox_lock *l = CONTAINER_OF(f, struct mbox_lock, folders);
    if (f->result < 0) {
        fail(l, f->at, f->result);
    } else {
        attempt(l);
    }
}

static void on_opened(struct disk_op *op)
{
    struct mbox_lock *l = of(op);
    if (op->result >= 0) {
        l->file = op->file;
        disk_of(l)->lock(disk_of(l), ask(l, on_locked), l->file);
    } else if (op->result == -ENOENT && !l->made) {
        l->made = true;
        l->folders = (struct local_folders){
            .done = on_folder_made,
            .office = l->office,
            .paths = {local_folder_of(l->path)},
            .count = 1,
        };
        local_folders_make(&l->folders);
    } else {
        fail(l, l->path, op->result);
    }
}

static void attempt(struct mbox_lock *l)
{
    disk_of(l)->open(disk_of(l), ask(l, on_opened), l->path,
                     DISK_READ | DISK_WRITE | DISK_CREATE | DISK_NO_FOLLOW);
}

void mbox_lock(struct mbox_lock *l)
{
    l->since = now(l);
    l->dot = arena_format(l->arena, "%.*s.lock", STR_ARG(l->path));
    if (!l->dot.ptr) {
        fail(l, l->path, -ENOMEM);
        return;
    }
    attempt(l);
}
