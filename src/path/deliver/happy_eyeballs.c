#include "path/deliver/happy_eyeballs.h"

#include <errno.h>

/* RFC 8305 section 8. */
static const struct span head_start = {250000};
static const struct span resolution_delay = {50000};

static struct str error_text(int error)
{
    static const struct {
        int error;
        struct str text;
    } words[] = {
        {-ECONNREFUSED, STR_INIT("connection refused")},
        {-ETIMEDOUT, STR_INIT("no answer in time")},
        {-ENETUNREACH, STR_INIT("network unreachable")},
        {-EHOSTUNREACH, STR_INIT("host unreachable")},
        {-ECONNRESET, STR_INIT("connection reset")},
        {-ENOENT, STR_INIT("no such socket")},
        {-EACCES, STR_INIT("permission denied")},
        {-EADDRNOTAVAIL, STR_INIT("the source address configured is not ours")},
    };
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (words[i].error == error) {
            return words[i].text;
        }
    }
    return STR("connection failed");
}

static void arm_next(struct happy_eyeballs *race, struct span after)
{
    race->waiting = true;
    race->ports->timers->arm(race->ports->timers, &race->next, after);
}

static void cancel_next(struct happy_eyeballs *race)
{
    race->waiting = false;
    race->ports->timers->cancel(race->ports->timers, &race->next);
}

/* Stops all that is under way but the winner, whose `running` is false by now. */
static void stop(struct happy_eyeballs *race)
{
    race->over = true;
    cancel_next(race);
    race->ports->timers->cancel(race->ports->timers, &race->limit);
    if (race->asking) {
        race->asking = false;
        addresses_cancel(&race->addresses);
    }
    for (size_t i = 0; i < race->count; i++) {
        if (race->eyeballs[i].running) {
            race->eyeballs[i].running = false;
            race->ports->net->cancel(race->ports->net, &race->eyeballs[i].op);
        }
    }
    race->running = 0;
}

static void finish(struct happy_eyeballs *race)
{
    stop(race);
    race->done(race);
}

static void fail(struct happy_eyeballs *race, struct status_code status, struct str text)
{
    race->status = status;
    race->text = text;
    finish(race);
}

static void fail_connect(struct happy_eyeballs *race, int error)
{
    struct str why = error_text(error);
    char ip[IP_TEXT_MAX];
    struct str text;
    if (race->local_path.len > 0) {
        text = arena_format(race->arena, "cannot connect to %.*s: %.*s", STR_ARG(race->local_path),
                            STR_ARG(why));
    } else if (race->error_at.ip.family != IP_NONE && race->host->literal.family == IP_NONE) {
        struct str at = ip_text(race->error_at.ip, ip);
        text = arena_format(race->arena, "cannot connect to %.*s [%.*s] port %u: %.*s",
                            STR_ARG(race->host->name), STR_ARG(at), (unsigned)race->port,
                            STR_ARG(why));
    } else {
        text = arena_format(race->arena, "cannot connect to %.*s port %u: %.*s",
                            STR_ARG(race->host->name), (unsigned)race->port, STR_ARG(why));
    }
    fail(race, (struct status_code){4, 4, 1}, text);
}

static void proceed(struct happy_eyeballs *race);

static void on_connect(struct net_connect *op)
{
    struct eyeball *eyeball = CONTAINER_OF(op, struct eyeball, op);
    struct happy_eyeballs *race = eyeball->race;
    eyeball->running = false;
    race->running--;
    if (op->error == 0) {
        race->stream = op->stream;
        race->peer = op->to;
        finish(race);
        return;
    }
    race->error = op->error;
    race->error_at = op->to;
    cancel_next(race);
    proceed(race);
}

static void connect_to(struct happy_eyeballs *race, struct ip ip)
{
    struct eyeball *eyeball = &race->eyeballs[race->count++];
    eyeball->race = race;
    eyeball->running = true;
    eyeball->op.done = on_connect;
    eyeball->op.to = (struct endpoint){ip, race->port};
    eyeball->op.from = ip.family == IP_V6   ? race->config->source6
                       : ip.family == IP_V4 ? race->config->source4
                                            : (struct ip){0};
    eyeball->op.local_path = race->local_path;
    race->running++;
    race->last = ip.family;
    race->ports->net->connect(race->ports->net, &eyeball->op);
}

/* The next address: of the other family than the last, if there is one. */
static bool take_next(struct happy_eyeballs *race, struct ip *ip)
{
    const struct addresses_family *v4 = &race->addresses.v4;
    const struct addresses_family *v6 = &race->addresses.v6;
    bool has4 = race->used4 < v4->count && race->used4 < ADDRESSES_FAMILY_MAX;
    bool has6 = race->used6 < v6->count && race->used6 < ADDRESSES_FAMILY_MAX;
    if (!has4 && !has6) {
        return false;
    }
    if (has6 && (race->last != IP_V6 || !has4)) {
        *ip = v6->ips[race->used6++];
    } else {
        *ip = v4->ips[race->used4++];
    }
    return true;
}

static void proceed(struct happy_eyeballs *race)
{
    struct ip ip;
    if (race->host && race->host->literal.family == IP_NONE && take_next(race, &ip)) {
        connect_to(race, ip);
        arm_next(race, head_start);
    } else if (race->running > 0 || race->asking) {
        return;
    } else if (race->count > 0) {
        fail_connect(race, race->error);
    } else {
        fail(race, race->addresses.status, race->addresses.text);
    }
}

static void on_next(struct timer *timer)
{
    struct happy_eyeballs *race = CONTAINER_OF(timer, struct happy_eyeballs, next);
    race->waiting = false;
    proceed(race);
}

static void on_limit(struct timer *timer)
{
    struct happy_eyeballs *race = CONTAINER_OF(timer, struct happy_eyeballs, limit);
    if (race->asking && race->count == 0) {
        fail(race, (struct status_code){4, 4, 3},
             arena_format(race->arena, "the DNS did not tell the addresses of %.*s in time",
                          STR_ARG(race->host->name)));
        return;
    }
    if (race->running > 0 && race->count == 1) {
        race->error_at = race->eyeballs[0].op.to;
    }
    fail_connect(race, -ETIMEDOUT);
}

static void on_family(struct addresses_query *query, enum ip_family family)
{
    struct happy_eyeballs *race = query->owner;
    const struct addresses_family *found = family == IP_V6 ? &query->v6 : &query->v4;
    if (race->count > 0 || found->count == 0) {
        return;
    }
    /* A answered first: AAAA gets a moment to come, for it is preferred. */
    arm_next(race, family == IP_V6 ? SPAN_MS(0) : resolution_delay);
}

static void on_addresses(struct addresses_query *query)
{
    struct happy_eyeballs *race = query->owner;
    race->asking = false;
    /* A connect under way whose head start is not over keeps it; else the next is due now. */
    if (race->running == 0 || !race->waiting) {
        cancel_next(race);
        proceed(race);
    }
}

void happy_eyeballs_start(struct happy_eyeballs *race)
{
    race->next.fire = on_next;
    race->limit.fire = on_limit;
    race->ports->timers->arm(race->ports->timers, &race->limit, race->config->connect);
    if (race->local_path.len > 0) {
        connect_to(race, (struct ip){0});
    } else if (race->host->literal.family != IP_NONE) {
        connect_to(race, race->host->literal);
    } else {
        race->asking = true;
        race->addresses = (struct addresses_query){
            .done = on_addresses,
            .family_done = on_family,
            .ports = race->ports,
            .arena = race->arena,
            .host = race->host->name,
            .no_ipv4 = race->config->no_ipv4,
            .no_ipv6 = race->config->no_ipv6,
            .owner = race,
        };
        addresses_start(&race->addresses);
    }
}

void happy_eyeballs_cancel(struct happy_eyeballs *race)
{
    if (!race->over && race->ports) {
        stop(race);
    }
}
