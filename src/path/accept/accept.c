#include "path/accept/accept.h"

#include <errno.h>
#include <stdlib.h>

struct listener {
    struct net_listener net;
    struct list node;
    struct acceptor *acceptor;
    struct listen_kind kind;
};

enum { DOORSTEP_MAX = 1024 }; /* and a share of the connections, where few are allowed */

static bool is_own(const struct config *config, struct ip ip)
{
    for (size_t i = 0; i < config->network_count; i++) {
        if (network_contains(config->networks[i], ip)) {
            return true;
        }
    }
    return false;
}

/* Counts one more connection from there. Where there is no room at all, some other one goes, so
 * that who holds many open without a use keeps nobody else out. */
static enum crowd_answer let_in(struct acceptor *a, struct ip ip)
{
    const struct config_limits *limits = &a->config->limits;
    uint32_t most_each = is_own(a->config, ip) ? 0 : limits->client_connections;
    enum crowd_answer answer = crowd_enter(a->crowd, ip, limits->connections, most_each);
    if (answer == CROWD_FULL && a->make_room && a->make_room(a->owner)) {
        answer = crowd_enter(a->crowd, ip, limits->connections, most_each);
    }
    return answer;
}

void acceptor_closed(struct acceptor *a, struct ip peer, struct span keep_place)
{
    struct ip ip = ip_unmap(peer);
    crowd_leave(a->crowd);
    if (keep_place.us > 0 && !is_own(a->config, ip)) {
        penalties_add(&a->penalties, ip, keep_place);
    } else {
        crowd_forget(a->crowd, ip);
    }
}

static uint32_t doorstep_room(const struct acceptor *a)
{
    uint32_t share = a->config->limits.connections / 16;
    return share < DOORSTEP_MAX ? share : DOORSTEP_MAX;
}

static void on_accepted(struct net_listener *net, struct stream *stream)
{
    struct listener *listener = net->owner;
    struct acceptor *a = listener->acceptor;
    enum crowd_answer answer = let_in(a, ip_unmap(stream->peer.ip));
    if (answer == CROWD_IN) {
        a->accepted(a->owner, stream, listener->kind);
        return;
    }
    a->refused++;
    log_event(a->ports->log, LOG_WARNING, "refused", F_IP("client", stream->peer.ip),
              F_STR("reason", answer == CROWD_FULL ? STR("too many connections")
                                                   : STR("too many connections from there")),
              F_INT("connections", atomic_load(&a->crowd->total)));
    doorstep_refuse(&a->doorstep, stream, answer == CROWD_FULL ? 0 : doorstep_room(a));
}

static int open_listener(struct acceptor *a, const struct config_listen *wanted)
{
    struct listener *l = calloc(1, sizeof *l);
    if (!l) {
        return -ENOMEM;
    }
    *l = (struct listener){.acceptor = a, .kind = wanted->kind};
    l->net.accepted = on_accepted;
    l->net.owner = l;
    l->net.at = wanted->at;
    l->net.local_path = wanted->local_path;
    int error = a->ports->net->listen(a->ports->net, &l->net);
    if (error) {
        free(l);
    } else {
        list_append(&a->listeners, &l->node);
    }
    return error;
}

static void close_listener(struct listener *l)
{
    list_remove(&l->node);
    l->acceptor->ports->net->unlisten(l->acceptor->ports->net, &l->net);
    free(l);
}

static bool is_ours(const struct acceptor *a, const struct config_listen *wanted)
{
    return !a->no_local_sockets || wanted->local_path.len == 0;
}

static bool is_at(const struct listener *l, const struct config_listen *wanted)
{
    return str_eq(l->net.local_path, wanted->local_path) &&
           (wanted->local_path.len > 0 ||
            (ip_eq(l->net.at.ip, wanted->at.ip) && l->net.at.port == wanted->at.port));
}

int acceptor_open(struct acceptor *a, const struct config *config,
                  const struct config_listen **failed)
{
    a->config = config_hold(config);
    list_init(&a->listeners);
    penalties_init(&a->penalties, a->ports, a->crowd);
    doorstep_init(&a->doorstep, a->ports);
    int error = 0;
    for (size_t i = 0; i < config->listen_count && error == 0; i++) {
        const struct config_listen *wanted = &config->listens[i];
        error = is_ours(a, wanted) ? open_listener(a, wanted) : 0;
        if (error != 0 && failed) {
            *failed = wanted;
        }
    }
    if (error != 0) {
        acceptor_close(a);
        acceptor_done(a);
    }
    return error;
}

static const struct config_listen *find_wanted(const struct listener *l,
                                               const struct config *config)
{
    for (size_t i = 0; i < config->listen_count; i++) {
        if (is_at(l, &config->listens[i])) {
            return &config->listens[i];
        }
    }
    return NULL;
}

static bool listens_at(const struct acceptor *a, const struct config_listen *wanted)
{
    LIST_EACH (node, &a->listeners) {
        if (is_at(CONTAINER_OF(node, struct listener, node), wanted)) {
            return true;
        }
    }
    return false;
}

/* Those that stay are not touched: what waits in their queues is taken. */
static void change_listeners(struct acceptor *a, const struct config *config)
{
    LIST_EACH (node, &a->listeners) {
        struct listener *l = CONTAINER_OF(node, struct listener, node);
        const struct config_listen *wanted = find_wanted(l, config);
        if (wanted) {
            l->kind = wanted->kind;
            l->net.local_path = wanted->local_path;
        } else {
            close_listener(l);
        }
    }
    for (size_t i = 0; i < config->listen_count; i++) {
        const struct config_listen *wanted = &config->listens[i];
        if (!is_ours(a, wanted) || listens_at(a, wanted)) {
            continue;
        }
        int error = open_listener(a, wanted);
        if (error) {
            log_event(a->ports->log, LOG_ERROR, "listen-failed", F_IP("address", wanted->at.ip),
                      F_INT("port", wanted->at.port), F_STR("path", wanted->local_path),
                      F_INT("errno", -error));
        }
    }
}

void acceptor_reload(struct acceptor *a, const struct config *config)
{
    const struct config *old = a->config;
    a->config = config_hold(config);
    change_listeners(a, config);
    config_drop(old);
}

void acceptor_close(struct acceptor *a)
{
    LIST_EACH (node, &a->listeners) {
        close_listener(CONTAINER_OF(node, struct listener, node));
    }
    doorstep_clear(&a->doorstep);
}

void acceptor_done(struct acceptor *a)
{
    acceptor_close(a);
    penalties_done(&a->penalties);
    config_drop(a->config);
    a->config = NULL;
}
