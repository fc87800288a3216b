#include "crash/machine.h"

#include "config/load.h"
#include "crash/trouble.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const int64_t wall_start = INT64_C(1800000000) * 1000000;

enum { SEGMENT = 64 * 1024, INLINE = 8 * 1024 };

static struct instant wall(struct clock *clock)
{
    const struct machine *m = CONTAINER_OF(clock, struct machine, clock);
    return (struct instant){wall_start + m->world->now + m->wall_offset};
}

static int64_t monotonic(struct clock *clock)
{
    return CONTAINER_OF(clock, struct machine, clock)->world->now + 1000000;
}

static uint64_t entropy(struct entropy *entropy)
{
    return sim_draw(CONTAINER_OF(entropy, struct machine, entropy)->world);
}

static void log_print(struct log *log, enum log_level level, const char *event,
                      const struct log_field *fields, size_t count)
{
    const struct machine *m = CONTAINER_OF(log, struct machine, log);
    tell_event(m->name, level, event, fields, count);
}

static void restart_later(struct machine *m, struct span after)
{
    m->power.timers.arm(&m->power.timers, &m->boot, after);
}

static void opened(void *owner, int result, struct str reason)
{
    struct machine *m = owner;
    if (result == 0) {
        m->open = true;
        tell("%s is open", m->name);
        return;
    }
    /* Only what cannot be read may pass for damage, and only while the disk reads badly. */
    if (!m->fault_set && !m->disk.dead) {
        trouble("%s cannot open its spool: %d, %.*s", m->name, result, STR_ARG(reason));
    }
    tell("%s failed to open: %.*s", m->name, STR_ARG(reason));
    m->office = NULL;
    m->ledger->excuses++;
    m->disk.fail_at = m->disk.sync_fails_at = m->disk.write_fails_at = 0;
    m->disk.syncs_fail_times = m->disk.reads_fail_in = 0;
    m->fault_set = false;
    restart_later(m, SPAN_S(1));
}

static void set_times(struct config *c)
{
    struct config_deliver *d = &c->deliver;
    d->connect = SPAN_S(4);
    d->greeting = d->helo = d->mail = d->rcpt = d->data_init = d->data_block = SPAN_S(6);
    d->data_done = SPAN_S(8);
    d->quit = SPAN_S(2);
    d->transaction_recipients = 2;
    c->queue.site_connections = 3;
    c->queue.connection_messages = 5;
    c->limits.idle = c->limits.data_idle = SPAN_S(20);
    c->limits.message = 40000;
    c->limits.recipients = 3;
    c->limits.connections = 12;
    c->spool_reserve = 0;
}

static void load_config(struct machine *m)
{
    struct config_problems problems = {0};
    struct config_source source = {
        .file = STR("/etc/sim.yaml"), .text = str_from_cstr(m->config_text), .text_only = true};
    int result = config_load(&source, &m->config, &problems);
    if (result != 0) {
        config_problems_print(&problems, stdout);
        trouble("the configuration of %s is wrong", m->name);
    }
    config_problems_done(&problems);
    set_times(m->config);
}

void machine_start(struct machine *m)
{
    m->boots++;
    m->open = m->closing = false;
    for (size_t i = 0; i < MACHINE_LOOPS; i++) {
        sim_inbox_init(&m->inboxes[i], &m->loop);
        m->ports[i] = (struct ports){
            .clock = &m->clock,
            .timers = &m->loop.timers,
            .entropy = &m->entropy,
            .disk = &m->disk.disk,
            .net = &m->host.net,
            .resolver = &m->resolver.resolver,
            .log = &m->log,
            .inbox = &m->inboxes[i].inbox,
        };
    }
    m->branches[0] = &m->ports[1];
    m->branches[1] = &m->ports[2];
    sim_resolver_init(&m->resolver, &m->loop.timers, m->zone);
    struct postoffice_options options = {
        .config = m->config,
        .home = &m->ports[0],
        .branches = m->branches,
        .branch_count = 1 + sim_below(m->world, MACHINE_LOOPS - 1),
        .segment_size = SEGMENT,
        .inline_limit = INLINE,
        .draft_memory = INLINE,
        .opened = opened,
        .owner = m,
    };
    tell("%s starts", m->name);
    m->office = postoffice_open(&options);
}

static void boot(struct timer *timer)
{
    machine_start(CONTAINER_OF(timer, struct machine, boot));
}

void machine_init(struct machine *m, struct sim_world *w, struct sim_wire *wire, const char *ip)
{
    m->world = w;
    m->clock = (struct clock){wall, monotonic};
    m->entropy = (struct entropy){entropy};
    m->log = (struct log){log_print};
    m->boot.fire = boot;
    sim_loop_init(&m->loop, w);
    sim_loop_init(&m->power, w);
    sim_host_init(&m->host, wire, ip, "");
    sim_disk_init(&m->disk, &m->loop.timers, sim_draw(w));
    m->disk.clock = &m->clock;
    load_config(m);
}

static void gone(struct machine *m)
{
    sim_host_cut(&m->host);
    sim_disk_forget(&m->disk);
    sim_resolver_done(&m->resolver);
    sim_loop_forget(&m->loop);
    m->office = NULL;
    m->open = m->closing = false;
    m->ledger->excuses++;
    restart_later(m, (struct span){(int64_t)sim_below(m->world, 4000000)});
}

void machine_cut(struct machine *m)
{
    if (m->office || m->disk.dead) {
        tell("%s loses power", m->name);
        m->cuts++;
        sim_disk_cut(&m->disk);
        gone(m);
        sim_disk_restart(&m->disk);
        m->fault_set = false;
        m->seen_count = 0;
    }
}

void machine_kill(struct machine *m)
{
    if (m->office) {
        tell("%s is killed", m->name);
        m->kills++;
        sim_disk_killed(&m->disk);
        gone(m);
    }
}

static void closed(void *owner)
{
    struct machine *m = owner;
    tell("%s is closed", m->name);
    m->office = NULL;
    m->open = m->closing = false;
    restart_later(m, SPAN_MS(200));
}

void machine_stop(struct machine *m)
{
    if (m->office && m->open && !m->closing) {
        tell("%s stops", m->name);
        m->stops++;
        m->closing = true;
        m->ledger->excuses++; /* a delivery that is broken off is made again */
        postoffice_close(m->office, closed, m);
    }
}

/* The recipient whose mailbox "/mail/DOMAIN/LOCAL/new/FILE" is in. */
static bool mailbox_of(struct str path, char *rcpt, size_t size)
{
    struct str rest = path;
    (void)str_split(&rest, '/');
    struct str root = str_split(&rest, '/');
    struct str domain = str_split(&rest, '/');
    struct str local = str_split(&rest, '/');
    struct str folder = str_split(&rest, '/');
    if (!str_eq(root, STR("mail")) || !str_eq(folder, STR("new")) || rest.len == 0) {
        return false;
    }
    (void)snprintf(rcpt, size, "%.*s@%.*s", STR_ARG(local), STR_ARG(domain));
    return true;
}

static uint64_t hash_of(struct str path)
{
    uint64_t hash = 14695981039346656037U; /* FNV-1a */
    for (size_t i = 0; i < path.len; i++) {
        hash = (hash ^ (uint8_t)path.ptr[i]) * 1099511628211U;
    }
    return hash;
}

static bool seen(struct machine *m, struct str path)
{
    uint64_t hash = hash_of(path);
    for (unsigned i = 0; i < m->seen_count; i++) {
        if (m->seen[i] == hash) {
            return true;
        }
    }
    if (m->seen_count == MACHINE_FILES) {
        trouble("%s has more than %d messages in its mailboxes", m->name, MACHINE_FILES);
    }
    m->seen[m->seen_count++] = hash;
    return false;
}

static void walk_mailboxes(struct machine *m, bool only_new)
{
    char rcpt[128];
    LIST_EACH (node, &m->disk.store.names) {
        struct stored_name *n = CONTAINER_OF(node, struct stored_name, link);
        struct str path = str_from_cstr(n->path);
        if (!n->now || n->now->is_folder || !mailbox_of(path, rcpt, sizeof rcpt) ||
            (only_new && seen(m, path))) {
            continue;
        }
        ledger_arrived(m->ledger, rcpt, str_from(n->now->size ? n->now->now : "", n->now->size));
    }
}

void machine_look(struct machine *m)
{
    if (m->disk.dead) {
        machine_cut(m);
    }
    if (m->disk.renames != m->renames_seen) {
        m->renames_seen = m->disk.renames;
        m->ledger->only_looking = true;
        walk_mailboxes(m, true);
        m->ledger->only_looking = false;
    }
}

void machine_count(struct machine *m)
{
    walk_mailboxes(m, false);
}

bool machine_idle(const struct machine *m)
{
    struct spool_usage usage;
    if (!m->office || !m->open || m->closing) {
        return false;
    }
    struct spool *spool = postoffice_spool(m->office);
    spool->ops->usage(spool, &usage);
    return usage.messages == 0;
}
