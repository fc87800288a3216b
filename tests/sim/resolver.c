#include "sim/resolver.h"

#include <stdlib.h>

/* One question on its way. */
struct flight {
    struct sim_resolver *resolver;
    struct resolver_query *query;
    struct timer timer;
    struct zone_answer answer;
    struct list link;
};

static void drop(struct flight *flight)
{
    struct timers *timers = flight->resolver->timers;
    timers->cancel(timers, &flight->timer);
    list_remove(&flight->link);
    buf_done(&flight->answer.message);
    free(flight);
}

static enum resolver_result result_of(enum zone_fault fault)
{
    switch (fault) {
    case ZONE_TIMEOUT:
        return RESOLVER_TIMEOUT;
    case ZONE_BROKEN:
        return RESOLVER_FAILED;
    case ZONE_FORGED:
        return RESOLVER_BOGUS;
    case ZONE_NO_FAULT:
    case ZONE_SERVFAIL:
    case ZONE_REFUSED:
    case ZONE_GARBAGE:
    case ZONE_WRONG:
        break;
    }
    return RESOLVER_ANSWERED;
}

static void arrive(struct timer *timer)
{
    struct flight *flight = CONTAINER_OF(timer, struct flight, timer);
    struct resolver_query *query = flight->query;
    struct buf message = flight->answer.message;
    query->result = result_of(flight->answer.fault);
    query->secure = flight->resolver->zone->secure && query->result == RESOLVER_ANSWERED;
    query->answer = query->result == RESOLVER_ANSWERED ? buf_str(&message) : (struct str){0};
    query->impl = NULL;
    flight->answer.message = (struct buf){0};
    drop(flight);
    query->done(query);
    /* The answer was lent for the call only: whoever kept it is caught by the sanitizer. */
    buf_done(&message);
}

static void ask(struct resolver *resolver, struct resolver_query *query, struct str name,
                uint16_t type)
{
    struct sim_resolver *r = CONTAINER_OF(resolver, struct sim_resolver, resolver);
    struct flight *flight = calloc(1, sizeof *flight);
    if (!flight) {
        abort();
    }
    r->asked++;
    flight->resolver = r;
    flight->query = query;
    flight->timer.fire = arrive;
    query->impl = flight;
    list_append(&r->open, &flight->link);
    zone_ask(r->zone, name, type, &flight->answer);
    struct span after = flight->answer.fault == ZONE_TIMEOUT ? r->timeout : r->delay;
    after.us += flight->answer.late.us;
    r->timers->arm(r->timers, &flight->timer, after);
}

static void cancel(struct resolver *resolver, struct resolver_query *query)
{
    (void)resolver;
    if (query->impl) {
        drop(query->impl);
        query->impl = NULL;
    }
}

void sim_resolver_init(struct sim_resolver *r, struct timers *timers, const struct zone *zone)
{
    *r = (struct sim_resolver){.resolver = {.ask = ask, .cancel = cancel},
                               .timers = timers,
                               .zone = zone,
                               .delay = SPAN_MS(1),
                               .timeout = SPAN_S(10)};
    list_init(&r->open);
}

void sim_resolver_done(struct sim_resolver *r)
{
    LIST_EACH (node, &r->open) {
        drop(CONTAINER_OF(node, struct flight, link));
    }
}
