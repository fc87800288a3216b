/* What befalls the disk of a yard. */
#include "crash/yard.h"

#include "crash/trouble.h"

#include <errno.h>
#include <string.h>

enum fault {
    FAULT_CUT,   /* power, at one of the next calls */
    FAULT_CALL,  /* one call fails */
    FAULT_SYNC,  /* one sync fails, or some, or all from there on */
    FAULT_WRITE, /* one write finds no space, having written a part */
    FAULT_FULL,  /* there is little space from now on */
    FAULT_READ,  /* reads fail now and then */
    FAULT_KINDS
};

void yard_set_fault(struct yard *y)
{
    static const int errors[] = {-EIO, -ENOSPC, -EMFILE, -ENOMEM};
    struct sim_world *w = &y->world;
    struct sim_disk *d = &y->disk;
    enum fault kind = (enum fault)sim_below(w, FAULT_KINDS);
    uint64_t soon = 1 + sim_below(w, sim_once_in(w, 2) ? 30 : 300);
    tell("fault %d, in %u", (int)kind, (unsigned)soon);
    y->fault_set = true;
    switch (kind) {
    case FAULT_CUT:
        d->cut_at = d->calls + soon;
        break;
    case FAULT_CALL:
        d->fail_at = d->calls + soon;
        d->fail_error = errors[sim_below(w, ARRAY_LEN(errors))];
        break;
    case FAULT_SYNC:
        d->sync_fails_at = d->syncs + 1 + soon / 4;
        d->syncs_fail_times = sim_once_in(w, 3) ? UINT64_MAX / 2 : 1 + sim_below(w, 5);
        break;
    case FAULT_WRITE:
        d->writes = 0;
        d->write_fails_at = 1 + soon / 4;
        break;
    case FAULT_FULL:
        d->store.capacity = d->store.used + 512 * sim_below(w, 400);
        break;
    case FAULT_READ:
        d->reads_fail_in = 1 + sim_below(w, 20);
        break;
    case FAULT_KINDS:
        break;
    }
}

/* A file of the log, or of the roll. */
static struct stored_name *any_file(struct yard *y)
{
    struct stored_name *chosen = NULL;
    uint64_t seen = 0;
    LIST_EACH (node, &y->disk.store.names) {
        struct stored_name *n = CONTAINER_OF(node, struct stored_name, link);
        struct str path = str_from_cstr(n->path);
        bool ours = str_starts(path, STR("/spool/log/0")) || str_starts(path, STR("/spool/roll-"));
        if (n->now && ours && n->now->size > 0 && sim_below(&y->world, ++seen) == 0) {
            chosen = n;
        }
    }
    return chosen;
}

void yard_damage(struct yard *y)
{
    struct stored_name *n = any_file(y);
    if (!n) {
        return;
    }
    struct stored_file *f = n->now;
    size_t at = (size_t)sim_below(&y->world, f->size);
    size_t length = 0;
    switch (sim_below(&y->world, 5)) {
    case 0: /* all of it */
        at = 0;
        length = f->size;
        break;
    case 1: /* some sectors, or what follows */
        at = at / SECTOR * SECTOR;
        length = sim_once_in(&y->world, 2) ? f->size : SECTOR * (1 + sim_below(&y->world, 8));
        break;
    case 2:
        tell("%s is gone", n->path);
        sim_disk_remove(&y->disk, n->path);
        return;
    default:
        tell("%s: a bit is flipped at %zu", n->path, at);
        sim_disk_flip(&y->disk, n->path, at, (unsigned)sim_below(&y->world, 8));
        return;
    }
    length = length < f->size - at ? length : f->size - at;
    tell("%s is wiped out at %zu, %zu octets", n->path, at, length);
    memset(f->now + at, 0, length);
    memset(f->durable + at, 0, length);
}
