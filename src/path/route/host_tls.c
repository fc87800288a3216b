#include "path/route/host_tls.h"

#include "core/dns/dane.h"
#include "path/route/asker.h"
#include "path/route/steps.h"

/* A lookup of TLSA records under way. It lives in the query's arena. */
struct lookup {
    struct host_tls_query *query;
    struct asker asker;
    struct dane dane;
};

static void refuse(struct host_tls_query *query, struct str text)
{
    query->status = (struct status_code){4, 7, 5};
    query->text = text.ptr ? text : STR("no memory");
}

/* Of a certificate by an authority that a TLSA record names, any of these names will do (RFC 7672
 * 3.2.2): the host's, before and after CNAMEs, and the domain that the mail is for. */
static void use_dane(struct host_tls_query *query, const struct dane *dane)
{
    struct str served = query->hop->tls.names;
    query->policy = (struct tls_policy){
        .level = TLS_DANE,
        .implicit = query->hop->tls.implicit,
        .tlsa = dane->records,
        .tlsa_count = dane->count,
        .base = dane->base,
        .domain = query->hop->tls.domain,
        .names = arena_format(query->arena, "%.*s %.*s", STR_ARG(dane->host), STR_ARG(served)),
        .source = STR("DANE"),
    };
    if (!query->policy.names.ptr) {
        refuse(query, (struct str){0});
    }
}

/* A policy in testing changes nothing but what is reported: `names` is what would be wanted. */
static void use_sts(struct host_tls_query *query)
{
    const struct tls_policy *hop = &query->hop->tls;
    query->policy.dane = false;
    if (hop->sts == STS_NONE) {
        return;
    }
    struct str host = query->hop->hosts[query->host].name;
    if (hop->sts == STS_TESTING) {
        query->policy.names = host;
        return;
    }
    if (!sts_names_host(hop->sts_mx, host)) {
        refuse(query, arena_format(query->arena,
                                   "the MTA-STS policy of %.*s does not name %.*s, and so no mail "
                                   "goes there",
                                   STR_ARG(hop->names), STR_ARG(host)));
        return;
    }
    query->policy.level = TLS_VERIFY;
    query->policy.names = host;
    query->policy.source = STR("MTA-STS");
}

/* RFC 8689 4.2.1: a certificate for a host's name, and a name that is no forger's. */
static void require(struct host_tls_query *query)
{
    const struct next_hop *hop = query->hop;
    struct tls_policy *policy = &query->policy;
    bool sure = policy->level == TLS_VERIFY || policy->level == TLS_DANE ||
                policy->level == TLS_FINGERPRINT;
    if (!hop->tls.required || hop->kind != HOP_SMTP || query->status.class != 0 || sure) {
        return;
    }
    struct str host = hop->hosts[query->host].name;
    bool named = hop->secure || (hop->tls.sts && sts_names_host(hop->tls.sts_mx, host));
    policy->level = TLS_VERIFY;
    policy->names = host;
    policy->source = STR("REQUIRETLS");
    if (!named) {
        query->status = (struct status_code){5, 7, 30};
        query->text = arena_format(query->arena,
                                   "the sender demands that the message stays private "
                                   "(REQUIRETLS), and neither DNSSEC nor MTA-STS vouches for %.*s",
                                   STR_ARG(host));
    }
}

static void judge(struct host_tls_query *query, const struct dane *dane)
{
    switch (dane->verdict) {
    case DANE_ASKING:
    case DANE_NONE:
        use_sts(query);
        break;
    case DANE_USABLE:
        use_dane(query, dane);
        break;
    case DANE_UNUSABLE:
        query->policy.level = TLS_ENCRYPT;
        query->policy.base = dane->base;
        query->policy.source = STR("DANE");
        break;
    case DANE_FAILED:
        refuse(query,
               arena_format(query->arena,
                            "the TLSA records of %.*s cannot be had (%s), and DANE allows no "
                            "mail without them",
                            STR_ARG(dane->host), dane->reason));
        break;
    }
    require(query);
    query->steps = steps_from(&dane->notes, query->arena, &query->step_count);
}

static void turned(struct asker *asker)
{
    struct lookup *lookup = CONTAINER_OF(asker, struct lookup, asker);
    struct host_tls_query *query = lookup->query;
    if (lookup->dane.verdict != DANE_ASKING) {
        judge(query, &lookup->dane);
        query->impl = NULL;
        query->done(query);
    }
}

static bool next_question(struct asker *asker, struct dns_question *question)
{
    return dane_question(&CONTAINER_OF(asker, struct lookup, asker)->dane, question);
}

static void take_answer(struct asker *asker, uint32_t id, const struct dns_answer *answer)
{
    (void)id; /* it asks one thing at a time */
    dane_answer(&CONTAINER_OF(asker, struct lookup, asker)->dane, answer);
}

bool host_tls_start(struct host_tls_query *query)
{
    const struct next_hop *hop = query->hop;
    query->policy = hop->tls;
    query->status = (struct status_code){0};
    query->steps = NULL;
    query->step_count = 0;
    query->impl = NULL;
    if (!hop->tls.dane || hop->hosts[query->host].literal.family != IP_NONE) {
        use_sts(query);
        require(query);
        return true;
    }
    struct lookup *lookup = ARENA_NEW(query->arena, struct lookup);
    if (!lookup) {
        refuse(query, (struct str){0});
        return true;
    }
    lookup->query = query;
    lookup->asker = (struct asker){.resolver = query->ports->resolver,
                                   .question = next_question,
                                   .answer = take_answer,
                                   .turned = turned};
    dane_start(&lookup->dane, query->arena, hop->hosts[query->host].name, hop->port);
    if (lookup->dane.verdict != DANE_ASKING) {
        judge(query, &lookup->dane);
        return true;
    }
    query->impl = lookup;
    asker_ask(&lookup->asker);
    return false;
}

void host_tls_cancel(struct host_tls_query *query)
{
    struct lookup *lookup = query->impl;
    query->impl = NULL;
    if (lookup) {
        asker_cancel(&lookup->asker);
    }
}
