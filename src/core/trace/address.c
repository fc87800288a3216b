/* address.c: could the client that a line names have been there, and do its names and its address
 * confirm each other? */
#include "core/trace/judging.h"
#include "core/trace/organisation.h"

/* Software that writes a name from the DNS only after it has found the address under it. */
static bool checks_names(const struct received *r)
{
    static const struct str software[] = {STR_INIT("Postfix"),   STR_INIT("Exim"),
                                          STR_INIT("OpenSMTPD"), STR_INIT("Postrider"),
                                          STR_INIT("Gmail"),     STR_INIT("Sendmail")};
    for (size_t i = 0; i < ARRAY_LEN(software); i++) {
        if (str_eq(r->software.name, software[i])) {
            return !r->may_be_forged;
        }
    }
    return r->rdns_verified;
}

/* A host of another organisation, by its name in the DNS, at an address that is inside. */
static bool is_misplaced(const struct received *r)
{
    return address_is_inside(r->ip) && name_is_public(r->rdns) && name_is_public(r->by) &&
           !same_organisation(r->rdns, r->by);
}

/* Among addresses that are real, one for examples is made up; where all are such, the message is an
 * example itself. */
static bool is_among_real(const struct trace *t)
{
    size_t examples = 0, real = 0;
    for (size_t i = 0; i < t->hop_count; i++) {
        enum address_kind kind = address_kind(t->hops[i].received.ip);
        examples += kind == ADDRESS_DOCUMENTATION;
        real += kind == ADDRESS_PUBLIC;
    }
    return real > 0 && examples <= real;
}

/* By what it called itself the client is of another organisation than the receiver. */
static bool is_of_others(const struct received *r)
{
    return name_is_public(r->helo) && name_is_public(r->by) && !same_organisation(r->helo, r->by);
}

static void judge_kind(struct judge *j, size_t i, bool real)
{
    enum { IN_EXAMPLE = -20 };
    const struct received *r = &j->t->hops[i].received;
    char space[IP_TEXT_MAX];
    struct str ip = r->ip.family == IP_NONE ? STR("") : ip_text(r->ip, space);
    enum address_kind kind = address_kind(r->ip);
    if (r->bad_ip && kind == ADDRESS_NONE) {
        judge_note(j, i, RULE_ADDRESS_IMPOSSIBLE,
                   STR("what stands where the client's address should is none"));
    } else if (kind == ADDRESS_IMPOSSIBLE || (kind == ADDRESS_RESERVED && is_of_others(r))) {
        judge_note(j, i, RULE_ADDRESS_IMPOSSIBLE,
                   arena_format(j->arena, "no client can have the address %.*s", STR_ARG(ip)));
    } else if (kind == ADDRESS_DOCUMENTATION) {
        judge_add(j, i, RULE_ADDRESS_DOCUMENTATION,
                  real ? rules[RULE_ADDRESS_DOCUMENTATION].weight : IN_EXAMPLE,
                  arena_format(j->arena, "%.*s is an address for examples", STR_ARG(ip)));
    } else if (is_misplaced(r)) {
        judge_note(j, i, RULE_ADDRESS_PRIVATE,
                   arena_format(j->arena, "%.*s cannot have reached %.*s from %.*s",
                                STR_ARG(shown(r->rdns)), STR_ARG(shown(r->by)), STR_ARG(ip)));
    }
}

/* Too many answers to know that one is missing. */
static bool is_full(const struct trace_question *answer)
{
    return answer->count >= TRACE_ANSWERS_MAX;
}

static bool has_name(const struct trace_question *answer, struct str name)
{
    for (size_t i = 0; i < answer->count && i < TRACE_ANSWERS_MAX; i++) {
        if (names_equal(answer->names[i], name)) {
            return true;
        }
    }
    return false;
}

/* The name that the receiver found in the DNS, and what was asked about it. Exim writes that name
 * alone where the client called itself by it. */
static struct str found_name(const struct received *r, enum trace_about *about)
{
    bool exim =
        str_eq(r->software.name, STR("Exim")) && r->rdns.len == 0 && str_eq(r->helo, r->from);
    *about = exim ? TRACE_ABOUT_HELO : TRACE_ABOUT_RDNS;
    return exim ? r->helo : r->rdns;
}

static void judge_forward(struct judge *j, size_t i)
{
    enum { NAME_IS_GONE = -30, UNCHECKED = -30 };
    const struct trace_hop *hop = &j->t->hops[i];
    const struct received *r = &hop->received;
    enum trace_about about;
    struct str name = found_name(r, &about);
    const struct trace_question *forward = judge_answer(j, hop, about, RULE_RDNS_FORWARD);
    char space[IP_TEXT_MAX];
    if (!forward || r->ip.family == IP_NONE || is_full(forward)) {
        return;
    }
    struct str ip = ip_text(r->ip, space);
    j->consulted[RULE_RDNS_CONFIRMED] = true;
    if (answer_has_ip(forward, r->ip)) {
        judge_note(
            j, i, RULE_RDNS_CONFIRMED,
            arena_format(j->arena, "%.*s has the address %.*s", STR_ARG(shown(name)), STR_ARG(ip)));
        return;
    }
    int weight = !checks_names(r)      ? UNCHECKED
                 : forward->count == 0 ? NAME_IS_GONE
                                       : rules[RULE_RDNS_FORWARD].weight;
    judge_add(j, i, RULE_RDNS_FORWARD, weight,
              arena_format(j->arena, "%.*s %s %.*s", STR_ARG(shown(name)),
                           forward->count == 0 ? "is not known in the DNS, as the name of"
                                               : "has other addresses than",
                           STR_ARG(ip)));
}

static void judge_reverse(struct judge *j, size_t i)
{
    const struct trace_hop *hop = &j->t->hops[i];
    const struct received *r = &hop->received;
    enum trace_about about;
    struct str said = found_name(r, &about);
    const struct trace_question *reverse = judge_answer(j, hop, TRACE_ABOUT_IP, RULE_RDNS_REVERSE);
    char space[IP_TEXT_MAX];
    if (!reverse || said.len == 0 || is_full(reverse) || has_name(reverse, said)) {
        return;
    }
    struct str ip = ip_text(r->ip, space);
    bool none = reverse->count == 0;
    struct str name = none ? STR("unknown") : shown(reverse->names[0]);
    judge_note(j, i, RULE_RDNS_REVERSE,
               arena_format(j->arena, "the name of %.*s is %.*s, not %.*s", STR_ARG(ip),
                            STR_ARG(name), STR_ARG(shown(said))));
}

static void judge_helo(struct judge *j, size_t i)
{
    const struct trace_hop *hop = &j->t->hops[i];
    const struct received *r = &hop->received;
    const struct trace_question *helo = judge_answer(j, hop, TRACE_ABOUT_HELO, RULE_HELO_FORWARD);
    enum trace_about about;
    char space[IP_TEXT_MAX];
    if (!helo || r->ip.family == IP_NONE || is_full(helo) ||
        names_equal(r->helo, found_name(r, &about))) {
        return;
    }
    struct str ip = ip_text(r->ip, space);
    j->consulted[RULE_HELO_CONFIRMED] = true;
    bool has = answer_has_ip(helo, r->ip);
    judge_note(j, i, has ? RULE_HELO_CONFIRMED : RULE_HELO_FORWARD,
               arena_format(j->arena, "%.*s, as the client called itself, %s the address %.*s",
                            STR_ARG(shown(r->helo)), has ? "has" : "does not have", STR_ARG(ip)));
}

void judge_addresses(struct judge *j)
{
    bool real = is_among_real(j->t);
    for (size_t i = 0; i < j->t->hop_count; i++) {
        if (!j->t->hops[i].trusted) {
            judge_kind(j, i, real);
            judge_forward(j, i);
            judge_reverse(j, i);
            judge_helo(j, i);
        }
    }
}
