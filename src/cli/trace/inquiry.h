/* inquiry.h: one question of a trace, but those about signatures, answered by the machines of
 * core/dns and core/mailauth: it asks the DNS as often as it needs, and writes the answer into the
 * question. Pure. What the DNS leaves open stays unanswered. */
#pragma once

#include "core/dns/chain.h"
#include "core/mailauth/spf.h"
#include "core/trace/judgement.h"

struct inquiry {
    struct trace_question *question;
    struct arena *arena;

    /* Its own: */
    const struct inquiry_kind *kind;
    struct chain chains[2];
    size_t chain_count;
    struct spf *spf; /* in the arena */
};

/* False: it cannot be asked, and is over. */
NODISCARD bool inquiry_start(struct inquiry *i);
bool inquiry_question(struct inquiry *i, struct dns_question *question); /* false: none now */
void inquiry_answer(struct inquiry *i, uint32_t id, const struct dns_answer *answer);
/* True: it is over, and what came of it stands in the question. */
bool inquiry_ended(struct inquiry *i);
