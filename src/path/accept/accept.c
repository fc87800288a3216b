#include "path/accept/accept.h"

#include <errno.h>
#include <stdlib.h>

struct listener {
    struct net_listener net;
    struct acceptor *acceptor;
    struct listen_kind kind;
};

static const char over_limit[] = "421 4.7.0 Too many connections; come back later\r\n";

static bool is_own(const struct config *config, struct ip ip)
{
    for (size_t i = 0; i < config->network_count; i++) {
        if (network_contains(config->networks[i], ip)) {
            return true;
        }
    }
    return false;
}

/* Counts one more connection from there. False: one too many. */
static bool let_in(struct acceptor *a, struct ip ip)
{
    const struct config_limits *limits = &a->config->limits;
    uint32_t most_each = is_own(a->config, ip) ? 0 : limits->client_connections;
    return crowd_enter(a->crowd, ip, limits->connections, most_each);
}

void acceptor_closed(struct acceptor *a, struct ip peer)
{
    crowd_leave(a->crowd, ip_unmap(peer));
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
              F_STR("reason", STR("too many connections")),
              F_INT("connections", atomic_load(&a->crowd->total)));
    stream->events = &deaf;
    stream_write(stream, str_from(over_limit, sizeof over_limit - 1));
    stream_close(stream);
}

int acceptor_open(struct acceptor *a, const struct config *config,
                  const struct config_listen **failed)
{
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
    config_drop(a->config);
    a->config = NULL;
}
