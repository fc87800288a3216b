#include "path/deliver/attempt.h"

#include "path/deliver/tally.h"

#include <stdlib.h>

/* After deliver_stop(), the reply to a message that is out whole is awaited for so long. */
static const struct span stop_grace = {5000000};

static const struct next_hop *hop_of(const struct attempt *a)
{
    return a->job->rcpts[0].hop;
}

static size_t count_open(const struct delivery_job *job)
{
    size_t count = 0;
    for (size_t i = 0; i < job->rcpt_count; i++) {
        count += job->rcpts[i].outcome.kind == 0;
    }
    return count;
}

static void settle(struct job_rcpt *rcpt, struct outcome outcome)
{
    outcome.rcpt = rcpt->index;
    rcpt->outcome = outcome;
}

/* Every recipient has an outcome, or gets `trouble`; the job goes home. Never while `waiting`. */
static void finish(struct attempt *a)
{
    struct deliver_office *office = a->office;
    struct delivery_job *job = a->job;
    for (size_t i = 0; i < job->rcpt_count; i++) {
        if (job->rcpts[i].outcome.kind == 0) {
            settle(&job->rcpts[i], a->trouble);
        }
    }
    list_remove(&a->link);
    outgoing_done(&a->outgoing);
    free(a->rcpts);
    free(a->job_rcpts);
    free(a);
    deliver_finish(office, job);
}

static void note_trouble(struct attempt *a, struct outcome trouble)
{
    if (a->trouble.kind == 0 || trouble.kind == OUTCOME_DEFERRED) {
        a->trouble = trouble;
    }
    log_event(a->office->ports->log, LOG_DEBUG, "delivery-trouble", F_STR("site", a->job->site),
              F_STR("host", trouble.host), F_STR("text", trouble.text));
}

static void drop_connection(struct attempt *a)
{
    connection_free(a->connection);
    a->connection = NULL;
    a->prepared = false;
    a->started = false;
}

static void proceed(struct attempt *a);
static void try_host(struct attempt *a);
static void next_host(struct attempt *a);

static void on_changed(struct connection *c)
{
    proceed(c->owner);
}

static void own(struct attempt *a, struct connection *c, bool reused)
{
    c->changed = on_changed;
    c->owner = a;
    a->connection = c;
    a->reused = reused;
    a->open_before = count_open(a->job);
    a->prepared = false;
    a->started = false;
}

static void on_raced(struct happy_eyeballs *race)
{
    struct attempt *a = race->owner;
    a->racing = false;
    if (!race->stream) {
        struct outcome trouble = attempt_trouble(a, race->status, race->text);
        trouble.host = race->host ? race->host->name : race->local_path;
        note_trouble(a, trouble);
        a->host++;
        try_host(a);
        return;
    }
    struct str name = race->host ? race->host->name : race->local_path;
    a->tls.policy.level = a->clear_host == a->host + 1 ? TLS_NONE : a->tls.policy.level;
    struct connection *c = connection_new(a->office, race->stream, a->job, name, &a->tls.policy);
    if (c) {
        own(a, c, false);
        return;
    }
    note_trouble(a, attempt_trouble(a, (struct status_code){4, 3, 0},
                                    STR("this server has no memory left")));
    finish(a);
}

static void connect_host(struct attempt *a)
{
    const struct next_hop *hop = hop_of(a);
    bool local = hop->kind == HOP_LMTP_LOCAL;
    if (a->tls.status.class != 0) {
        struct outcome trouble = attempt_trouble(a, a->tls.status, a->tls.text);
        trouble.host = hop->hosts[a->host].name;
        note_trouble(a, trouble);
        tally_refusal(&a->tls);
        next_host(a);
        return;
    }
    a->racing = true;
    a->race = (struct happy_eyeballs){
        .done = on_raced,
        .ports = a->office->ports,
        .arena = &a->job->arena,
        .host = local ? NULL : &hop->hosts[a->host],
        .local_path = local ? hop->path : (struct str){0},
        .port = hop->port,
        .config = &a->job->config->deliver,
        .owner = a,
    };
    happy_eyeballs_start(&a->race);
}

static void on_tls(struct host_tls_query *query)
{
    struct attempt *a = query->owner;
    a->asking = false;
    connect_host(a);
}

/* Connects to host number a->host, if there is one. */
static void try_host(struct attempt *a)
{
    const struct next_hop *hop = hop_of(a);
    bool local = hop->kind == HOP_LMTP_LOCAL;
    if (a->host >= (local ? 1 : hop->host_count)) {
        if (a->trouble.kind == 0) {
            a->trouble = attempt_trouble(a, (struct status_code){4, 4, 4},
                                         STR("no host is known that takes this mail"));
        }
        finish(a);
        return;
    }
    a->tls = (struct host_tls_query){.done = on_tls,
                                     .ports = a->office->ports,
                                     .arena = &a->job->arena,
                                     .hop = hop,
                                     .host = a->host,
                                     .owner = a};
    a->asking = !host_tls_start(&a->tls);
    if (!a->asking) {
        connect_host(a);
    }
}

/* Gathers the next open recipients; false: none. */
static bool gather(struct attempt *a)
{
    const struct envelope *envelope = a->job->envelope;
    struct clock *clock = a->office->ports->clock;
    uint32_t announced = a->connection->client.peer.rcpt_max;
    size_t most = announced > 0 && announced < a->rcpts_max ? announced : a->rcpts_max;
    size_t count = 0;
    for (size_t i = 0; i < a->job->rcpt_count && count < most; i++) {
        struct job_rcpt *rcpt = &a->job->rcpts[i];
        if (rcpt->outcome.kind == 0) {
            a->rcpts[count] = (struct client_rcpt){
                .address = rcpt->address, .orcpt = rcpt->orcpt, .notify = rcpt->notify};
            a->job_rcpts[count++] = rcpt;
        }
    }
    a->transaction = (struct client_transaction){
        .arena = &a->job->arena,
        .sender = a->job->sender,
        .body = a->outgoing.body,
        .smtputf8 = a->outgoing.smtputf8,
        .require_tls = envelope->require_tls,
        .priority = envelope->priority,
        .by = deliver_by_left(envelope->by, envelope->arrived, clock->wall(clock)),
        .size = a->outgoing.size,
        .ret = envelope->ret,
        .envid = envelope->envid,
        .rcpts = a->rcpts,
        .rcpt_count = count,
    };
    return count > 0;
}

/* Hands out the results of the transaction that ended. True: what is open still may be sent on the
 * same connection; false: only to another host. */
static bool collect(struct attempt *a)
{
    bool accepted = false;
    bool elsewhere = false;
    for (size_t i = 0; i < a->transaction.rcpt_count; i++) {
        accepted = accepted || a->rcpts[i].result.verdict == VERDICT_ACCEPTED;
    }
    const struct client_result *last = NULL;
    struct outcome outcome = {0};
    for (size_t i = 0; i < a->transaction.rcpt_count; i++) {
        const struct client_result *result = &a->rcpts[i].result;
        /* Many recipients share one result: its words are made once. */
        if (!last || last->cause != result->cause || last->text.ptr != result->text.ptr ||
            last->verdict != result->verdict) {
            outcome = attempt_outcome(a, result);
            last = result;
        }
        if (result->other_host) {
            elsewhere = true;
            note_trouble(a, outcome);
        } else if (!(result->again && accepted)) {
            settle(a->job_rcpts[i], outcome);
        }
    }
    a->started = false;
    return !elsewhere;
}

/* No recipient can get the message in any form that this server takes. */
static void refuse(struct attempt *a, enum client_cause cause)
{
    struct client_result result = {
        .verdict = VERDICT_PERMANENT,
        .cause = cause,
        .status = {5, 6, cause == CAUSE_UTF8 ? 7 : 3},
    };
    a->trouble = attempt_outcome(a, &result);
}

/* The message cannot be read or signed: no host can help. */
static void give_up_reading(struct attempt *a)
{
    struct client_result result = {.verdict = VERDICT_TEMPORARY, .cause = CAUSE_LOST};
    connection_give_up(a->connection, LOSS_STOPPED);
    if (a->started) {
        (void)collect(a);
    }
    a->trouble = attempt_outcome(a, &result);
    drop_connection(a);
    finish(a);
}

static void on_outgoing(struct outgoing *o)
{
    struct attempt *a = o->owner;
    a->waiting = false;
    proceed(a);
}

static void next_host(struct attempt *a)
{
    a->host++;
    try_host(a);
}

/* What the end of a connection means beyond the results of a transaction. */
static void note_failure(struct attempt *a)
{
    struct client_result failure = a->connection->client.failure;
    if (failure.verdict == VERDICT_OPEN) {
        failure = (struct client_result){
            .verdict = VERDICT_TEMPORARY, .cause = CAUSE_LOST, .phase = PHASE_READY};
    }
    failure.text = arena_copy(&a->job->arena, failure.text);
    note_trouble(a, attempt_outcome(a, &failure));
}

/* The connection is over. The same host is tried again where the connection may just have been
 * stale, or ended after it did some good; so every further connection is one host or recipient
 * nearer to the end. */
static void on_closed(struct attempt *a)
{
    bool stale = a->reused && (!a->started || !a->transaction.heard);
    bool stopped = a->connection->loss == LOSS_STOPPED;
    bool in_clear = a->connection->loss == LOSS_TLS && !tls_required(&a->tls.policy);
    bool elsewhere = false;
    if (a->started && !stale) {
        elsewhere = !collect(a);
    } else if (!stale) {
        note_failure(a);
    }
    size_t open = count_open(a->job);
    bool some_good = open < a->open_before;
    drop_connection(a);
    if (stopped) {
        a->trouble = attempt_trouble(a, (struct status_code){4, 3, 2},
                                     STR("this server was stopped during the delivery"));
    }
    if (stopped || open == 0) {
        finish(a);
    } else if (in_clear) {
        a->clear_host = a->host + 1;
        try_host(a);
    } else if (stale) {
        a->host = 0;
        try_host(a);
    } else if (some_good && !elsewhere) {
        try_host(a);
    } else {
        next_host(a);
    }
}

/* READY: the next transaction, or none. True: go on looking at the connection's state. */
static bool on_ready(struct attempt *a)
{
    if (a->started && !collect(a)) {
        connection_quit(a->connection);
        a->connection = NULL;
        next_host(a);
        return false;
    }
    if (count_open(a->job) == 0) {
        connection_keep(a->connection);
        a->connection = NULL;
        finish(a);
        return false;
    }
    if (!connection_has_room(a->connection)) {
        connection_quit(a->connection);
        a->connection = NULL;
        try_host(a);
        return false;
    }
    if (!a->prepared) {
        a->prepared = true;
        a->waiting = !outgoing_prepare(&a->outgoing, &a->connection->client.peer);
        return !a->waiting;
    }
    if (a->outgoing.refusal != CAUSE_REPLY) {
        refuse(a, a->outgoing.refusal);
        connection_keep(a->connection);
        a->connection = NULL;
        finish(a);
        return false;
    }
    outgoing_rewind(&a->outgoing);
    a->started = gather(a);
    connection_start(a->connection, &a->transaction);
    return true;
}

/* BODY: sends what was read, and asks for more once that is taken. True: go on. */
static bool on_body(struct attempt *a)
{
    struct outgoing *o = &a->outgoing;
    if (o->piece.len > 0 || o->last) {
        struct str piece = o->piece;
        o->piece = (struct str){0};
        connection_body(a->connection, piece, o->last);
        return true;
    }
    if (!connection_is_drained(a->connection)) {
        return false;
    }
    a->waiting = !outgoing_next(o);
    return !a->waiting;
}

static void proceed(struct attempt *a)
{
    bool more = true;
    while (more) {
        enum client_state state = smtp_client_state(&a->connection->client);
        if (a->outgoing.error != 0 && !a->waiting) {
            give_up_reading(a);
            return;
        }
        if (state == CLIENT_CLOSED && !a->waiting) {
            on_closed(a);
            return;
        }
        if (a->waiting || state == CLIENT_TALKING || state == CLIENT_SECURE) {
            return;
        }
        more = state == CLIENT_READY ? on_ready(a) : on_body(a);
    }
}

void attempt_start(struct deliver_office *office, struct delivery_job *job)
{
    struct attempt *a = calloc(1, sizeof *a);
    uint32_t most = job->config->deliver.transaction_recipients;
    size_t max = most > 0 && most < job->rcpt_count ? most : job->rcpt_count;
    struct client_rcpt *rcpts = calloc(max, sizeof *rcpts);
    struct job_rcpt **job_rcpts = calloc(max, sizeof(struct job_rcpt *));
    if (!a || !rcpts || !job_rcpts) {
        free(a);
        free(rcpts);
        free(job_rcpts);
        deliver_defer(office, job, (struct status_code){4, 3, 0},
                      STR("this server has no memory left"));
        return;
    }
    a->office = office;
    a->job = job;
    a->rcpts = rcpts;
    a->job_rcpts = job_rcpts;
    a->rcpts_max = max;
    a->outgoing = (struct outgoing){
        .ready = on_outgoing, .office = office, .job = job, .signs = true, .owner = a};
    list_append(&office->attempts, &a->link);
    struct connection *c = connection_reuse(office, job->site);
    if (c) {
        const struct next_hop *hop = hop_of(a);
        for (size_t i = 0; i < hop->host_count; i++) {
            a->host = str_eq(hop->hosts[i].name, c->host) ? i : a->host;
        }
        own(a, c, true);
        proceed(a);
    } else {
        try_host(a);
    }
}

void attempt_stop(struct attempt *a)
{
    if (a->connection && a->started && a->transaction.ended) {
        connection_hurry(a->connection, stop_grace);
        return;
    }
    a->trouble = attempt_trouble(a, (struct status_code){4, 3, 2},
                                 STR("this server was stopped during the delivery"));
    if (a->asking) {
        host_tls_cancel(&a->tls);
        a->asking = false;
        finish(a);
    } else if (a->racing) {
        happy_eyeballs_cancel(&a->race);
        a->racing = false;
        finish(a);
    } else if (a->connection) {
        connection_give_up(a->connection, LOSS_STOPPED);
        if (!a->waiting) {
            on_closed(a);
        }
    }
}
