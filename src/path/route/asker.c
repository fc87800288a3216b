#include "path/route/asker.h"

enum dns_arrival asker_arrival(enum resolver_result result)
{
    switch (result) {
    case RESOLVER_ANSWERED:
        return DNS_ARRIVED;
    case RESOLVER_TIMEOUT:
        return DNS_TIMEOUT;
    case RESOLVER_BOGUS:
        return DNS_FORGED;
    case RESOLVER_FAILED:
        break;
    }
    return DNS_BROKEN;
}

static void answered(struct resolver_query *query)
{
    struct asker_slot *slot = CONTAINER_OF(query, struct asker_slot, query);
    struct asker *asker = slot->asker;
    struct dns_answer answer = {
        .arrival = asker_arrival(query->result),
        .secure = query->secure,
        .message = query->answer,
    };
    slot->busy = false;
    asker->answer(asker, slot->id, &answer);
    asker_ask(asker);
    asker->turned(asker);
}

static struct asker_slot *free_slot(struct asker *asker)
{
    for (size_t i = 0; i < ASKER_SLOTS; i++) {
        if (!asker->slots[i].busy) {
            return &asker->slots[i];
        }
    }
    return NULL;
}

void asker_ask(struct asker *asker)
{
    struct asker_slot *slot;
    struct dns_question question;
    while ((slot = free_slot(asker)) != NULL && asker->question(asker, &question)) {
        *slot = (struct asker_slot){.asker = asker, .id = question.id, .busy = true};
        slot->query.done = answered;
        asker->resolver->ask(asker->resolver, &slot->query, question.name, question.type);
    }
}

void asker_cancel(struct asker *asker)
{
    for (size_t i = 0; i < ASKER_SLOTS; i++) {
        if (asker->slots[i].busy) {
            asker->slots[i].busy = false;
            asker->resolver->cancel(asker->resolver, &asker->slots[i].query);
        }
    }
}
