#include "cli/trace/inquiry.h"

#include "core/dns/idn.h"

/* How a kind of question is asked and read. */
struct inquiry_kind {
    bool (*start)(struct inquiry *i);
    bool (*question)(struct inquiry *i, struct dns_question *question);
    void (*answer)(struct inquiry *i, uint32_t id, const struct dns_answer *answer);
    bool (*ended)(struct inquiry *i);
};

static bool start_addresses(struct inquiry *i)
{
    struct buf name = {0};
    bool fine = idn_to_ascii(&name, i->question->name);
    if (fine) {
        chain_start(&i->chains[0], i->arena, NULL, buf_str(&name), DNS_A);
        chain_start(&i->chains[1], i->arena, NULL, buf_str(&name), DNS_AAAA);
        i->chain_count = 2;
    }
    buf_done(&name);
    return fine;
}

static bool start_name(struct inquiry *i)
{
    struct buf name = {0};
    ip_reverse_name(&name, i->question->ip);
    bool fine = name.len > 0 && !name.failed;
    if (fine) {
        chain_start(&i->chains[0], i->arena, NULL, buf_str(&name), DNS_PTR);
        i->chain_count = 1;
    }
    buf_done(&name);
    return fine;
}

static bool question_chains(struct inquiry *i, struct dns_question *question)
{
    for (size_t n = 0; n < i->chain_count; n++) {
        if (chain_question(&i->chains[n], question)) {
            question->id = (uint32_t)n;
            return true;
        }
    }
    return false;
}

static void answer_chains(struct inquiry *i, uint32_t id, const struct dns_answer *answer)
{
    chain_answer(&i->chains[id], answer);
}

static void take_records(struct inquiry *i, const struct chain *chain)
{
    struct trace_question *q = i->question;
    struct dns_record_iter it = chain_records_begin(chain);
    struct dns_record record;
    while (q->count < TRACE_ANSWERS_MAX && chain_record_next(chain, &it, &record)) {
        if (chain->type == DNS_PTR) {
            q->names[q->count] = dns_name_text(&record.target, i->arena);
            q->count += q->names[q->count].ptr != NULL;
        } else {
            q->ips[q->count++] = record.ip;
        }
    }
}

/* All must be known: one that is not might have been the one that fits. */
static bool ended_chains(struct inquiry *i)
{
    bool answered = true;
    for (size_t n = 0; n < i->chain_count; n++) {
        if (i->chains[n].verdict == CHAIN_ASKING) {
            return false;
        }
        answered = answered && i->chains[n].verdict != CHAIN_TEMPORARY;
    }
    i->question->answered = answered;
    i->question->count = 0;
    for (size_t n = 0; answered && n < i->chain_count; n++) {
        if (i->chains[n].verdict == CHAIN_FOUND) {
            take_records(i, &i->chains[n]);
        }
    }
    return true;
}

static bool start_spf(struct inquiry *i)
{
    const struct trace_question *q = i->question;
    struct spf_request request = {.ip = q->ip, .sender = q->name, .helo = q->helo};
    i->spf = ARENA_NEW(i->arena, struct spf);
    if (i->spf) {
        spf_start(i->spf, i->arena, &request);
    }
    return i->spf != NULL;
}

static bool question_spf(struct inquiry *i, struct dns_question *question)
{
    return spf_question(i->spf, question);
}

static void answer_spf(struct inquiry *i, uint32_t id, const struct dns_answer *answer)
{
    (void)id; /* one at a time */
    spf_answer(i->spf, answer);
}

static bool ended_spf(struct inquiry *i)
{
    i->question->answered = i->spf->result != SPF_OPEN && i->spf->result != SPF_TEMPERROR;
    i->question->result = str_from_cstr(spf_result_name(i->spf->result));
    return i->spf->result != SPF_OPEN;
}

static const struct inquiry_kind kinds[] = {
    [TRACE_ASK_ADDRESSES] = {start_addresses, question_chains, answer_chains, ended_chains},
    [TRACE_ASK_NAME] = {start_name, question_chains, answer_chains, ended_chains},
    [TRACE_ASK_SPF] = {start_spf, question_spf, answer_spf, ended_spf},
    [TRACE_ASK_DKIM] = {0}, /* path/policy/dkim_query.h */
    [TRACE_ASK_ARC] = {0},
};

bool inquiry_start(struct inquiry *i)
{
    const struct inquiry_kind *kind = &kinds[i->question->kind];
    i->kind = kind->start && kind->start(i) ? kind : NULL;
    return i->kind != NULL;
}

bool inquiry_question(struct inquiry *i, struct dns_question *question)
{
    return i->kind->question(i, question);
}

void inquiry_answer(struct inquiry *i, uint32_t id, const struct dns_answer *answer)
{
    i->kind->answer(i, id, answer);
}

bool inquiry_ended(struct inquiry *i)
{
    return !i->kind || i->kind->ended(i);
}
