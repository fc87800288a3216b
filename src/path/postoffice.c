#include "path/postoffice.h"

#include "path/route/route.h"
#include "path/spool/log.h"

#include <errno.h>
#include <stdlib.h>

enum {
    DRAFT_MEMORY = 1024 * 1024,
    TICK_BUSY_MS = 5,
    TICK_IDLE_MS = 500,
};

struct postoffice {
    const struct ports *ports;
    const struct config *config; /* held */
    struct spool_log_open opening;
    struct spool *spool;
    struct queue *queue;
    struct report_office reports;
    struct draft_office drafts;
    struct queue_id_maker ids;
    struct sts_office *sts;
    struct timer tick;
    struct hash_seed site_seed;
    size_t next_branch; /* for jobs that may go to any */
    struct crowd crowd;
    size_t orders_out;
    bool queue_stopped;
    int failure; /* of opening */
    char reason[256];
    void (*opened)(void *owner, int result, struct str reason);
    void *opened_owner;
    void (*closed)(void *owner);
    void *closed_owner;
    size_t branch_count;
    struct branch branches[BRANCHES_MAX];
    struct branch_order orders[BRANCHES_MAX];
};

static void message_committed(void *owner, const struct envelope *envelope)
{
    struct postoffice *office = owner;
    queue_arrived(office->queue, envelope);
}

/* The queue's hands. */

struct way {
    struct route_query query;
    struct queue_route *ask;
};

static void way_found(struct route_query *query)
{
    struct way *way = CONTAINER_OF(query, struct way, query);
    struct queue_route *ask = way->ask;
    ask->result = query->result;
    free(way);
    ask->done(ask);
}

static void no_memory_for_way(struct timer *timer)
{
    struct queue_route *ask = CONTAINER_OF(timer, struct queue_route, timer);
    ask->result = (struct routing){
        .verdict = ROUTING_DEFER, .status = {4, 3, 0}, .text = STR("out of memory")};
    ask->done(ask);
}

static void route(void *owner, struct queue_route *ask)
{
    struct postoffice *office = owner;
    struct way *way = calloc(1, sizeof *way);
    if (!way) {
        ask->timer.fire = no_memory_for_way;
        office->ports->timers->arm(office->ports->timers, &ask->timer, SPAN_MS(100));
        return;
    }
    way->ask = ask;
    way->query = (struct route_query){
        .done = way_found,
        .ports = office->ports,
        .config = ask->config,
        .arena = ask->arena,
        .address = ask->address,
        .silent = true,
        .sender = ask->envelope->reverse_path,
        .sts = office->sts,
        .require_tls = ask->envelope->require_tls,
        .tls_optional = ask->envelope->tls_optional,
    };
    route_start(&way->query);
}

/* Mail to one site goes over one branch, which has that site's connections; a Maildir can be
 * written from any. */
static struct branch *branch_for(struct postoffice *office, const struct delivery_job *job)
{
    if (job->rcpts[0].hop->kind == HOP_MAILDIR) {
        return &office->branches[office->next_branch++ % office->branch_count];
    }
    return &office->branches[hash_bytes(office->site_seed, job->site) % office->branch_count];
}

static void deliver(void *owner, struct delivery_job *job)
{
    branch_deliver(branch_for(owner, job), job);
}

static void report(void *owner, struct queue_report *ask)
{
    struct postoffice *office = owner;
    report_make(&office->reports, ask);
}

/* Orders to all branches; the last that comes back goes on. */

static void order_all(struct postoffice *office, enum branch_order_kind kind,
                      void (*done)(struct branch_order *order))
{
    office->orders_out = office->branch_count;
    for (size_t i = 0; i < office->branch_count; i++) {
        office->orders[i] = (struct branch_order){
            .kind = kind, .config = office->config, .done = done, .owner = office};
        branch_order(&office->branches[i], &office->orders[i]);
    }
}

/* Opening: the spool, then the queue from what it holds, then the branches. */

static void postoffice_free(struct postoffice *office)
{
    office->ports->timers->cancel(office->ports->timers, &office->tick);
    queue_free(office->queue);
    config_drop(office->config);
    free(office);
}

static void spool_closed(void *owner)
{
    struct postoffice *office = owner;
    void (*opened)(void *, int, struct str) = office->opened;
    void (*closed)(void *) = office->closed;
    void *opened_owner = office->opened_owner;
    void *closed_owner = office->closed_owner;
    int failure = office->failure;
    struct str reason = str_from_cstr(office->reason);
    if (failure != 0) {
        opened(opened_owner, failure, reason);
    }
    postoffice_free(office);
    if (closed) {
        closed(closed_owner);
    }
}

static void branch_closed(struct branch_order *order)
{
    struct postoffice *office = order->owner;
    if (--office->orders_out == 0) {
        office->ports->timers->cancel(office->ports->timers, &office->tick);
        office->spool->ops->close(office->spool, spool_closed, office);
    }
}

static void close_when_still(struct postoffice *office)
{
    if (office->orders_out == 0 && office->queue_stopped) {
        order_all(office, BRANCH_CLOSE, branch_closed);
    }
}

static void branch_drained(struct branch_order *order)
{
    struct postoffice *office = order->owner;
    office->orders_out--;
    close_when_still(office);
}

static void queue_is_still(void *owner)
{
    struct postoffice *office = owner;
    office->queue_stopped = true;
    close_when_still(office);
}

static void drain(struct postoffice *office)
{
    order_all(office, BRANCH_DRAIN, branch_drained);
    queue_stop(office->queue, queue_is_still, office);
}

static void set_reason(struct postoffice *office, struct str reason)
{
    size_t len = reason.len < sizeof office->reason ? reason.len : sizeof office->reason - 1;
    for (size_t i = 0; i < len; i++) {
        office->reason[i] = reason.ptr[i];
    }
    office->reason[len] = '\0';
}

static void tell_listener(struct postoffice *office, const struct config_listen *listen, int error)
{
    struct buf text = {0};
    if (listen && listen->local_path.len > 0) {
        buf_add(&text, listen->local_path);
    } else if (listen) {
        endpoint_format(&text, listen->at);
    }
    if (error == 0) {
        log_event(office->ports->log, LOG_INFO, "listening", F_STR("address", buf_str(&text)));
    } else {
        struct buf words = {0};
        buf_add(&words, STR("cannot listen at "));
        buf_add(&words, buf_str(&text));
        set_reason(office, buf_str(&words));
        buf_done(&words);
    }
    buf_done(&text);
}

static void branch_opened(struct branch_order *order)
{
    struct postoffice *office = order->owner;
    if (order->result != 0 && office->failure == 0) {
        office->failure = order->result;
        tell_listener(office, order->failed, order->result);
    }
    if (--office->orders_out > 0) {
        return;
    }
    if (office->failure != 0) {
        drain(office);
        return;
    }
    for (size_t i = 0; i < office->config->listen_count; i++) {
        tell_listener(office, &office->config->listens[i], 0);
    }
    queue_start(office->queue);
    office->opened(office->opened_owner, 0, STR(""));
}

static void keep_house(struct timer *timer)
{
    struct postoffice *office = CONTAINER_OF(timer, struct postoffice, tick);
    bool more = office->spool->ops->tick(office->spool);
    office->ports->timers->arm(office->ports->timers, timer,
                               SPAN_MS(more ? TICK_BUSY_MS : TICK_IDLE_MS));
}

static bool have_queue(struct postoffice *office)
{
    struct queue_hands hands = {
        .route = route, .deliver = deliver, .report = report, .owner = office};
    if (!office->queue) {
        office->queue = queue_new(office->ports, office->opening.spool, office->config, hands);
    }
    return office->queue != NULL;
}

static void message_found(struct spool_log_open *op, const struct spool_found *message)
{
    struct postoffice *office = CONTAINER_OF(op, struct postoffice, opening);
    if (office->failure == 0 && (!have_queue(office) || !queue_found(office->queue, message))) {
        office->failure = -ENOMEM;
        set_reason(office, STR("out of memory while taking up the queue"));
    }
}

static void make_branches(struct postoffice *office)
{
    struct entropy *entropy = office->ports->entropy;
    crowd_init(&office->crowd, (struct hash_seed){entropy->u64(entropy), entropy->u64(entropy)});
    for (size_t i = 0; i < office->branch_count; i++) {
        struct branch *branch = &office->branches[i];
        branch->home = office->ports->inbox;
        branch->spool = office->spool;
        branch->spool_folder = office->config->spool_path;
        branch->number = (uint8_t)(i + 1);
        branch->crowd = &office->crowd;
        branch->committed = message_committed;
        branch->owner = office;
    }
}

static void spool_opened(struct spool_log_open *op)
{
    struct postoffice *office = CONTAINER_OF(op, struct postoffice, opening);
    if (op->result != 0) {
        office->failure = op->result;
        set_reason(office, str_from_cstr(op->reason));
        spool_closed(office);
        return;
    }
    office->spool = op->spool;
    if (office->failure != 0 || !have_queue(office)) {
        office->failure = -ENOMEM;
        office->spool->ops->close(office->spool, spool_closed, office);
        return;
    }
    office->reports = (struct report_office){.ports = office->ports,
                                             .spool = office->spool,
                                             .ids = &office->ids,
                                             .committed = message_committed,
                                             .owner = office};
    office->drafts = (struct draft_office){.ports = office->ports,
                                           .home = office->ports->inbox,
                                           .spool = office->spool,
                                           .folder = office->config->spool_path,
                                           .memory_each = DRAFT_MEMORY,
                                           .memory_all = 16 * (size_t)DRAFT_MEMORY,
                                           .committed = message_committed,
                                           .owner = office};
    keep_house(&office->tick);
    make_branches(office);
    order_all(office, BRANCH_OPEN, branch_opened);
}

struct postoffice *postoffice_open(const struct postoffice_options *options)
{
    struct postoffice *office = calloc(1, sizeof *office);
    if (!office) {
        return NULL;
    }
    struct entropy *entropy = options->home->entropy;
    office->ports = options->home;
    office->sts = options->sts;
    office->config = config_hold(options->config);
    office->opened = options->opened;
    office->opened_owner = options->owner;
    office->tick.fire = keep_house;
    office->site_seed = (struct hash_seed){entropy->u64(entropy), entropy->u64(entropy)};
    office->branch_count = options->branch_count;
    for (size_t i = 0; i < options->branch_count; i++) {
        office->branches[i].ports = options->branches[i];
        office->branches[i].draft_memory = options->draft_memory;
    }
    office->opening = (struct spool_log_open){
        .found = message_found,
        .done = spool_opened,
        .ports = office->ports,
        .options = {.folder = office->config->spool_path,
                    .segment_size = options->segment_size,
                    .reserve = office->config->spool_reserve,
                    .inline_limit = options->inline_limit},
        .salvage = options->salvage,
    };
    spool_log_open(&office->opening);
    return office;
}

/* A reload's orders are its own: two may be under way. */

struct reload {
    const struct config *config; /* held */
    size_t out;
    struct branch_order orders[BRANCHES_MAX];
};

static void branch_reloaded(struct branch_order *order)
{
    struct reload *reload = order->owner;
    if (--reload->out == 0) {
        config_drop(reload->config);
        free(reload);
    }
}

void postoffice_reload(struct postoffice *office, const struct config *config)
{
    struct reload *reload = calloc(1, sizeof *reload);
    if (!reload) {
        log_event(office->ports->log, LOG_ERROR, "reload-failed",
                  F_STR("reason", STR("out of memory")));
        return;
    }
    reload->config = config_hold(config);
    reload->out = office->branch_count;
    for (size_t i = 0; i < office->branch_count; i++) {
        reload->orders[i] = (struct branch_order){
            .kind = BRANCH_RELOAD, .config = config, .done = branch_reloaded, .owner = reload};
        branch_order(&office->branches[i], &reload->orders[i]);
    }
    queue_reload(office->queue, config);
    config_drop(office->config);
    office->config = config_hold(config);
}

void postoffice_close(struct postoffice *office, void (*closed)(void *owner), void *owner)
{
    office->closed = closed;
    office->closed_owner = owner;
    drain(office);
}

struct queue *postoffice_queue(struct postoffice *office)
{
    return office->queue;
}

struct spool *postoffice_spool(struct postoffice *office)
{
    return office->spool;
}

struct draft_office *postoffice_drafts(struct postoffice *office)
{
    return &office->drafts;
}

struct queue_id_maker *postoffice_ids(struct postoffice *office)
{
    return &office->ids;
}
