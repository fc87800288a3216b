#include "crash/house.h"
#include "crash/trouble.h"

#include <errno.h>

enum evil {
    EVIL_CUT,        /* power, at one of the next disk operations */
    EVIL_CUT_NOW,    /* power, now */
    EVIL_KILL,       /* the process */
    EVIL_STOP,       /* an orderly stop, and a start */
    EVIL_ERROR,      /* one disk operation fails */
    EVIL_SYNC,       /* one or some syncs fail */
    EVIL_SPACE,      /* one write finds no space */
    EVIL_READS,      /* some reads fail for a while */
    EVIL_FULL,       /* the disk is full for a while */
    EVIL_CONNECTION, /* some connections break at any octet, are refused, or hang */
    EVIL_SLOW,       /* some come in small pieces, or late */
    EVIL_DNS,
    EVIL_CLOCK, /* wall time jumps */
    EVIL_KINDS
};

static struct machine *any_machine(struct house *h)
{
    return &h->machines[sim_below(&h->world, MACHINES)];
}

static void disk_evil(struct house *h, enum evil kind)
{
    struct machine *m = any_machine(h);
    struct sim_disk *d = &m->disk;
    m->fault_set = true;
    h->ledger.excuses += 3;
    if (kind == EVIL_ERROR) {
        static const int errors[] = {-EIO, -ENOSPC, -EMFILE};
        d->fail_at = d->calls + 1 + sim_below(&h->world, 60);
        d->fail_error = errors[sim_below(&h->world, 3)];
    } else if (kind == EVIL_SYNC) {
        d->sync_fails_at = d->syncs + 1 + sim_below(&h->world, 20);
        d->syncs_fail_times = 1 + sim_below(&h->world, 3);
    } else if (kind == EVIL_SPACE) {
        d->writes = 0;
        d->write_fails_at = 1 + sim_below(&h->world, 20);
    } else if (kind == EVIL_READS) {
        d->reads_fail_in = 2 + sim_below(&h->world, 20);
    } else {
        d->store.capacity = d->store.used + sim_below(&h->world, 200000);
    }
}

static void connection_evil(struct house *h, bool slow)
{
    static const char *const where[] = {"*", "192.0.2.1:25", "192.0.2.2:25", "203.0.113.1:25",
                                        "203.0.113.2:25"};
    if (h->wire.fault_count == SIM_FAULTS) {
        return;
    }
    struct sim_fault *f = sim_fault(&h->wire, where[sim_below(&h->world, ARRAY_LEN(where))]);
    f->times = 1 + (unsigned)sim_below(&h->world, 4);
    uint64_t scale = 1 + sim_below(&h->world, 4000);
    switch (slow ? sim_below(&h->world, 3) : 3 + sim_below(&h->world, 5)) {
    case 0:
        f->piece = 1 + sim_below(&h->world, 40);
        break;
    case 1:
        f->delay = SPAN_MS(10 + sim_below(&h->world, 2000));
        break;
    case 2:
        f->split_up = 1 + sim_below(&h->world, scale);
        f->split_down = 1 + sim_below(&h->world, 400);
        break;
    case 3:
        f->refuse = true;
        break;
    case 4:
        f->silent = true;
        break;
    case 5:
        f->deaf = true;
        break;
    case 6:
        f->cut_up = 1 + sim_below(&h->world, scale);
        break;
    default:
        f->cut_down = 1 + sim_below(&h->world, 500);
    }
    h->ledger.excuses += f->times;
}

static const char *const dns_names[] = {"one.example",   "two.example",   "mx.two.example",
                                        "good.example",  "flaky.example", "mx.good.example",
                                        "mx.one.example"};

static void dns_evil(struct house *h)
{
    static const enum zone_fault faults[] = {ZONE_SERVFAIL, ZONE_REFUSED, ZONE_TIMEOUT,
                                             ZONE_BROKEN,   ZONE_GARBAGE, ZONE_WRONG};
    const char *name = dns_names[sim_below(&h->world, ARRAY_LEN(dns_names))];
    zone_break(&h->zone, name, 0,
               sim_once_in(&h->world, 3) ? ZONE_NO_FAULT
                                         : faults[sim_below(&h->world, ARRAY_LEN(faults))]);
}

static void happen(struct house *h, enum evil kind)
{
    struct machine *m = any_machine(h);
    tell("evil %d for %s", (int)kind, m->name);
    switch (kind) {
    case EVIL_CUT:
        m->disk.cut_at = m->disk.calls + 1 + sim_below(&h->world, 40);
        m->fault_set = true;
        break;
    case EVIL_CUT_NOW:
        machine_cut(m);
        break;
    case EVIL_KILL:
        machine_kill(m);
        break;
    case EVIL_STOP:
        machine_stop(m);
        break;
    case EVIL_ERROR:
    case EVIL_SYNC:
    case EVIL_SPACE:
    case EVIL_READS:
    case EVIL_FULL:
        disk_evil(h, kind);
        break;
    case EVIL_CONNECTION:
    case EVIL_SLOW:
        connection_evil(h, kind == EVIL_SLOW);
        break;
    case EVIL_DNS:
        dns_evil(h);
        break;
    case EVIL_CLOCK:
        /* Within a minute of the true time, so that no report expires, and is rightly dropped,
         * while its mailbox fails. */
        m->wall_offset = (int64_t)sim_below(&h->world, 120000000) - 60000000;
        break;
    case EVIL_KINDS:
        break;
    }
}

static void evil(struct timer *timer)
{
    struct house *h = CONTAINER_OF(timer, struct house, evil);
    if (h->healed || h->evils == 0) {
        return;
    }
    h->evils--;
    enum evil kind = (enum evil)sim_below(&h->world, EVIL_KINDS);
    if (h->kinds >> kind & 1) {
        happen(h, kind);
    }
    struct span after = {(int64_t)sim_below(&h->world, 6000000)};
    h->loop.timers.arm(&h->loop.timers, timer, after);
}

/* A quarter of all runs is without any evil, so that there is no excuse; a half has some kinds, the
 * rest all. */
void chaos_start(struct house *h)
{
    uint64_t measure = sim_below(&h->world, 4);
    h->evils = measure == 0 ? 0 : 4 + (unsigned)sim_below(&h->world, 40);
    h->kinds = measure == 3 ? UINT32_MAX : (uint32_t)sim_draw(&h->world);
    h->evil.fire = evil;
    h->loop.timers.arm(&h->loop.timers, &h->evil, SPAN_MS(50));
}

void chaos_end(struct house *h)
{
    h->healed = true;
    h->wire.fault_count = 1; /* the dead site stays dead */
    for (size_t i = 0; i < ARRAY_LEN(dns_names); i++) {
        zone_break(&h->zone, dns_names[i], 0, ZONE_NO_FAULT);
    }
    for (size_t i = 0; i < MACHINES; i++) {
        struct sim_disk *d = &h->machines[i].disk;
        d->cut_at = d->fail_at = d->sync_fails_at = d->write_fails_at = 0;
        d->reads_fail_in = 0;
        d->store.capacity = UINT64_MAX;
    }
    h->peers[1].temper = TEMPER_GOOD;
    tell("all is healed");
}
