#include "config/check.h"

#include "config/units.h"

/* So wide that whoever wrote it can hardly know all who are in it. */
static bool is_most_of_the_world(struct network net)
{
    return net.prefix < (net.ip.family == IP_V4 ? 8 : 16);
}

static void check_relay(const struct config *c, struct config_place whole,
                        struct config_problems *problems)
{
    if (c->relay == RELAY_OPEN) {
        config_problem(problems, true, whole,
                       "`relay: open-relay-i-know`: anybody in the world can send mail to anybody "
                       "through this server; it will be abused within hours of being found");
        return;
    }
    for (size_t i = 0; i < c->network_count; i++) {
        if (is_most_of_the_world(c->networks[i])) {
            struct buf text = {0};
            ip_format(&text, c->networks[i].ip);
            config_problem(problems, false, whole,
                           "the network %.*s/%u would make this server an open relay; list the "
                           "networks of your own, or say `relay: open-relay-i-know`",
                           STR_ARG(buf_str(&text)), (unsigned)c->networks[i].prefix);
            buf_done(&text);
        }
    }
}

static void check_queue(const struct config_queue *q, struct config_place whole,
                        struct config_problems *problems)
{
    if (q->retry_count > 0 && q->retry[0].us > q->expire.us) {
        config_problem(problems, true, whole,
                       "queue.expire is shorter than the first queue.retry: a message is tried "
                       "once and given up");
    }
    if (q->delay_notice.us > q->expire.us) {
        config_problem(problems, true, whole,
                       "queue.delay_notice is longer than queue.expire: no notice will be sent");
    }
}

static bool is_listener(const struct config *c, struct str host, uint16_t port)
{
    struct ip ip;
    if (!ip_parse(host, &ip)) {
        return false;
    }
    for (size_t i = 0; i < c->listen_count; i++) {
        if (c->listens[i].at.port == port && ip_eq(c->listens[i].at.ip, ip)) {
            return true;
        }
    }
    return false;
}

static void check_transports(const struct config *c, struct config_place whole,
                             struct config_problems *problems)
{
    for (size_t i = 0; i < c->transport_count; i++) {
        const struct config_transport *t = &c->transports[i];
        uint16_t port = t->port ? t->port : c->deliver.port;
        if (t->kind == TRANSPORT_SMTP && is_listener(c, t->host, port)) {
            config_problem(problems, true, whole,
                           "the transport for \"%.*s\" leads back to this server's own listener",
                           STR_ARG(t->match));
        }
        if (str_eq(t->match, STR("*")) && i + 1 < c->transport_count) {
            config_problem(problems, true, whole,
                           "the transport for \"*\" hides those after it: the first match wins");
        }
    }
}

static bool is_same_place(const struct config_listen *a, const struct config_listen *b)
{
    return str_eq(a->local_path, b->local_path) &&
           (a->local_path.len > 0 || (ip_eq(a->at.ip, b->at.ip) && a->at.port == b->at.port));
}

/* The second would do nothing, whatever else it says. */
static void check_places(const struct config *c, struct config_place whole,
                         struct config_problems *problems)
{
    for (size_t i = 1; i < c->listen_count; i++) {
        const struct config_listen *listen = &c->listens[i];
        size_t first = 0;
        while (!is_same_place(&c->listens[first], listen)) {
            first++;
        }
        if (first < i && listen->local_path.len > 0) {
            config_problem(problems, false, whole, "`listen` has %.*s twice",
                           STR_ARG(listen->local_path));
        } else if (first < i) {
            struct buf at = {0};
            endpoint_format(&at, listen->at);
            config_problem(problems, false, whole, "`listen` has %.*s twice",
                           STR_ARG(buf_str(&at)));
            buf_done(&at);
        }
    }
}

static void check_listens(const struct config *c, struct config_place whole,
                          struct config_problems *problems)
{
    for (size_t i = 0; i < c->listen_count; i++) {
        const struct config_listen *listen = &c->listens[i];
        if (listen->local_path.len > 0 && listen->kind.mode != LISTEN_LMTP) {
            config_problem(problems, false, whole,
                           "a listener at a local socket needs `mode: lmtp`");
        }
        if (listen->local_path.len > 107) {
            config_problem(problems, false, whole,
                           "the path of a local socket has at most 107 octets");
        }
    }
    if (c->control_path.len > 107) {
        config_problem(problems, false, whole,
                       "`control`: the path of a local socket has at most 107 octets");
    }
}

void config_check(const struct config *config, struct str file, struct config_problems *problems)
{
    struct config_place whole = {.file = file};
    check_relay(config, whole, problems);
    check_queue(&config->queue, whole, problems);
    check_transports(config, whole, problems);
    check_listens(config, whole, problems);
    check_places(config, whole, problems);
    if (config->deliver.no_ipv4 && config->deliver.no_ipv6) {
        config_problem(problems, false, whole, "deliver.source allows neither IPv4 nor IPv6");
    }
    if (config->spool_path.len == 0) {
        config_problem(problems, false, whole, "spool.path is empty");
    }
}
