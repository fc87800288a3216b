#include "path/route/addresses.h"

#include "core/dns/chain.h"
#include "path/route/asker.h"
#include "path/route/steps.h"

/* One lookup under way: two chains, asked side by side. */
struct lookup {
    struct addresses_query *query;
    struct asker asker;
    struct chain chains[2];
    bool told[2];
    struct dns_notes notes;
};

static const enum ip_family family_of[2] = {IP_V6, IP_V4};

static struct addresses_family *result_of(struct addresses_query *query, size_t i)
{
    return family_of[i] == IP_V6 ? &query->v6 : &query->v4;
}

static void take_ips(struct addresses_family *family, const struct chain *chain,
                     struct lookup *lookup)
{
    struct dns_record_iter it = chain_records_begin(chain);
    family->secure = chain->secure;
    family->ips = arena_array(lookup->query->arena, ADDRESSES_FAMILY_MAX, sizeof *family->ips);
    if (!family->ips) {
        family->finding = ADDRESSES_TEMPORARY;
        return;
    }
    family->finding = ADDRESSES_FOUND;
    for (struct dns_record record;
         family->count < ADDRESSES_FAMILY_MAX && chain_record_next(chain, &it, &record);) {
        char text[IP_TEXT_MAX];
        struct str address = ip_text(record.ip, text);
        family->ips[family->count++] = record.ip;
        dns_note_add(&lookup->notes, "%.*s has the address %.*s", STR_ARG(chain->end),
                     STR_ARG(address));
    }
}

static void take_chain(struct lookup *lookup, size_t i)
{
    struct addresses_family *family = result_of(lookup->query, i);
    const struct chain *chain = &lookup->chains[i];
    switch (chain->verdict) {
    case CHAIN_ASKING:
        break;
    case CHAIN_FOUND:
        take_ips(family, chain, lookup);
        break;
    case CHAIN_NODATA:
        family->finding = ADDRESSES_NONE;
        break;
    case CHAIN_NXDOMAIN:
        family->finding = ADDRESSES_NXDOMAIN;
        break;
    case CHAIN_LOOP:
    case CHAIN_TOO_LONG:
        family->finding = ADDRESSES_LOOP;
        break;
    case CHAIN_TEMPORARY:
        family->finding = ADDRESSES_TEMPORARY;
        break;
    }
}

static bool either(const struct addresses_query *query, enum addresses_finding finding)
{
    return query->v4.finding == finding || query->v6.finding == finding;
}

/* No address at all: the reason that leaves most hope is the one that counts. */
static void explain(struct addresses_query *query)
{
    const char *why = "has no address";
    query->status = (struct status_code){5, 4, 4};
    if (either(query, ADDRESSES_TEMPORARY)) {
        why = "could not be looked up: the DNS does not answer";
        query->status = (struct status_code){4, 4, 3};
    } else if (either(query, ADDRESSES_LOOP)) {
        why = "is an alias (CNAME) that leads nowhere";
        query->status = (struct status_code){5, 4, 6};
    } else if (either(query, ADDRESSES_NXDOMAIN)) {
        why = "does not exist";
    }
    query->text = arena_format(query->arena, "%.*s %s", STR_ARG(query->host), why);
}

static void interleave(struct addresses_query *query)
{
    size_t most = query->v4.count + query->v6.count;
    query->ips = arena_array(query->arena, most ? most : 1, sizeof *query->ips);
    for (size_t i = 0; query->ips && query->ip_count < most; i++) {
        if (i < query->v6.count) {
            query->ips[query->ip_count++] = query->v6.ips[i];
        }
        if (i < query->v4.count) {
            query->ips[query->ip_count++] = query->v4.ips[i];
        }
    }
}

static void finish(struct lookup *lookup)
{
    struct addresses_query *query = lookup->query;
    if (lookup->chains[0].name_count > 1 || lookup->chains[1].name_count > 1) {
        dns_note_add(&lookup->notes,
                     "%.*s is an alias, which a mail host must not be (RFC 2181 10.3): used "
                     "all the same",
                     STR_ARG(query->host));
    }
    query->ports->timers->cancel(query->ports->timers, &query->timer);
    interleave(query);
    if (query->ip_count == 0) {
        explain(query);
    }
    query->steps = steps_from(&lookup->notes, query->arena, &query->step_count);
    query->impl = NULL;
    query->done(query);
}

/* True: the query is over, or was cancelled by who heard of a family. */
static bool tell_families(struct lookup *lookup)
{
    struct addresses_query *query = lookup->query;
    for (size_t i = 0; i < 2; i++) {
        if (lookup->told[i] || lookup->chains[i].verdict == CHAIN_ASKING) {
            continue;
        }
        lookup->told[i] = true;
        if (result_of(query, i)->finding != ADDRESSES_UNASKED) {
            take_chain(lookup, i);
        }
        if (query->family_done) {
            query->family_done(query, family_of[i]);
            if (query->impl != lookup) {
                return true;
            }
        }
    }
    return false;
}

static void turned(struct asker *asker)
{
    struct lookup *lookup = CONTAINER_OF(asker, struct lookup, asker);
    if (!tell_families(lookup) && lookup->told[0] && lookup->told[1]) {
        finish(lookup);
    }
}

static bool next_question(struct asker *asker, struct dns_question *question)
{
    struct lookup *lookup = CONTAINER_OF(asker, struct lookup, asker);
    for (size_t i = 0; i < 2; i++) {
        if (chain_question(&lookup->chains[i], question)) {
            question->id = (uint32_t)i;
            return true;
        }
    }
    return false;
}

static void take_answer(struct asker *asker, uint32_t id, const struct dns_answer *answer)
{
    struct lookup *lookup = CONTAINER_OF(asker, struct lookup, asker);
    chain_answer(&lookup->chains[id], answer);
}

/* What is known without asking (nothing to ask, or no memory) is told when the loop turns. */
static void at_once(struct timer *timer)
{
    struct addresses_query *query = CONTAINER_OF(timer, struct addresses_query, timer);
    struct lookup *lookup = query->impl;
    if (lookup) {
        turned(&lookup->asker);
        return;
    }
    query->v4.finding = query->v6.finding = ADDRESSES_TEMPORARY;
    query->status = (struct status_code){4, 3, 0};
    query->text = STR("no memory");
    query->done(query);
}

static void start_chains(struct lookup *lookup)
{
    struct addresses_query *query = lookup->query;
    const bool unwanted[2] = {query->no_ipv6, query->no_ipv4};
    for (size_t i = 0; i < 2; i++) {
        /* Each step of an alias is noted once, by the first family that is asked. */
        struct dns_notes *notes = i == 0 || unwanted[0] ? &lookup->notes : NULL;
        if (unwanted[i]) {
            result_of(query, i)->finding = ADDRESSES_UNASKED;
            lookup->chains[i].verdict = CHAIN_NODATA;
        } else {
            chain_start(&lookup->chains[i], query->arena, notes, query->host,
                        family_of[i] == IP_V6 ? DNS_AAAA : DNS_A);
        }
    }
}

void addresses_start(struct addresses_query *query)
{
    struct lookup *lookup = ARENA_NEW(query->arena, struct lookup);
    query->impl = lookup;
    query->v4 = query->v6 = (struct addresses_family){.finding = ADDRESSES_OPEN};
    query->ip_count = query->step_count = 0;
    query->status = (struct status_code){0};
    query->timer = (struct timer){.fire = at_once};
    if (lookup) {
        lookup->query = query;
        lookup->notes.arena = query->arena;
        lookup->asker = (struct asker){.resolver = query->ports->resolver,
                                       .question = next_question,
                                       .answer = take_answer,
                                       .turned = turned};
        start_chains(lookup);
        asker_ask(&lookup->asker);
    }
    if (!lookup || lookup->chains[0].verdict != CHAIN_ASKING ||
        lookup->chains[1].verdict != CHAIN_ASKING) {
        query->ports->timers->arm(query->ports->timers, &query->timer, SPAN_S(0));
    }
}

void addresses_cancel(struct addresses_query *query)
{
    struct lookup *lookup = query->impl;
    query->impl = NULL;
    if (query->timer.fire) {
        query->ports->timers->cancel(query->ports->timers, &query->timer);
    }
    if (lookup) {
        asker_cancel(&lookup->asker);
    }
}
