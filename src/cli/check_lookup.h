/* check_lookup.h: questions to the DNS for `check --security`. One after another: there is nobody
 * to hurry for. */
#pragma once

#include "cli/findings.h"
#include "config/config.h"
#include "core/dns/chain.h"
#include "world/loop.h"

/* `loop` runs while an answer is waited for. */
struct records {
    struct findings *findings;
    const struct config *config;
    struct loop *loop;
    struct arena arena;
    struct resolver_query query;
    struct buf message; /* what came, or nothing */
    enum resolver_result result;
};

struct dns_answer records_ask(struct records *r, const struct dns_question *question);
/* Along CNAMEs to records of that type. The chain's message is good until the next question. */
void records_look_up(struct records *r, struct chain *chain, struct str name, uint16_t type);
/* False, with a note about `what` of the name: the DNS did not answer. */
bool records_answered(struct records *r, const struct chain *chain, const char *what,
                      struct str name);
/* The text of the first TXT record that begins so, in the arena; empty: there is none; "?": no
 * answer, which is noted. */
struct str records_find_text(struct records *r, struct str name, struct str begin,
                             const char *what);
/* What makes mail to our domains private on its way here: TLSA records, MTA-STS, reports. */
void check_privacy(struct records *r);
