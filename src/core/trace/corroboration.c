/* corroboration.c: what others say of the same: results of tests, signatures, certificates. */
#include "core/trace/judging.h"
#include "core/trace/organisation.h"

enum { WITNESSES_HEARD = 16 }; /* of each kind: each is held against every hop */

static bool names_client(const struct witness *w)
{
    return w->ip.family != IP_NONE &&
           (w->kind == WITNESS_RECEIVED_SPF || w->kind == WITNESS_AUTH_RESULTS ||
            w->kind == WITNESS_ARC_RESULTS);
}

static bool of_writer(const struct witness *w, const struct received *r)
{
    return w->by.len > 0 && (names_equal(w->by, r->by) || same_organisation(w->by, r->by));
}

static bool same_ip(struct ip a, struct ip b)
{
    return a.family != IP_NONE && ip_eq(ip_unmap(a), ip_unmap(b));
}

/* A field that stands above a line, below the next line up, was written after the line, by the same
 * server or on its behalf: the forger of what is below cannot have put it there. */
static bool stands_just_above(const struct trace *t, const struct witness *w, size_t hop)
{
    return w->position < t->hops[hop].position &&
           (hop == 0 || w->position > t->hops[hop - 1].position);
}

static void judge_results(struct judge *j, const struct witness *w)
{
    struct trace *t = j->t;
    char space[IP_TEXT_MAX];
    struct str ip = ip_text(w->ip, space);
    size_t contradicted = TRACE_NONE;
    for (size_t i = 0; i < t->hop_count; i++) {
        const struct received *r = &t->hops[i].received;
        if (same_ip(w->ip, r->ip)) {
            if (of_writer(w, r) && !t->hops[i].trusted) {
                judge_note(j, i, RULE_RESULTS_ADDRESS,
                           arena_format(j->arena, "%.*s of %.*s names %.*s too",
                                        STR_ARG(shown(w->name)), STR_ARG(shown(w->by)),
                                        STR_ARG(ip)));
            }
            return;
        }
        bool against = of_writer(w, r) && address_kind(r->ip) == ADDRESS_PUBLIC &&
                       stands_just_above(t, w, i) && !t->hops[i].trusted;
        contradicted = against && contradicted == TRACE_NONE ? i : contradicted;
    }
    if (contradicted != TRACE_NONE) {
        judge_note(j, contradicted, RULE_RESULTS_CONFLICT,
                   arena_format(j->arena, "%.*s of %.*s names %.*s instead",
                                STR_ARG(shown(w->name)), STR_ARG(shown(w->by)), STR_ARG(ip)));
    }
}

static void judge_originating(struct judge *j, const struct witness *w)
{
    for (size_t i = j->t->hop_count; i-- > 0;) {
        if (same_ip(w->ip, j->t->hops[i].received.ip)) {
            judge_note(
                j, i, RULE_ORIGINATING_IP,
                arena_format(j->arena, "%.*s names the same address", STR_ARG(shown(w->name))));
            return;
        }
    }
}

/* A reason for an untrusted hop; of what is fact anyway it says something of the message. */
static size_t hop_or_message(const struct trace *t, size_t hop)
{
    return hop != TRACE_NONE && t->hops[hop].trusted ? TRACE_NONE : hop;
}

static void judge_spf(struct judge *j, const struct trace_question *q)
{
    bool pass = str_eq_nocase(q->result, STR("pass")), fail = str_eq_nocase(q->result, STR("fail"));
    char space[IP_TEXT_MAX];
    j->consulted[RULE_SPF] = j->consulted[RULE_SPF_FAIL] = true;
    for (size_t i = 0; (pass || fail) && i < j->t->hop_count; i++) {
        if (same_ip(q->ip, j->t->hops[i].received.ip)) {
            struct str ip = ip_text(q->ip, space);
            judge_note(j, hop_or_message(j->t, i), pass ? RULE_SPF : RULE_SPF_FAIL,
                       arena_format(j->arena, "%.*s %s %.*s to send for it",
                                    STR_ARG(shown(q->name)), pass ? "allows" : "forbids",
                                    STR_ARG(ip)));
            return;
        }
    }
}

/* The newest line of the signer's organisation. */
static void judge_dkim(struct judge *j, const struct trace_question *q)
{
    j->consulted[RULE_DKIM] = true;
    if (!str_eq_nocase(q->result, STR("pass"))) {
        return;
    }
    size_t hop = 0;
    while (hop < j->t->hop_count && !same_organisation(q->name, j->t->hops[hop].received.by)) {
        hop++;
    }
    judge_note(j, hop_or_message(j->t, hop < j->t->hop_count ? hop : TRACE_NONE), RULE_DKIM,
               arena_format(j->arena, "the signature of %.*s verifies", STR_ARG(shown(q->name))));
}

/* Of a chain that validates, what its sealers saw is as good as they are. */
static void judge_arc(struct judge *j, const struct trace_question *q)
{
    const struct trace *t = j->t;
    j->consulted[RULE_ARC] = true;
    size_t heard = 0;
    for (size_t w = 0; str_eq_nocase(q->result, STR("pass")) && w < t->witness_count; w++) {
        const struct witness *results = &t->witnesses[w];
        if (results->kind != WITNESS_ARC_RESULTS || !names_client(results) ||
            heard++ == WITNESSES_HEARD) {
            continue;
        }
        for (size_t i = 0; i < t->hop_count; i++) {
            const struct received *r = &t->hops[i].received;
            if (same_ip(results->ip, r->ip) && of_writer(results, r) && !t->hops[i].trusted) {
                judge_note(j, i, RULE_ARC,
                           arena_format(j->arena, "the ARC set of instance %u names its client",
                                        results->instance));
                break;
            }
        }
    }
}

/* Postfix: "(Client CN "mail.example.net", Issuer "…" (verified OK))" */
static struct str verified_client(struct str value)
{
    size_t at = str_find_str(value, STR("Client CN \""));
    if (at == STR_NONE) {
        return (struct str){0};
    }
    struct str rest = str_tail(value, at + sizeof "Client CN \"" - 1);
    struct str name = str_split(&rest, '"');
    return str_find_str(rest, STR("(verified OK)")) == STR_NONE ? (struct str){0} : name;
}

static void judge_certificates(struct judge *j)
{
    for (size_t i = 0; i < j->t->hop_count; i++) {
        size_t upper = j->links[i].upper;
        if (j->t->hops[i].trusted || upper == TRACE_NONE) {
            continue;
        }
        struct str name = verified_client(j->t->hops[upper].value);
        if (names_equal(name, j->t->hops[i].received.by)) {
            judge_note(j, i, RULE_TLS_NAME,
                       arena_format(j->arena, "its certificate is of %.*s", STR_ARG(shown(name))));
        }
    }
}

void judge_witnesses(struct judge *j)
{
    const struct trace *t = j->t;
    size_t results = 0, origins = 0;
    for (size_t i = 0; i < t->witness_count; i++) {
        const struct witness *w = &t->witnesses[i];
        if (names_client(w) && results++ < WITNESSES_HEARD) {
            judge_results(j, w);
        } else if (w->kind == WITNESS_ORIGINATING_IP && origins++ < WITNESSES_HEARD) {
            judge_originating(j, w);
        }
    }
    for (size_t i = 0; i < t->question_count; i++) {
        const struct trace_question *q = &t->questions[i];
        if (q->answered && q->kind == TRACE_ASK_SPF) {
            judge_spf(j, q);
        } else if (q->answered && q->kind == TRACE_ASK_DKIM) {
            judge_dkim(j, q);
        } else if (q->answered && q->kind == TRACE_ASK_ARC) {
            judge_arc(j, q);
        }
    }
    judge_certificates(j);
}
