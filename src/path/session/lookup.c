#include "path/session/lookup.h"

#include "core/base/list.h"

#include <stdlib.h>

struct lookup {
    struct lookup_request request;
    struct arena arena;
    struct hostcheck check;
    struct list asks;
};

struct ask {
    struct resolver_query query;
    uint32_t id;
    struct lookup *lookup;
    struct list link;
};

static void end_asks(struct lookup *l)
{
    const struct ports *ports = l->request.ports;
    for (struct list *node; (node = list_pop(&l->asks)) != NULL;) {
        struct ask *ask = CONTAINER_OF(node, struct ask, link);
        ports->resolver->cancel(ports->resolver, &ask->query);
        free(ask);
    }
}

void lookup_cancel(struct lookup *l)
{
    if (l) {
        end_asks(l);
        arena_done(&l->arena);
        free(l);
    }
}

static void finish(struct lookup *l)
{
    end_asks(l);
    l->request.done(l->request.owner, &l->check);
    arena_done(&l->arena);
    free(l);
}

static void on_answer(struct resolver_query *query);

/* Asks what the machine wants to know. False: it is done. */
static bool ask_on(struct lookup *l)
{
    const struct ports *ports = l->request.ports;
    struct dns_question question;
    while (!l->check.done && hostcheck_question(&l->check, &question)) {
        struct ask *ask = calloc(1, sizeof *ask);
        if (!ask) {
            hostcheck_give_up(&l->check);
            return false;
        }
        ask->id = question.id;
        ask->lookup = l;
        ask->query.done = on_answer;
        list_append(&l->asks, &ask->link);
        ports->resolver->ask(ports->resolver, &ask->query, question.name, question.type);
    }
    if (!l->check.done && list_empty(&l->asks)) {
        hostcheck_give_up(&l->check);
    }
    return !l->check.done;
}

static void on_answer(struct resolver_query *query)
{
    struct ask *ask = CONTAINER_OF(query, struct ask, query);
    struct lookup *l = ask->lookup;
    static const enum dns_arrival arrivals[] = {
        [RESOLVER_ANSWERED] = DNS_ARRIVED,
        [RESOLVER_TIMEOUT] = DNS_TIMEOUT,
        [RESOLVER_FAILED] = DNS_BROKEN,
        [RESOLVER_BOGUS] = DNS_FORGED,
    };
    struct dns_answer answer = {arrivals[query->result], query->secure, query->answer};
    uint32_t id = ask->id;
    list_remove(&ask->link);
    hostcheck_answer(&l->check, id, &answer);
    free(ask);
    if (!ask_on(l)) {
        finish(l);
    }
}

struct lookup *lookup_start(const struct lookup_request *request)
{
    struct lookup *l = calloc(1, sizeof *l);
    if (!l) {
        return NULL;
    }
    l->request = *request;
    list_init(&l->asks);
    if (request->helo.len > 0) {
        hostcheck_helo(&l->check, &l->arena, request->ip, request->helo);
    } else {
        hostcheck_reverse(&l->check, &l->arena, request->ip);
    }
    if (ask_on(l)) {
        return l;
    }
    finish(l);
    return NULL;
}

void lookup_give_up(struct lookup *l)
{
    hostcheck_give_up(&l->check);
    finish(l);
}
