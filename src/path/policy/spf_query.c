#include "path/policy/spf_query.h"

static struct spf_query *query_of(struct auth_asking *asking)
{
    return CONTAINER_OF(asking, struct spf_query, asking);
}

static bool next_question(struct auth_asking *asking, struct dns_question *question)
{
    return spf_question(&query_of(asking)->spf, question);
}

static void take_answer(struct auth_asking *asking, uint32_t id, const struct dns_answer *answer)
{
    (void)id; /* one question at a time */
    spf_answer(&query_of(asking)->spf, answer);
}

static bool is_over(struct auth_asking *asking)
{
    return query_of(asking)->spf.result != SPF_OPEN;
}

static void give_up(struct auth_asking *asking)
{
    spf_give_up(&query_of(asking)->spf);
}

static void ended(struct auth_asking *asking)
{
    query_of(asking)->done(query_of(asking));
}

void spf_query_start(struct spf_query *query)
{
    static const struct auth_machine machine = {next_question, take_answer, is_over, give_up,
                                                ended};
    spf_start(&query->spf, query->arena, &query->request);
    auth_asking_start(&query->asking, &machine, query->ports);
}

void spf_query_cancel(struct spf_query *query)
{
    auth_asking_cancel(&query->asking);
}
