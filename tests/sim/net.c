#include "sim/net.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* What travels: bytes, or a connection's end. Queued at the receiver. */
struct packet {
    struct list link;
    bool is_end;
    int error;
    size_t len, taken;
    char bytes[];
};

/* One end of a connection. */
struct end {
    struct stream stream;
    struct sim_wire *wire;
    struct sim_host *host; /* null: of a pair */
    struct end *other;     /* null: closed */
    struct list link;
    struct list incoming;
    struct timer arrive;
    struct timer drain;
    struct span delay;
    size_t queued;     /* octets in `incoming` */
    uint64_t position; /* octets that reached this end */
    bool paused;
    bool armed;
    bool deaf;       /* nothing arrives here */
    bool was_unsent; /* drained() is due */
    size_t piece, split, cut;
};

struct listening {
    struct list link;
    struct net_listener *listener;
};

struct flight {
    struct list link;
    struct sim_host *host;
    struct net_connect *op;
    struct timer timer;
    struct sim_fault fault; /* as it was when the connect began */
    struct end *made;       /* the connecting end, once accepted */
};

static void arm_arrival(struct end *e, struct span after)
{
    if (!e->paused && !e->armed && !e->deaf && !list_empty(&e->incoming)) {
        e->armed = true;
        e->wire->timers->arm(e->wire->timers, &e->arrive, after);
    }
}

static struct packet *packet_new(struct str bytes)
{
    struct packet *p = calloc(1, sizeof *p + bytes.len);
    if (!p) {
        abort();
    }
    memcpy(p->bytes, bytes.len ? bytes.ptr : "", bytes.len);
    p->len = bytes.len;
    return p;
}

static void clear_incoming(struct end *e)
{
    for (struct list *node; (node = list_pop(&e->incoming)) != NULL;) {
        free(CONTAINER_OF(node, struct packet, link));
    }
    e->queued = 0;
}

static void send_end(struct end *to, int error)
{
    struct packet *p = packet_new(STR(""));
    p->is_end = true;
    p->error = error;
    if (error) {
        clear_incoming(to);
        to->deaf = false;
    }
    list_append(&to->incoming, &p->link);
    arm_arrival(to, to->delay);
}

static void end_free(struct end *e)
{
    if (e->other) {
        e->other->other = NULL;
    }
    e->wire->timers->cancel(e->wire->timers, &e->arrive);
    e->wire->timers->cancel(e->wire->timers, &e->drain);
    clear_incoming(e);
    list_remove(&e->link);
    free(e);
}

static size_t unsent(const struct stream *stream)
{
    const struct end *e = CONTAINER_OF((struct stream *)(uintptr_t)stream, struct end, stream);
    if (!e->other || e->other->queued <= e->wire->window) {
        return 0;
    }
    return e->other->queued - e->wire->window;
}

bool sim_stream_held(const struct stream *stream)
{
    const struct end *e = CONTAINER_OF((struct stream *)(uintptr_t)stream, struct end, stream);
    return e->other != NULL;
}

static void note_taken(struct end *receiver, size_t octets)
{
    struct end *sender = receiver->other;
    receiver->queued -= octets;
    receiver->position += octets;
    if (sender && sender->was_unsent && unsent(&sender->stream) == 0) {
        sender->was_unsent = false;
        sender->wire->timers->arm(sender->wire->timers, &sender->drain, SPAN_MS(0));
    }
}

/* How many octets the next data() brings. */
static size_t next_piece(const struct end *e, size_t left)
{
    size_t n = e->piece > 0 && e->piece < left ? e->piece : left;
    if (e->split > e->position && e->position + n > e->split) {
        n = (size_t)(e->split - e->position);
    }
    if (e->cut > e->position && e->position + n > e->cut) {
        n = (size_t)(e->cut - e->position);
    }
    return n;
}

static void deliver_bytes(struct end *e, struct packet *p)
{
    size_t n = next_piece(e, p->len - p->taken);
    struct packet *piece = packet_new(str_from(p->bytes + p->taken, n));
    p->taken += n;
    if (p->taken == p->len) {
        list_remove(&p->link);
        free(p);
    }
    note_taken(e, n);
    if (e->cut > 0 && e->position == e->cut) {
        if (e->other) {
            send_end(e->other, -ECONNRESET);
            e->other->other = NULL;
            e->other = NULL;
        }
        send_end(e, -ECONNRESET);
    }
    arm_arrival(e, SPAN_MS(0));
    /* The owner may close the stream in this call: nothing of it is touched after. */
    e->stream.events->data(&e->stream, str_from(piece->bytes, n));
    free(piece);
}

static void on_arrive(struct timer *timer)
{
    struct end *e = CONTAINER_OF(timer, struct end, arrive);
    struct packet *p = CONTAINER_OF(e->incoming.next, struct packet, link);
    e->armed = false;
    if (!p->is_end) {
        deliver_bytes(e, p);
        return;
    }
    int error = p->error;
    list_remove(&p->link);
    free(p);
    e->stream.events->end(&e->stream, error);
}

static void on_drain(struct timer *timer)
{
    struct end *e = CONTAINER_OF(timer, struct end, drain);
    if (e->stream.events->drained) {
        e->stream.events->drained(&e->stream);
    }
}

static void write_bytes(struct stream *stream, struct str bytes)
{
    struct end *e = CONTAINER_OF(stream, struct end, stream);
    struct end *to = e->other;
    if (to && bytes.len > 0) {
        struct packet *p = packet_new(bytes);
        list_append(&to->incoming, &p->link);
        to->queued += bytes.len;
        arm_arrival(to, to->delay);
    }
    size_t left = unsent(stream);
    e->was_unsent = left > 0;
    e->wire->unsent_most = left > e->wire->unsent_most ? left : e->wire->unsent_most;
    if (!e->was_unsent) {
        e->wire->timers->arm(e->wire->timers, &e->drain, SPAN_MS(0));
    }
}

static void pause_stream(struct stream *stream)
{
    struct end *e = CONTAINER_OF(stream, struct end, stream);
    e->paused = true;
    e->armed = false;
    e->wire->timers->cancel(e->wire->timers, &e->arrive);
}

static void resume_stream(struct stream *stream)
{
    struct end *e = CONTAINER_OF(stream, struct end, stream);
    e->paused = false;
    arm_arrival(e, SPAN_MS(0));
}

static void close_stream(struct stream *stream)
{
    struct end *e = CONTAINER_OF(stream, struct end, stream);
    if (e->other) {
        send_end(e->other, 0);
    }
    end_free(e);
}

static void abort_stream(struct stream *stream)
{
    struct end *e = CONTAINER_OF(stream, struct end, stream);
    if (e->other) {
        send_end(e->other, -ECONNRESET);
    }
    end_free(e);
}

static struct end *end_new(struct sim_wire *wire, struct sim_host *host)
{
    static const struct stream_ops ops = {
        .write = write_bytes,
        .unsent = unsent,
        .pause = pause_stream,
        .resume = resume_stream,
        .close = close_stream,
        .abort = abort_stream,
    };
    struct end *e = calloc(1, sizeof *e);
    if (!e) {
        abort();
    }
    e->stream.ops = &ops;
    e->wire = wire;
    e->host = host;
    e->delay = wire->delay;
    e->paused = true;
    e->arrive.fire = on_arrive;
    e->drain.fire = on_drain;
    list_init(&e->incoming);
    list_append(&wire->ends, &e->link);
    return e;
}

static void join(struct end *a, struct end *b)
{
    a->other = b;
    b->other = a;
}

struct sim_pair sim_stream_pair(struct sim_wire *wire)
{
    struct end *a = end_new(wire, NULL);
    struct end *b = end_new(wire, NULL);
    join(a, b);
    return (struct sim_pair){&a->stream, &b->stream};
}

static bool is_loopback(struct ip ip)
{
    static const uint8_t one[16] = {[15] = 1};
    return ip.family == IP_V4 ? ip.bytes[0] == 127
                              : ip.family == IP_V6 && memcmp(ip.bytes, one, sizeof one) == 0;
}

static bool is_any(struct ip ip)
{
    static const uint8_t zero[16] = {0};
    return memcmp(ip.bytes, zero, sizeof zero) == 0;
}

static struct sim_host *host_at(struct sim_host *from, struct ip ip)
{
    if (is_loopback(ip)) {
        return from;
    }
    LIST_EACH (node, &from->wire->hosts) {
        struct sim_host *host = CONTAINER_OF(node, struct sim_host, link);
        if (ip_eq(host->ip4, ip) || ip_eq(host->ip6, ip)) {
            return host;
        }
    }
    return NULL;
}

static struct net_listener *listener_at(struct sim_host *host, const struct net_connect *op)
{
    LIST_EACH (node, &host->listeners) {
        struct net_listener *l = CONTAINER_OF(node, struct listening, link)->listener;
        if (op->local_path.len > 0 ? str_eq(l->local_path, op->local_path)
                                   : l->local_path.len == 0 && l->at.port == op->to.port &&
                                         l->at.ip.family == op->to.ip.family &&
                                         (is_any(l->at.ip) || ip_eq(l->at.ip, op->to.ip))) {
            return l;
        }
    }
    return NULL;
}

static struct sim_fault *find_fault(struct sim_wire *wire, struct endpoint to)
{
    for (size_t i = 0; i < wire->fault_count; i++) {
        struct sim_fault *f = &wire->faults[i];
        if ((f->at.port == 0 || f->at.port == to.port) &&
            (f->at.ip.family == IP_NONE || ip_eq(f->at.ip, to.ip)) &&
            (f->times == 0 || f->befell < f->times)) {
            return f;
        }
    }
    return NULL;
}

static void flight_free(struct flight *f)
{
    f->host->wire->timers->cancel(f->host->wire->timers, &f->timer);
    list_remove(&f->link);
    free(f);
}

static void land(struct flight *f, int error)
{
    struct net_connect *op = f->op;
    op->error = error;
    op->stream = f->made ? &f->made->stream : NULL;
    op->impl = NULL;
    flight_free(f);
    op->done(op);
}

/* The other host hears of it: half the way. */
static void accept_flight(struct flight *f, struct sim_host *at, struct net_listener *listener)
{
    struct sim_wire *wire = f->host->wire;
    struct end *client = end_new(wire, f->host);
    struct end *server = end_new(wire, at);
    join(client, server);
    const struct sim_fault *fault = &f->fault;
    client->piece = server->piece = fault->piece;
    client->split = fault->split_down;
    server->split = fault->split_up;
    client->cut = fault->cut_down;
    server->cut = fault->cut_up;
    server->deaf = fault->deaf;
    if (fault->delay.us > 0) {
        client->delay = server->delay = fault->delay;
    }
    if (f->op->local_path.len == 0) {
        struct ip own = f->op->to.ip.family == IP_V6 ? f->host->ip6 : f->host->ip4;
        struct ip from = f->op->from.family != IP_NONE ? f->op->from : own;
        from = is_loopback(f->op->to.ip) || from.family == IP_NONE ? f->op->to.ip : from;
        client->stream.peer = server->stream.local = f->op->to;
        client->stream.local = server->stream.peer = (struct endpoint){from, ++wire->next_port};
    }
    f->made = client;
    wire->connections++;
    wire->timers->arm(wire->timers, &f->timer, client->delay);
    listener->accepted(listener, &server->stream);
}

static void on_flight(struct timer *timer)
{
    struct flight *f = CONTAINER_OF(timer, struct flight, timer);
    const struct net_connect *op = f->op;
    bool local = op->local_path.len > 0;
    struct ip own = op->to.ip.family == IP_V6 ? f->host->ip6 : f->host->ip4;
    struct sim_host *at = local ? f->host : host_at(f->host, op->to.ip);
    struct net_listener *listener = at ? listener_at(at, op) : NULL;
    if (f->made) {
        land(f, 0);
    } else if (f->fault.silent) {
        return;
    } else if (f->fault.refuse) {
        land(f, -ECONNREFUSED);
    } else if (listener) {
        accept_flight(f, at, listener);
    } else if (local) {
        land(f, -ENOENT);
    } else if (own.family == IP_NONE && !is_loopback(op->to.ip)) {
        land(f, -ENETUNREACH);
    } else {
        land(f, at ? -ECONNREFUSED : -EHOSTUNREACH);
    }
}

static void connect_op(struct net *net, struct net_connect *op)
{
    struct sim_host *host = CONTAINER_OF(net, struct sim_host, net);
    struct sim_wire *wire = host->wire;
    struct flight *f = calloc(1, sizeof *f);
    if (!f) {
        abort();
    }
    struct sim_fault *fault = op->local_path.len == 0 ? find_fault(wire, op->to) : NULL;
    if (fault) {
        fault->befell++;
        f->fault = *fault;
    }
    f->host = host;
    f->op = op;
    f->timer.fire = on_flight;
    op->impl = f;
    op->stream = NULL;
    list_append(&wire->flights, &f->link);
    wire->timers->arm(wire->timers, &f->timer,
                      f->fault.delay.us > 0 ? f->fault.delay : wire->delay);
}

static void cancel_op(struct net *net, struct net_connect *op)
{
    (void)net;
    struct flight *f = op->impl;
    if (f->made) {
        abort_stream(&f->made->stream);
    }
    op->impl = NULL;
    flight_free(f);
}

static int listen_op(struct net *net, struct net_listener *listener)
{
    struct sim_host *host = CONTAINER_OF(net, struct sim_host, net);
    struct listening *l = calloc(1, sizeof *l);
    if (!l) {
        return -ENOMEM;
    }
    if (listener->local_path.len == 0 && listener->at.port == 0) {
        listener->at.port = ++host->wire->next_port;
    }
    l->listener = listener;
    listener->impl = l;
    list_append(&host->listeners, &l->link);
    return 0;
}

static void unlisten_op(struct net *net, struct net_listener *listener)
{
    (void)net;
    struct listening *l = listener->impl;
    if (l) {
        list_remove(&l->link);
        free(l);
        listener->impl = NULL;
    }
}

void sim_wire_init(struct sim_wire *wire, struct timers *timers)
{
    *wire = (struct sim_wire){
        .timers = timers, .delay = SPAN_MS(1), .next_port = 40000, .window = 65536};
    list_init(&wire->hosts);
    list_init(&wire->ends);
    list_init(&wire->flights);
}

void sim_host_init(struct sim_host *host, struct sim_wire *wire, const char *ip4, const char *ip6)
{
    *host = (struct sim_host){
        .net = {connect_op, cancel_op, listen_op, unlisten_op},
        .wire = wire,
    };
    if ((ip4[0] && !ip_parse_v4(str_from_cstr(ip4), &host->ip4)) ||
        (ip6[0] && !ip_parse_v6(str_from_cstr(ip6), &host->ip6))) {
        abort();
    }
    list_init(&host->listeners);
    list_append(&wire->hosts, &host->link);
}

static void drop_listeners(struct sim_host *host)
{
    for (struct list *node; (node = list_pop(&host->listeners)) != NULL;) {
        struct listening *l = CONTAINER_OF(node, struct listening, link);
        l->listener->impl = NULL;
        free(l);
    }
}

void sim_host_cut(struct sim_host *host)
{
    drop_listeners(host);
    LIST_EACH (node, &host->wire->flights) {
        struct flight *f = CONTAINER_OF(node, struct flight, link);
        if (f->host == host) {
            flight_free(f); /* its stream goes with the others */
        }
    }
    /* Ending one end may not free its other, so the walk stays whole. */
    LIST_EACH (node, &host->wire->ends) {
        struct end *e = CONTAINER_OF(node, struct end, link);
        if (e->host == host) {
            abort_stream(&e->stream);
        }
    }
}

void sim_wire_done(struct sim_wire *wire)
{
    while (!list_empty(&wire->flights)) {
        flight_free(CONTAINER_OF(wire->flights.next, struct flight, link));
    }
    while (!list_empty(&wire->ends)) {
        end_free(CONTAINER_OF(wire->ends.next, struct end, link));
    }
    LIST_EACH (node, &wire->hosts) {
        drop_listeners(CONTAINER_OF(node, struct sim_host, link));
    }
}

struct sim_fault *sim_fault(struct sim_wire *wire, const char *at)
{
    if (wire->fault_count == SIM_FAULTS) {
        abort();
    }
    struct sim_fault *f = &wire->faults[wire->fault_count++];
    *f = (struct sim_fault){0};
    if (strcmp(at, "*") != 0 && !endpoint_parse(str_from_cstr(at), &f->at)) {
        abort();
    }
    return f;
}

void sim_faults_clear(struct sim_wire *wire)
{
    wire->fault_count = 0;
}
