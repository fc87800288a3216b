#include "path/accept/accept.h"

#include <errno.h>
#include <stdlib.h>

struct listener {
    struct net_listener net;
    struct acceptor *acceptor;
    struct listen_kind kind;
};

/* How many connections one client address has; there is one only while it has some. */
struct client {
    struct map_node node;
    struct ip ip;
    uint32_t connections;
};

static const char over_limit[] = "421 4.7.0 Too many connections; come back later\r\n";

static struct client *find_client(struct acceptor *a, struct ip ip, uint64_t hash)
{
    for (struct map_node *n = map_find(&a->addresses, hash); n; n = map_find_next(n)) {
        struct client *client = CONTAINER_OF(n, struct client, node);
        if (ip_eq(client->ip, ip)) {
            return client;
        }
    }
    return NULL;
}

static uint64_t hash_of(const struct acceptor *a, struct ip ip)
{
    return hash_bytes(a->seed, str_from((const char *)ip.bytes, ip.family == IP_V6 ? 16 : 4));
}

static bool is_own(const struct config *config, struct ip ip)
{
    for (size_t i = 0; i < config->network_count; i++) {
        if (network_contains(config->networks[i], ip)) {
            return true;
        }
    }
    return false;
}

/* Counts one more connection from there. False: one too many, or no memory to count it. */
static bool let_in(struct acceptor *a, struct ip ip)
{
    uint32_t total = a->total ? atomic_load(a->total) : a->connections;
    if (total >= a->config->limits.connections) {
        return false;
    }
    if (ip.family != IP_NONE) {
        uint64_t hash = hash_of(a, ip);
        struct client *client = find_client(a, ip, hash);
        if (!client) {
            client = calloc(1, sizeof *client);
            if (!client) {
                return false;
            }
            client->ip = ip;
            if (!map_insert(&a->addresses, &client->node, hash)) {
                free(client);
                return false;
            }
        }
        if (client->connections >= ACCEPT_PER_ADDRESS && !is_own(a->config, ip)) {
            return false;
        }
        client->connections++;
    }
    a->connections++;
    if (a->total) {
        atomic_fetch_add(a->total, 1);
    }
    return true;
}

void acceptor_closed(struct acceptor *a, struct ip peer)
{
    struct ip ip = ip_unmap(peer);
    a->connections--;
    if (a->total) {
        atomic_fetch_sub(a->total, 1);
    }
    if (ip.family == IP_NONE) {
        return;
    }
    struct client *client = find_client(a, ip, hash_of(a, ip));
    if (client && --client->connections == 0) {
        map_remove(&a->addresses, &client->node);
        free(client);
    }
}

static void ignore_data(struct stream *stream, struct str bytes)
{
    (void)stream;
    (void)bytes;
}

static void ignore_end(struct stream *stream, int error)
{
    (void)stream;
    (void)error;
}

static void ignore_drained(struct stream *stream)
{
    (void)stream;
}

static const struct stream_events deaf = {ignore_data, ignore_end, ignore_drained};

static void on_accepted(struct net_listener *net, struct stream *stream)
{
    struct listener *listener = net->owner;
    struct acceptor *a = listener->acceptor;
    if (let_in(a, ip_unmap(stream->peer.ip))) {
        a->accepted(a->owner, stream, listener->kind);
        return;
    }
    a->refused++;
    log_event(a->ports->log, LOG_WARNING, "refused", F_IP("client", stream->peer.ip),
              F_STR("reason", STR("too many connections")), F_INT("connections", a->connections));
    stream->events = &deaf;
    stream_write(stream, str_from(over_limit, sizeof over_limit - 1));
    stream_close(stream);
}

int acceptor_open(struct acceptor *a, const struct config *config,
                  const struct config_listen **failed)
{
    a->seed = (struct hash_seed){a->ports->entropy->u64(a->ports->entropy),
                                 a->ports->entropy->u64(a->ports->entropy)};
    a->config = config_hold(config);
    a->listeners = calloc(config->listen_count + 1, sizeof *a->listeners);
    int error = a->listeners ? 0 : -ENOMEM;
    for (size_t i = 0; i < config->listen_count && error == 0; i++) {
        const struct config_listen *wanted = &config->listens[i];
        struct listener *l = &a->listeners[a->listener_count];
        if (a->no_local_sockets && wanted->local_path.len > 0) {
            continue;
        }
        *l = (struct listener){.acceptor = a, .kind = wanted->kind};
        l->net.accepted = on_accepted;
        l->net.owner = l;
        l->net.at = wanted->at;
        l->net.local_path = wanted->local_path;
        error = a->ports->net->listen(a->ports->net, &l->net);
        if (error == 0) {
            a->listener_count++;
        } else if (failed) {
            *failed = wanted;
        }
    }
    if (error != 0) {
        acceptor_close(a);
        acceptor_done(a);
    }
    return error;
}

void acceptor_reload(struct acceptor *a, const struct config *config)
{
    const struct config *old = a->config;
    a->config = config_hold(config);
    config_drop(old);
}

void acceptor_close(struct acceptor *a)
{
    while (a->listener_count > 0) {
        a->listener_count--;
        a->ports->net->unlisten(a->ports->net, &a->listeners[a->listener_count].net);
    }
    free(a->listeners);
    a->listeners = NULL;
}

void acceptor_done(struct acceptor *a)
{
    acceptor_close(a);
    struct map_iter it = map_begin(&a->addresses);
    struct map_node *next = map_next(&it);
    while (next) {
        struct client *client = CONTAINER_OF(next, struct client, node);
        next = map_next(&it);
        free(client);
    }
    map_done(&a->addresses);
    config_drop(a->config);
    a->config = NULL;
}
