/* judgement.c: trace_judge(): the rules asked one after the other, and summed up. */
#include "core/trace/judgement.h"

#include "core/trace/judging.h"
#include "core/trace/organisation.h"

enum { FORGED_AT = -100, SUSPECT_AT = -30, CONSISTENT_AT = 30, OLD_DAYS = 30, DAY = 86400 };

void judge_add(struct judge *j, size_t hop, enum rule rule, int weight, struct str text)
{
    struct trace_reason *reason = ARENA_NEW(j->arena, struct trace_reason);
    if (!reason || !text.ptr) {
        j->failed = true;
        return;
    }
    *reason = (struct trace_reason){.rule = &rules[rule], .weight = weight, .text = text};
    if (rules[rule].ages && j->age_days > OLD_DAYS) {
        reason->weight /= 2;
        reason->text = arena_format(j->arena, "%.*s (as the DNS is today, %lld days later)",
                                    STR_ARG(text), (long long)j->age_days);
    }
    struct trace_reason **end = hop == TRACE_NONE ? &j->t->reasons : &j->t->hops[hop].reasons;
    while (*end) {
        end = &(*end)->next;
    }
    *end = reason;
    if (hop != TRACE_NONE) {
        j->t->hops[hop].score += reason->weight;
    }
}

void judge_note(struct judge *j, size_t hop, enum rule rule, struct str text)
{
    judge_add(j, hop, rule, rules[rule].weight, text);
}

const struct trace_question *judge_answer(struct judge *j, const struct trace_hop *hop,
                                          enum trace_about about, enum rule rule)
{
    size_t index = hop->asked[about];
    if (index == TRACE_NONE || index >= j->t->question_count || !j->t->questions[index].answered) {
        return NULL;
    }
    j->consulted[rule] = true;
    return &j->t->questions[index];
}

bool answer_has_ip(const struct trace_question *answer, struct ip ip)
{
    for (size_t i = 0; i < answer->count && i < TRACE_ANSWERS_MAX; i++) {
        if (ip_eq(ip_unmap(answer->ips[i]), ip_unmap(ip))) {
            return true;
        }
    }
    return false;
}

/* What speaks for a line does not buy off what no honest server would have written. */
static enum trace_verdict verdict_of(const struct trace_hop *hop)
{
    int against = 0;
    for (const struct trace_reason *r = hop->reasons; r; r = r->next) {
        against += r->weight < 0 ? r->weight : 0;
    }
    if (hop->trusted) {
        return TRACE_PROVEN;
    }
    return against <= FORGED_AT          ? TRACE_FORGED
           : hop->score <= SUSPECT_AT    ? TRACE_SUSPECT
           : hop->score >= CONSISTENT_AT ? TRACE_CONSISTENT
                                         : TRACE_UNVERIFIABLE;
}

static void set_verdicts(struct judge *j)
{
    struct trace *t = j->t;
    t->verdict = t->hop_count > 0 ? TRACE_PROVEN : TRACE_UNVERIFIABLE;
    for (size_t i = 0; i < t->hop_count; i++) {
        struct trace_hop *hop = &t->hops[i];
        hop->verdict = verdict_of(hop);
        if (t->first_forged == TRACE_NONE && hop->verdict == TRACE_FORGED) {
            t->first_forged = i;
        } else if (t->first_forged != TRACE_NONE) {
            hop->verdict = TRACE_FORGED;
            judge_note(j, i, RULE_BELOW_FORGED,
                       arena_format(j->arena, "stands below line %zu, which is forged",
                                    t->first_forged + 1));
        }
        t->verdict = hop->verdict > t->verdict ? hop->verdict : t->verdict;
    }
}

/* The lowest line that is believed and names a client, rather one outside private networks. */
static void set_origin(struct trace *t)
{
    size_t any = TRACE_NONE, named = TRACE_NONE, outside = TRACE_NONE;
    for (size_t i = 0; i < t->hop_count && t->hops[i].verdict < TRACE_SUSPECT; i++) {
        const struct received *r = &t->hops[i].received;
        any = i;
        named = r->ip.family != IP_NONE ? i : named;
        outside = r->ip.family != IP_NONE && !address_is_inside(r->ip) ? i : outside;
    }
    t->origin = outside != TRACE_NONE ? outside : named != TRACE_NONE ? named : any;
    if (t->origin != TRACE_NONE) {
        const struct received *r = &t->hops[t->origin].received;
        t->origin_ip = r->ip;
        t->origin_name = r->rdns.len > 0   ? r->rdns
                         : r->helo.len > 0 ? r->helo
                         : r->from.len > 0 ? r->from
                                           : r->by;
    }
}

/* What a rule that needs the DNS waits for. */
static const enum trace_question_kind rests_on[RULE_COUNT] = {
    [RULE_CONTINUITY_ADDRESS] = TRACE_ASK_ADDRESSES,
    [RULE_RDNS_FORWARD] = TRACE_ASK_ADDRESSES,
    [RULE_RDNS_CONFIRMED] = TRACE_ASK_ADDRESSES,
    [RULE_HELO_FORWARD] = TRACE_ASK_ADDRESSES,
    [RULE_HELO_CONFIRMED] = TRACE_ASK_ADDRESSES,
    [RULE_RDNS_REVERSE] = TRACE_ASK_NAME,
    [RULE_SPF] = TRACE_ASK_SPF,
    [RULE_SPF_FAIL] = TRACE_ASK_SPF,
    [RULE_DKIM] = TRACE_ASK_DKIM,
    [RULE_ARC] = TRACE_ASK_ARC,
};

/* Not where there was nothing to ask. */
static bool is_left_out(const struct judge *j, size_t rule)
{
    const struct trace *t = j->t;
    bool waits = t->questions == NULL;
    for (size_t i = 0; i < t->question_count && !waits; i++) {
        waits = t->questions[i].kind == rests_on[rule] && !t->questions[i].answered;
    }
    return rules[rule].needs_dns && !j->consulted[rule] && waits;
}

static bool set_left_out(struct judge *j)
{
    struct trace *t = j->t;
    t->left_out = arena_array(j->arena, RULE_COUNT, sizeof(struct trace_rule *));
    for (size_t i = 0; t->left_out && i < RULE_COUNT; i++) {
        if (is_left_out(j, i)) {
            t->left_out[t->left_out_count++] = &rules[i];
        }
    }
    return t->left_out;
}

static void reset(struct trace *t)
{
    for (size_t i = 0; i < t->hop_count; i++) {
        t->hops[i].trusted = false;
        t->hops[i].score = 0;
        t->hops[i].verdict = TRACE_UNVERIFIABLE;
        t->hops[i].reasons = NULL;
    }
    t->reasons = NULL;
    t->boundary = t->first_forged = t->origin = TRACE_NONE;
    t->boundary_ip = t->origin_ip = (struct ip){0};
    t->origin_name = (struct str){0};
    t->left_out_count = 0;
}

bool trace_judge(struct trace *t, const struct trace_trust *trust, int64_t now)
{
    static void (*const parts[])(struct judge * j) = {
        judge_links, judge_boundary, judge_continuity, judge_addresses,
        judge_times, judge_forms,    judge_placement,  judge_witnesses,
    };
    struct judge j = {.t = t, .arena = t->arena, .trust = trust, .now = now};
    reset(t);
    j.links = arena_array(j.arena, t->hop_count, sizeof *j.links);
    if (!j.links) {
        return false;
    }
    if (now > 0 && t->hop_count > 0 && t->hops[0].received.date.known) {
        j.age_days = (now - t->hops[0].received.date.seconds) / DAY;
    }
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        parts[i](&j);
    }
    set_verdicts(&j);
    set_origin(t);
    return set_left_out(&j) && !j.failed;
}

const char *trace_verdict_name(enum trace_verdict verdict)
{
    static const char *const names[] = {
        [TRACE_PROVEN] = "proven",
        [TRACE_CONSISTENT] = "consistent",
        [TRACE_UNVERIFIABLE] = "unverifiable",
        [TRACE_SUSPECT] = "suspect",
        [TRACE_FORGED] = "forged",
    };
    return names[verdict];
}
