#include "path/policy/spf_query.h"

static void finish(struct spf_query *query)
{
    asker_cancel(&query->asker);
    query->ports->timers->cancel(query->ports->timers, &query->patience);
    query->done(query);
}

static void out_of_patience(struct timer *timer)
{
    struct spf_query *query = CONTAINER_OF(timer, struct spf_query, patience);
    spf_give_up(&query->spf);
    finish(query);
}

static bool next_question(struct asker *asker, struct dns_question *question)
{
    return spf_question(&CONTAINER_OF(asker, struct spf_query, asker)->spf, question);
}

static void take_answer(struct asker *asker, uint32_t id, const struct dns_answer *answer)
{
    (void)id; /* one question at a time */
    spf_answer(&CONTAINER_OF(asker, struct spf_query, asker)->spf, answer);
}

static void turned(struct asker *asker)
{
    struct spf_query *query = CONTAINER_OF(asker, struct spf_query, asker);
    if (query->spf.result != SPF_OPEN) {
        finish(query);
    }
}

void spf_query_start(struct spf_query *query)
{
    query->asker = (struct asker){.resolver = query->ports->resolver,
                                  .question = next_question,
                                  .answer = take_answer,
                                  .turned = turned};
    query->patience = (struct timer){.fire = out_of_patience};
    spf_start(&query->spf, query->arena, &query->request);
    asker_ask(&query->asker);
    /* What is known without asking is told when the loop turns. */
    query->ports->timers->arm(query->ports->timers, &query->patience,
                              query->spf.result == SPF_OPEN ? SPAN_S(20) : SPAN_S(0));
}

void spf_query_cancel(struct spf_query *query)
{
    asker_cancel(&query->asker);
    if (query->patience.fire) {
        query->ports->timers->cancel(query->ports->timers, &query->patience);
    }
}
