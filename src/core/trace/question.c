/* question.c: trace_ask(): what the DNS would be asked. */
#include "core/trace/organisation.h"

#include "core/trace/judgement.h"

enum { SLOTS = 1024 }; /* a power of two, well over TRACE_QUESTIONS_MAX */

enum { SIGNATURES_ASKED_MAX = 8, SPF_ASKED_MAX = 2, NAME_MAX_LENGTH = 255 };

struct asking {
    struct trace *t;
    uint16_t *slots; /* a closed table of indexes + 1 */
};

/* FNV-1a. Whoever aims for one slot gains nothing: the table holds TRACE_QUESTIONS_MAX. */
static uint32_t mix(uint32_t hash, const void *bytes, size_t length)
{
    const unsigned char *at = bytes;
    for (size_t i = 0; i < length; i++) {
        hash = (hash ^ (unsigned char)ascii_lower((char)at[i])) * 16777619U;
    }
    return hash;
}

static bool same(const struct trace_question *a, const struct trace_question *b)
{
    return a->kind == b->kind && str_eq_nocase(a->name, b->name) &&
           str_eq_nocase(a->helo, b->helo) && ip_eq(a->ip, b->ip) && a->position == b->position;
}

/* The index of the question, new or known; TRACE_NONE where there are too many. */
static size_t ask(struct asking *a, const struct trace_question *question)
{
    struct trace *t = a->t;
    uint32_t hash = mix(2166136261U, question->name.ptr, question->name.len);
    hash = mix(hash, question->ip.bytes, sizeof question->ip.bytes) + (uint32_t)question->kind;
    for (uint32_t slot = hash % SLOTS;; slot = (slot + 1) % SLOTS) {
        if (a->slots[slot] == 0 && t->question_count < TRACE_QUESTIONS_MAX) {
            t->questions[t->question_count] = *question;
            a->slots[slot] = (uint16_t)++t->question_count;
        }
        if (a->slots[slot] == 0) {
            return TRACE_NONE;
        }
        if (same(&t->questions[a->slots[slot] - 1], question)) {
            return a->slots[slot] - 1U;
        }
    }
}

static size_t ask_name(struct asking *a, struct str name)
{
    if (!name_is_public(name) || name.len > NAME_MAX_LENGTH) {
        return TRACE_NONE;
    }
    name = name.ptr[name.len - 1] == '.' ? str_head(name, name.len - 1) : name;
    return ask(a, &(struct trace_question){.kind = TRACE_ASK_ADDRESSES, .name = name});
}

static bool is_askable(struct ip ip)
{
    enum address_kind kind = address_kind(ip);
    return kind == ADDRESS_PUBLIC || kind == ADDRESS_DOCUMENTATION;
}

static void ask_about_hop(struct asking *a, struct trace_hop *hop)
{
    const struct received *r = &hop->received;
    if (is_askable(r->ip)) {
        hop->asked[TRACE_ABOUT_IP] =
            ask(a, &(struct trace_question){.kind = TRACE_ASK_NAME, .ip = ip_unmap(r->ip)});
        hop->asked[TRACE_ABOUT_RDNS] = ask_name(a, r->rdns);
        hop->asked[TRACE_ABOUT_HELO] = ask_name(a, r->helo);
    }
    hop->asked[TRACE_ABOUT_BY] = ask_name(a, r->by);
}

static struct str domain_of(struct str address)
{
    size_t at = str_rfind(address, '@');
    return at == STR_NONE ? (struct str){0} : str_tail(address, at + 1);
}

static struct str return_path_domain(const struct trace *t)
{
    for (size_t i = 0; i < t->witness_count; i++) {
        if (t->witnesses[i].kind == WITNESS_RETURN_PATH) {
            return t->witnesses[i].host;
        }
    }
    return (struct str){0};
}

/* SPF is of the host that handed over at the border: of the newest hops with a public client. */
static void ask_spf(struct asking *a)
{
    size_t asked = 0;
    struct str final = return_path_domain(a->t);
    for (size_t i = 0; i < a->t->hop_count && asked < SPF_ASKED_MAX; i++) {
        const struct received *r = &a->t->hops[i].received;
        struct str domain = domain_of(r->envelope_from);
        domain = domain.len > 0 ? domain : final;
        domain = domain.len > 0 ? domain : r->helo;
        if (is_askable(r->ip) && name_is_public(domain)) {
            asked++;
            (void)ask(a, &(struct trace_question){.kind = TRACE_ASK_SPF,
                                                  .name = domain,
                                                  .helo = r->helo,
                                                  .ip = ip_unmap(r->ip)});
        }
    }
}

static void ask_signatures(struct asking *a)
{
    size_t signatures = 0;
    bool sealed = false;
    for (size_t i = 0; i < a->t->witness_count; i++) {
        const struct witness *w = &a->t->witnesses[i];
        if (w->kind == WITNESS_DKIM_SIGNATURE && signatures++ < SIGNATURES_ASKED_MAX) {
            (void)ask(a, &(struct trace_question){
                             .kind = TRACE_ASK_DKIM, .name = w->host, .position = w->position});
        } else if (w->kind == WITNESS_ARC_SEAL && !sealed) {
            sealed = true;
            (void)ask(a, &(struct trace_question){
                             .kind = TRACE_ASK_ARC, .name = w->host, .position = w->position});
        }
    }
}

bool trace_ask(struct trace *t)
{
    struct asking a = {.t = t};
    t->question_count = 0;
    t->questions = arena_array(t->arena, TRACE_QUESTIONS_MAX, sizeof *t->questions);
    a.slots = arena_array(t->arena, SLOTS, sizeof *a.slots);
    if (!t->questions || !a.slots) {
        return false;
    }
    ask_signatures(&a);
    ask_spf(&a);
    for (size_t i = 0; i < t->hop_count; i++) {
        ask_about_hop(&a, &t->hops[i]);
    }
    return true;
}
