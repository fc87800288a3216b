#include "path/deliver/connection.h"

#include "path/deliver/tally.h"

#include <stdlib.h>
#include <string.h>

enum { IDLE_MAX = 200 };

static struct span phase_limit(const struct connection *c)
{
    const struct config_deliver *t = &c->times;
    switch (smtp_client_phase(&c->client)) {
    case PHASE_GREETING:
        return t->greeting;
    case PHASE_HELO:
    case PHASE_STARTTLS:
        return t->helo;
    case PHASE_MAIL:
    case PHASE_RSET:
        return t->mail;
    case PHASE_RCPT:
        return t->rcpt;
    case PHASE_DATA_INIT:
        return t->data_init;
    case PHASE_DATA_BLOCK:
        return t->data_block;
    case PHASE_DATA_DONE:
        return t->data_done;
    case PHASE_QUIT:
        return t->quit;
    case PHASE_READY:
        break;
    }
    return t->connection_idle;
}

static void watch(struct connection *c)
{
    struct timers *timers = c->office->ports->timers;
    if (smtp_client_state(&c->client) == CLIENT_CLOSED ||
        (c->changed && smtp_client_state(&c->client) == CLIENT_READY)) {
        timers->cancel(timers, &c->timer);
    } else {
        struct span limit = phase_limit(c);
        bool hurried = c->hurry.us > 0 && c->hurry.us < limit.us;
        timers->arm(timers, &c->timer, hurried ? c->hurry : limit);
    }
}

static void flush(struct connection *c)
{
    if (c->client.out.len > 0 && c->loss == LOSS_NONE) {
        stream_write(c->stream, buf_str(&c->client.out));
    }
    if (smtp_client_state(&c->client) == CLIENT_BODY) {
        buf_clear(&c->client.out);
    } else {
        buf_done(&c->client.out);
    }
}

/* Tells the owner; the last thing that is done with the connection. */
static void tell(struct connection *c)
{
    enum client_state state = smtp_client_state(&c->client);
    if (!c->counted && (state == CLIENT_READY || state == CLIENT_CLOSED)) {
        c->counted = true;
        tally_connection(c);
    }
    if (c->changed) {
        c->changed(c);
    } else if (smtp_client_state(&c->client) == CLIENT_CLOSED) {
        connection_free(c);
    }
}

static void lose(struct connection *c, enum connection_loss loss)
{
    c->loss = loss;
    smtp_client_lost(&c->client);
    watch(c);
}

static const struct stream_events *events(void);

/* The stream becomes TLS's; it is paused. */
static bool begin_tls(struct connection *c)
{
    struct tls *tls = c->office->ports->tls;
    struct tls_want want = {.policy = c->tls, .host = c->host};
    struct stream *stream = tls && tls->connect ? tls->connect(tls, c->stream, &want) : NULL;
    if (!stream) {
        return false;
    }
    stream->owner = c;
    stream->events = events();
    c->stream = stream;
    c->shaking = true;
    return true;
}

static void on_starttls(struct connection *c)
{
    stream_pause(c->stream);
    if (!begin_tls(c)) {
        lose(c, LOSS_TLS);
        return;
    }
    smtp_client_secured(&c->client);
    flush(c); /* waits there for the handshake */
    stream_resume(c->stream);
}

static void on_data(struct stream *stream, struct str bytes)
{
    struct connection *c = stream->owner;
    c->shaking = false;
    smtp_client_feed(&c->client, bytes);
    flush(c);
    if (smtp_client_state(&c->client) == CLIENT_SECURE) {
        on_starttls(c);
    }
    /* A reply that dribbles in is no sign of life; only a whole one is. */
    if (c->client.turns != c->turns || smtp_client_state(&c->client) == CLIENT_CLOSED) {
        c->turns = c->client.turns;
        watch(c);
    }
    tell(c);
}

static void on_end(struct stream *stream, int error)
{
    struct connection *c = stream->owner;
    lose(c, c->shaking ? LOSS_TLS : error ? LOSS_BROKEN : LOSS_ENDED);
    tell(c);
}

static void on_drained(struct stream *stream)
{
    struct connection *c = stream->owner;
    if (smtp_client_state(&c->client) == CLIENT_BODY) {
        watch(c);
        tell(c);
    } else if (smtp_client_phase(&c->client) == PHASE_DATA_DONE) {
        watch(c); /* the ten minutes begin when all is out */
    }
}

static void on_timer(struct timer *timer)
{
    struct connection *c = CONTAINER_OF(timer, struct connection, timer);
    if (!c->changed && smtp_client_state(&c->client) == CLIENT_READY) {
        connection_quit(c);
        return;
    }
    lose(c, c->shaking ? LOSS_TLS : LOSS_TIMEOUT);
    tell(c);
}

static const struct stream_events *events(void)
{
    static const struct stream_events all = {.data = on_data, .end = on_end, .drained = on_drained};
    return &all;
}

struct str connection_tls_trouble(const struct connection *c)
{
    struct tls *tls = c->office->ports->tls;
    struct str why = tls && tls->trouble && c->shaking ? tls->trouble(c->stream) : STR("");
    return why.len > 0 ? why : STR("it did not end in time");
}

/* What the policy means for the client machine. False: no TLS to begin with. */
static bool set_tls(struct connection *c, enum hop_kind kind, const struct tls_policy *policy)
{
    struct smtp_client *client = &c->client;
    const struct tls *tls = c->office->ports->tls;
    bool able = tls && tls->connect && kind == HOP_SMTP;
    c->tls = policy;
    client->tls_wanted = able && policy->level != TLS_NONE;
    client->tls_required = kind == HOP_SMTP && tls_required(policy);
    client->secured = policy->implicit;
    return !policy->implicit || begin_tls(c);
}

struct connection *connection_new(struct deliver_office *office, struct stream *stream,
                                  const struct delivery_job *job, struct str host,
                                  const struct tls_policy *tls)
{
    struct connection *c = calloc(1, sizeof *c + host.len + job->site.len);
    if (!c) {
        stream_abort(stream);
        return NULL;
    }
    char *texts = (char *)(c + 1);
    memcpy(texts, host.len ? host.ptr : "", host.len);
    memcpy(texts + host.len, job->site.len ? job->site.ptr : "", job->site.len);
    c->host = str_from(texts, host.len);
    c->site = str_from(texts + host.len, job->site.len);
    c->office = office;
    c->stream = stream;
    c->peer = stream->peer;
    c->times = job->config->deliver;
    c->messages_max = job->config->queue.connection_messages;
    c->timer.fire = on_timer;
    smtp_client_init(&c->client, job->rcpts[0].hop->kind != HOP_SMTP, job->config->hostname);
    stream->owner = c;
    stream->events = events();
    if (!set_tls(c, job->rcpts[0].hop->kind, tls)) {
        connection_free(c);
        return NULL;
    }
    watch(c);
    stream_resume(c->stream);
    return c;
}

void connection_free(struct connection *c)
{
    if (list_linked(&c->link)) {
        list_remove(&c->link);
        c->office->idle_count--;
    }
    c->office->ports->timers->cancel(c->office->ports->timers, &c->timer);
    /* Between transactions and after a refused greeting there may be a QUIT to send; a message
     * that stopped half-way must not get a tail. */
    if (c->loss == LOSS_NONE) {
        stream_close(c->stream);
    } else {
        stream_abort(c->stream);
    }
    smtp_client_done(&c->client);
    free(c);
}

void connection_start(struct connection *c, struct client_transaction *t)
{
    smtp_client_start(&c->client, t);
    flush(c);
    watch(c);
}

void connection_body(struct connection *c, struct str piece, bool last)
{
    smtp_client_body(&c->client, piece, last);
    flush(c);
    watch(c);
}

bool connection_is_drained(const struct connection *c)
{
    return stream_unsent(c->stream) == 0;
}

void connection_give_up(struct connection *c, enum connection_loss loss)
{
    lose(c, loss);
}

void connection_hurry(struct connection *c, struct span limit)
{
    c->hurry = limit;
    watch(c);
}

/* To the end of the office's list: the longest idle stand first. */
static void become_ownerless(struct connection *c)
{
    c->changed = NULL;
    c->owner = NULL;
    if (!list_linked(&c->link)) {
        list_append(&c->office->idle, &c->link);
        c->office->idle_count++;
    }
}

void connection_quit(struct connection *c)
{
    become_ownerless(c);
    smtp_client_quit(&c->client);
    flush(c);
    watch(c);
    if (smtp_client_state(&c->client) == CLIENT_CLOSED) {
        connection_free(c);
    }
}

bool connection_has_room(const struct connection *c)
{
    uint32_t used = c->client.transactions;
    uint32_t announced = c->client.peer.mail_max;
    return (c->messages_max == 0 || used < c->messages_max) && (announced == 0 || used < announced);
}

void connection_keep(struct connection *c)
{
    struct deliver_office *office = c->office;
    enum client_state state = smtp_client_state(&c->client);
    if (state == CLIENT_CLOSED || (office->stopping && state != CLIENT_READY)) {
        connection_free(c);
        return;
    }
    if (state == CLIENT_READY &&
        (office->stopping || c->times.connection_idle.us <= 0 || !connection_has_room(c))) {
        connection_quit(c);
        return;
    }
    become_ownerless(c);
    watch(c);
    if (office->idle_count > IDLE_MAX) {
        connection_free(CONTAINER_OF(office->idle.next, struct connection, link));
    }
}

struct connection *connection_reuse(struct deliver_office *office, struct str site)
{
    LIST_EACH (node, &office->idle) {
        struct connection *c = CONTAINER_OF(node, struct connection, link);
        if (str_eq(c->site, site) && smtp_client_state(&c->client) == CLIENT_READY &&
            connection_has_room(c)) {
            list_remove(&c->link);
            office->idle_count--;
            office->ports->timers->cancel(office->ports->timers, &c->timer);
            return c;
        }
    }
    return NULL;
}
