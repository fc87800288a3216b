#include "path/policy/dmarc_query.h"

static void finish(struct dmarc_query *query)
{
    asker_cancel(&query->asker);
    query->ports->timers->cancel(query->ports->timers, &query->patience);
    query->done(query);
}

static void out_of_patience(struct timer *timer)
{
    struct dmarc_query *query = CONTAINER_OF(timer, struct dmarc_query, patience);
    dmarc_give_up(&query->dmarc);
    finish(query);
}

static bool next_question(struct asker *asker, struct dns_question *question)
{
    return dmarc_question(&CONTAINER_OF(asker, struct dmarc_query, asker)->dmarc, question);
}

static void take_answer(struct asker *asker, uint32_t id, const struct dns_answer *answer)
{
    (void)id; /* one question at a time */
    dmarc_answer(&CONTAINER_OF(asker, struct dmarc_query, asker)->dmarc, answer);
}

static void turned(struct asker *asker)
{
    struct dmarc_query *query = CONTAINER_OF(asker, struct dmarc_query, asker);
    if (query->dmarc.result != DMARC_OPEN) {
        finish(query);
    }
}

static struct dmarc_identifier identifier(const struct dmarc_query *query, struct str domain,
                                          bool by_spf)
{
    struct str name = arena_lower(query->arena, domain);
    return (struct dmarc_identifier){name, query->suffixes->organisation(query->suffixes, name),
                                     by_spf};
}

/* What passed, and whether more might have. */
static void gather(struct dmarc_query *query, struct dmarc_request *request)
{
    size_t count = 0;
    for (size_t i = 0; i < query->dkim->count; i++) {
        const struct dkim_check *check = &query->dkim->checks[i];
        if (check->signature.kind != SIGNATURE_DKIM) {
            continue;
        }
        if (check->result == DKIM_PASS && !check->testing) {
            query->passed[count++] = identifier(query, check->signature.domain, false);
        }
        request->temporary = request->temporary || check->result == DKIM_TEMPERROR;
    }
    if (query->spf && query->spf->result == SPF_PASS) {
        query->passed[count++] = identifier(query, query->spf->domain, true);
    }
    request->temporary = request->temporary || (query->spf && query->spf->result == SPF_TEMPERROR);
    request->passed = query->passed;
    request->passed_count = count;
}

void dmarc_query_start(struct dmarc_query *query)
{
    struct dmarc_request request = {.temporary = false};
    query->asker = (struct asker){.resolver = query->ports->resolver,
                                  .question = next_question,
                                  .answer = take_answer,
                                  .turned = turned};
    query->patience = (struct timer){.fire = out_of_patience};
    enum dmarc_from_finding finding = dmarc_from(query->header, query->arena, &request.from);
    if (finding == DMARC_FROM_GOOD) {
        request.organisation = query->suffixes->organisation(query->suffixes, request.from);
        gather(query, &request);
        dmarc_start(&query->dmarc, query->arena, &request);
        asker_ask(&query->asker);
    } else {
        dmarc_refuse(&query->dmarc, finding);
    }
    /* What is known without asking is told when the loop turns. */
    query->ports->timers->arm(query->ports->timers, &query->patience,
                              query->dmarc.result == DMARC_OPEN ? SPAN_S(20) : SPAN_S(0));
}

void dmarc_query_cancel(struct dmarc_query *query)
{
    asker_cancel(&query->asker);
    if (query->patience.fire) {
        query->ports->timers->cancel(query->ports->timers, &query->patience);
    }
}
