#include "crash/yard.h"

#include "crash/trouble.h"

#include "path/spool/segment.h"

#include <errno.h>
#include <string.h>

enum { MOST_EVENTS = 200000, MOST_TICKS = 3000, FAULTY_TICKS = 100 };

static struct instant wall(struct clock *clock)
{
    return (struct instant){CONTAINER_OF(clock, struct yard, clock)->world.now};
}

static int64_t monotonic(struct clock *clock)
{
    return CONTAINER_OF(clock, struct yard, clock)->world.now;
}

static uint64_t entropy(struct entropy *entropy)
{
    return sim_draw(&CONTAINER_OF(entropy, struct yard, entropy)->world);
}

static void print(struct log *log, enum log_level level, const char *event,
                  const struct log_field *fields, size_t count)
{
    (void)log;
    tell_event("log:", level, event, fields, count);
}

void yard_init(struct yard *y, uint64_t seed)
{
    sim_world_init(&y->world, seed);
    run_now.world = &y->world;
    sim_loop_init(&y->loop, &y->world);
    y->clock = (struct clock){wall, monotonic};
    y->entropy = (struct entropy){entropy};
    y->log = (struct log){print};
    sim_disk_init(&y->disk, &y->loop.timers, sim_draw(&y->world));
    sim_inbox_init(&y->inbox, &y->loop);
    y->ports = (struct ports){.clock = &y->clock,
                              .timers = &y->loop.timers,
                              .entropy = &y->entropy,
                              .disk = &y->disk.disk,
                              .log = &y->log,
                              .inbox = &y->inbox.inbox};
    y->options = (struct spool_log_options){.folder = STR("/spool"),
                                            .segment_size = 16384 * (1 + sim_below(&y->world, 4)),
                                            .inline_limit = 1024 * (1 + sim_below(&y->world, 8))};
}

bool yard_dead(const struct yard *y)
{
    return y->disk.dead;
}

/* False: nothing is left to happen. */
static bool step(struct yard *y)
{
    return sim_step(&y->world, y->world.now + SPAN_S(1).us);
}

void yard_step(struct yard *y, uint64_t events)
{
    while (events-- > 0 && !yard_dead(y) && step(y)) {}
}

void yard_rest(struct yard *y)
{
    for (uint64_t n = 0; !yard_dead(y) && step(y); n++) {
        if (n == MOST_EVENTS) {
            trouble("the spool does not come to rest");
        }
    }
}

void yard_tidy(struct yard *y)
{
    for (unsigned n = 0; !yard_dead(y) && y->spool->ops->tick(y->spool); n++) {
        yard_rest(y);
        if (y->fault_set && n == FAULTY_TICKS) {
            return; /* on a bad disk it tries again and again, as it should */
        }
        if (n == MOST_TICKS) {
            trouble("the housekeeping does not come to an end");
        }
    }
    yard_rest(y);
}

void yard_heal(struct yard *y)
{
    struct sim_disk *d = &y->disk;
    d->cut_at = d->fail_at = d->sync_fails_at = d->write_fails_at = d->syncs_fail_times = 0;
    d->syncs_fail = false;
    d->reads_fail_in = 0;
    d->store.capacity = UINT64_MAX;
    y->fault_set = false;
}

static void gone(struct yard *y)
{
    sim_disk_forget(&y->disk);
    sim_loop_forget(&y->loop);
    sim_inbox_init(&y->inbox, &y->loop);
    y->spool = NULL;
    y->readers = 0;
}

void yard_cut(struct yard *y)
{
    tell("the power is cut");
    sim_disk_cut(&y->disk);
    gone(y);
    sim_disk_restart(&y->disk);
    yard_heal(y);
}

void yard_kill(struct yard *y)
{
    tell("the program is killed");
    sim_disk_killed(&y->disk);
    gone(y);
    yard_heal(y);
}

static void closed(void *owner)
{
    struct yard *y = owner;
    y->ended = true;
    y->spool = NULL;
}

void yard_close(struct yard *y)
{
    tell("the spool is closed");
    while (y->readers > 0 && !yard_dead(y) && step(y)) {}
    if (yard_dead(y)) {
        yard_cut(y);
        return;
    }
    y->ended = false;
    y->spool->ops->close(y->spool, closed, y);
    yard_rest(y);
    if (yard_dead(y)) {
        yard_cut(y);
    } else if (!y->ended) {
        trouble("closing never ends");
    }
}

static void found(struct spool_log_open *op, const struct spool_found *message)
{
    struct yard *y = op->owner;
    tally_found(&y->tally, message);
}

/* What it builds on must not stand in memory alone: the names of its segments, and that some are
 * free. (One in use whose end is told may have no header on the disk: nothing in it counts.) */
static void check_settled(struct yard *y)
{
    LIST_EACH (node, &y->disk.store.names) {
        const struct stored_name *n = CONTAINER_OF(node, struct stored_name, link);
        if (!str_starts(str_from_cstr(n->path), STR("/spool/log/"))) {
            continue;
        }
        if (n->now != n->durable) {
            trouble("the spool is open, and the name %s is not durable", n->path);
        }
        struct segment_header h;
        const struct stored_file *f = n->now;
        if (segment_header_read(str_from(f->now, f->size), &h) == HEADER_OK && !h.in_use &&
            memcmp(f->now, f->durable, SEGMENT_START) != 0) {
            trouble("the spool is open, and that %s is free is not durable", n->path);
        }
    }
}

static void opened(struct spool_log_open *op)
{
    struct yard *y = op->owner;
    y->ended = true;
    if (op->result == 0) {
        check_settled(y);
    }
    y->spool = op->result == 0 ? op->spool : NULL;
}

static void open_it(struct yard *y, bool salvage)
{
    y->open = (struct spool_log_open){.found = found,
                                      .done = opened,
                                      .ports = &y->ports,
                                      .options = y->options,
                                      .salvage = salvage,
                                      .owner = y};
    y->ended = false;
    tally_opening(&y->tally, salvage);
    spool_log_open(&y->open);
    for (uint64_t n = 0; !y->ended && !yard_dead(y); n++) {
        if (n == MOST_EVENTS || !step(y)) {
            trouble("opening never ends");
        }
    }
}

bool yard_open(struct yard *y)
{
    tell("the spool is opened");
    open_it(y, false);
    if (yard_dead(y)) {
        yard_cut(y);
        return false;
    }
    if (y->open.result < 0) {
        tell("%d: %s", y->open.result, y->open.reason);
        if (!y->fault_set) {
            trouble("the spool cannot be opened: %d, %s", y->open.result, y->open.reason);
        }
        yard_heal(y);
        return false;
    }
    tally_opened(&y->tally);
    return true;
}

void yard_open_damaged(struct yard *y)
{
    open_it(y, false);
    if (y->open.result == 0) {
        tell("the damage does no harm");
        tally_opened(&y->tally);
        return;
    }
    tell("%d: %s", y->open.result, y->open.reason);
    if (y->open.result != -EBADMSG || y->open.reason[0] == '\0') {
        trouble("damage makes opening fail with %d, '%s'", y->open.result, y->open.reason);
    }
    open_it(y, true);
    if (y->open.result != 0) {
        trouble("salvage fails with %d, %s", y->open.result, y->open.reason);
    }
    tally_opened(&y->tally);
}
