#include "path/deliver/deposit.h"

#include "path/deliver/local_delivery.h"

static struct deposit *of(struct list *node)
{
    return CONTAINER_OF(node, struct deposit, link);
}

static struct str folder_of(const struct deposit *d)
{
    return local_folder_of(d->final);
}

static void note(struct deposit *d, enum deposit_step step, int64_t result)
{
    if (result < 0 && d->result == 0) {
        d->result = result;
        d->step = step;
    }
}

/* From here to work() all runs where the disk may block, and touches the batch alone. */

static void write_draft(struct deposit *d, struct disk_calls *calls)
{
    if (d->file) {
        d->at = d->draft;
    } else {
        note(d, DEPOSIT_CREATE, calls->create(calls, d->draft, &d->file));
        if (d->result < 0) {
            return; /* what may be there is not ours */
        }
        d->at = d->draft;
    }
    note(d, DEPOSIT_WRITE, calls->write(calls, d->file, d->size, d->bytes));
}

static void sync_draft(struct deposit *d, struct disk_calls *calls)
{
    if (d->result == 0) {
        note(d, DEPOSIT_WRITE, calls->sync(calls, d->file));
    }
    if (d->file) {
        calls->close(calls, d->file);
        d->file = NULL;
    }
}

static void move(struct deposit *d, struct disk_calls *calls)
{
    if (d->result < 0) {
        return;
    }
    note(d, DEPOSIT_MOVE, calls->rename(calls, d->draft, d->final));
    if (d->result == 0) {
        d->at = d->final;
    }
}

/* For all of the batch that were moved into this folder. */
static void sync_folder(struct deposit_batch *batch, struct deposit *d, struct disk_calls *calls)
{
    if (d->result < 0 || d->folder_synced) {
        return;
    }
    struct str folder = folder_of(d);
    int64_t result = calls->sync_folder(calls, folder);
    LIST_EACH (node, &batch->files) {
        struct deposit *other = of(node);
        if (other->result == 0 && str_eq(folder_of(other), folder)) {
            note(other, DEPOSIT_SYNC_FOLDER, result);
            other->folder_synced = true;
        }
    }
}

/* A file that is not whole, or not surely on the disk, must not stay: the next attempt writes
 * another. */
static void take_back(struct deposit *d, struct disk_calls *calls)
{
    if (d->result < 0 && d->at.len > 0) {
        (void)calls->remove(calls, d->at);
    }
}

static void carry_out(struct deposit_batch *batch, struct disk_calls *calls)
{
    LIST_EACH (node, &batch->files) {
        write_draft(of(node), calls);
    }
    LIST_EACH (node, &batch->files) {
        if (of(node)->result == 0) {
            calls->begin_sync(calls, of(node)->file);
        }
    }
    LIST_EACH (node, &batch->files) {
        sync_draft(of(node), calls);
    }
    LIST_EACH (node, &batch->files) {
        move(of(node), calls);
    }
    LIST_EACH (node, &batch->files) {
        sync_folder(batch, of(node), calls);
    }
    LIST_EACH (node, &batch->files) {
        take_back(of(node), calls);
    }
}

static void work(struct disk_op *op, struct disk_calls *calls)
{
    carry_out(CONTAINER_OF(op, struct deposit_batch, op), calls);
}

void deposit_at_once(struct deposit *d, struct disk_calls *calls)
{
    struct deposit_batch alone = {0};
    list_init(&alone.files);
    list_append(&alone.files, &d->link);
    carry_out(&alone, calls);
}

static void start(struct deposits *desk);

static void on_worked(struct disk_op *op)
{
    struct deposit_batch *batch = CONTAINER_OF(op, struct deposit_batch, op);
    struct disk *disk = batch->desk->ports->disk;
    for (struct list *node; (node = list_pop(&batch->files)) != NULL;) {
        struct deposit *d = of(node);
        if (d->file) { /* the work was not even begun */
            disk->close(disk, d->file);
            d->file = NULL;
        }
        note(d, DEPOSIT_CREATE, op->result);
        d->done(d);
    }
    start(batch->desk);
}

static void take(struct deposits *desk, struct deposit_batch *batch, struct deposit *d)
{
    list_remove(&d->link);
    list_append(&batch->files, &d->link);
    desk->waiting_count--;
}

/* The oldest first, and with each what waits for the same folder. */
static void fill(struct deposits *desk, struct deposit_batch *batch, size_t share)
{
    size_t count = 0;
    while (count < share && !list_empty(&desk->waiting)) {
        struct deposit *first = of(desk->waiting.next);
        struct str folder = folder_of(first);
        take(desk, batch, first);
        count++;
        LIST_EACH (node, &desk->waiting) {
            if (count < DEPOSIT_BATCH && str_eq(folder_of(of(node)), folder)) {
                take(desk, batch, of(node));
                count++;
            }
        }
    }
}

/* Few files each have a batch to themselves, for their syncs then overlap; many share. */
static void start(struct deposits *desk)
{
    size_t idle = 0;
    for (size_t i = 0; i < DEPOSIT_BATCHES; i++) {
        idle += list_empty(&desk->batches[i].files) ? 1 : 0;
    }
    for (size_t i = 0; i < DEPOSIT_BATCHES && desk->waiting_count > 0; i++) {
        struct deposit_batch *batch = &desk->batches[i];
        if (!list_empty(&batch->files)) {
            continue;
        }
        size_t share = (desk->waiting_count + idle - 1) / idle;
        fill(desk, batch, share < DEPOSIT_BATCH ? share : DEPOSIT_BATCH);
        idle--;
        batch->op = (struct disk_op){.done = on_worked};
        desk->ports->disk->perform(desk->ports->disk, &batch->op, work);
    }
}

static void on_soon(struct timer *timer)
{
    start(CONTAINER_OF(timer, struct deposits, soon));
}

void deposits_init(struct deposits *desk, const struct ports *ports)
{
    *desk = (struct deposits){.ports = ports, .soon = {.fire = on_soon}};
    list_init(&desk->waiting);
    for (size_t i = 0; i < DEPOSIT_BATCHES; i++) {
        desk->batches[i].desk = desk;
        list_init(&desk->batches[i].files);
    }
}

/* What else this turn of the loop brings comes with it. */
void deposits_add(struct deposits *desk, struct deposit *d)
{
    d->result = 0;
    d->at = (struct str){0};
    d->folder_synced = false;
    list_append(&desk->waiting, &d->link);
    desk->waiting_count++;
    desk->ports->timers->arm(desk->ports->timers, &desk->soon, (struct span){0});
}
