#include "path/policy/dmarc_query.h"

static struct dmarc_query *query_of(struct auth_asking *asking)
{
    return CONTAINER_OF(asking, struct dmarc_query, asking);
}

static bool next_question(struct auth_asking *asking, struct dns_question *question)
{
    return dmarc_question(&query_of(asking)->dmarc, question);
}

static void take_answer(struct auth_asking *asking, uint32_t id, const struct dns_answer *answer)
{
    (void)id; /* one question at a time */
    dmarc_answer(&query_of(asking)->dmarc, answer);
}

static bool is_over(struct auth_asking *asking)
{
    return query_of(asking)->dmarc.result != DMARC_OPEN;
}

static void give_up(struct auth_asking *asking)
{
    dmarc_give_up(&query_of(asking)->dmarc);
}

static void ended(struct auth_asking *asking)
{
    query_of(asking)->done(query_of(asking));
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
    static const struct auth_machine machine = {next_question, take_answer, is_over, give_up,
                                                ended};
    struct dmarc_request request = {.temporary = false};
    enum dmarc_from_finding finding = dmarc_from(query->header, query->arena, &request.from);
    if (finding == DMARC_FROM_GOOD) {
        request.organisation = query->suffixes->organisation(query->suffixes, request.from);
        gather(query, &request);
        dmarc_start(&query->dmarc, query->arena, &request);
    } else {
        dmarc_refuse(&query->dmarc, finding);
    }
    auth_asking_start(&query->asking, &machine, query->ports);
}

void dmarc_query_cancel(struct dmarc_query *query)
{
    auth_asking_cancel(&query->asking);
}
