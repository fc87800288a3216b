/* form.c: what the software that a line names never writes like this. */
#include "core/trace/id_form.h"
#include "core/trace/judging.h"
#include "core/trace/token.h"

/* How the field's clauses stand, as they were written. */
struct clauses {
    struct str with; /* the word after "with" */
    bool ordered;    /* from, by, via, with, id, for */
};

static struct clauses clauses_of(struct str value)
{
    static const struct str order[] = {STR_INIT("from"), STR_INIT("by"), STR_INIT("via"),
                                       STR_INIT("with"), STR_INIT("id"), STR_INIT("for")};
    enum { WITH = 3 };
    struct clauses c = {.ordered = true};
    size_t last = 0;
    bool takes_word = false, with = false;
    for (struct token token; (token = token_next(&value)).kind != TOKEN_END;) {
        if (token.kind == TOKEN_SEMICOLON) {
            break;
        }
        if (token.kind != TOKEN_WORD || takes_word) {
            c.with = token.kind == TOKEN_WORD && with && c.with.len == 0 ? token.text : c.with;
            takes_word = takes_word && token.kind != TOKEN_WORD;
            continue;
        }
        for (size_t i = 0; i < ARRAY_LEN(order); i++) {
            if (str_eq_nocase(token.text, order[i])) {
                c.ordered = c.ordered && i >= last;
                last = i;
                takes_word = true;
                with = i == WITH;
            }
        }
    }
    return c;
}

static bool has_lower(struct str word)
{
    for (size_t i = 0; i < word.len; i++) {
        if (word.ptr[i] >= 'a' && word.ptr[i] <= 'z') {
            return true;
        }
    }
    return false;
}

/* RFC 3848 and RFC 6531's keywords, in capitals, as nearly all write them. */
static bool is_registered(struct str word)
{
    static const struct str names[] = {
        STR_INIT("SMTP"),       STR_INIT("ESMTP"),    STR_INIT("ESMTPA"),    STR_INIT("ESMTPS"),
        STR_INIT("ESMTPSA"),    STR_INIT("LMTP"),     STR_INIT("LMTPA"),     STR_INIT("LMTPS"),
        STR_INIT("LMTPSA"),     STR_INIT("UTF8SMTP"), STR_INIT("UTF8SMTPA"), STR_INIT("UTF8SMTPS"),
        STR_INIT("UTF8SMTPSA"), STR_INIT("UTF8LMTP"), STR_INIT("UTF8LMTPA"), STR_INIT("UTF8LMTPS"),
        STR_INIT("UTF8LMTPSA"), STR_INIT("MMS"),      STR_INIT("HTTP"),      STR_INIT("HTTPS"),
    };
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (str_eq_nocase(word, names[i])) {
            return true;
        }
    }
    return false;
}

/* What is known of how software writes. */
static const struct habit {
    struct str software;
    bool capitals; /* "with" has registered keywords, in capitals */
    bool lower;    /* "with" has small letters: Exim's words are as they are in its source */
    bool ordered;  /* clauses stand in the order of RFC 5321 4.4 */
    bool weekday;  /* dates begin with the day of the week */
} habits[] = {
    {STR_INIT("Postfix"), true, false, true, true},
    {STR_INIT("OpenSMTPD"), true, false, true, true},
    {STR_INIT("Postrider"), true, false, true, true},
    {STR_INIT("Exim"), false, true, false, true},
    {STR_INIT("Sendmail"), true, false, false, true},
    {STR_INIT("Gmail"), false, false, false, true},
    {STR_INIT("Exchange"), false, false, false, true},
};

static void judge_habits(struct judge *j, size_t i, const struct habit *habit)
{
    const struct trace_hop *hop = &j->t->hops[i];
    struct clauses c = clauses_of(hop->value);
    struct str name = habit->software;
    bool capitals = habit->capitals && c.with.len > 0 &&
                    (!is_registered(c.with) || has_lower(c.with)) &&
                    !str_eq_nocase(c.with, STR("QMQP")) && !str_eq_nocase(c.with, STR("local"));
    if (capitals || (habit->lower && is_registered(c.with) && !has_lower(c.with))) {
        judge_note(j, i, RULE_WITH_FORM,
                   arena_format(j->arena, "%.*s does not write \"with %.*s\"", STR_ARG(name),
                                STR_ARG(shown(c.with))));
    }
    if (habit->ordered && !c.ordered) {
        judge_note(
            j, i, RULE_CLAUSE_ORDER,
            arena_format(j->arena, "%.*s writes its clauses in another order", STR_ARG(name)));
    }
    if (habit->weekday && hop->received.date.known && !hop->received.date.weekday_said) {
        judge_note(j, i, RULE_DATE_FORM,
                   arena_format(j->arena, "%.*s writes the day of the week into its dates",
                                STR_ARG(name)));
    }
}

static void judge_id_form(struct judge *j, size_t i)
{
    enum { ODD_WEIGHT = -50 };
    const struct trace_hop *hop = &j->t->hops[i];
    enum id_form form = id_form_of(&hop->received, hop->value);
    if (form == ID_FOREIGN || form == ID_ODD) {
        judge_add(j, i, RULE_ID_FORM, form == ID_ODD ? ODD_WEIGHT : rules[RULE_ID_FORM].weight,
                  arena_format(j->arena, "%.*s does not make ids like %.*s",
                               STR_ARG(hop->received.software.name),
                               STR_ARG(shown(hop->received.id))));
    }
}

static bool is_known_protocol(const struct received *r)
{
    struct str word = r->with;
    bool odd = false;
    for (size_t i = 0; i < word.len; i++) {
        odd = odd || !ascii_is_alnum(word.ptr[i]);
    }
    return word.len == 0 || is_registered(word) || odd || r->software.name.len > 0;
}

/* What a line of unknown software says at all. */
static void judge_general(struct judge *j, size_t i)
{
    const struct received *r = &j->t->hops[i].received;
    if (r->from.len == 0 && r->by.len == 0 && r->ip.family == IP_NONE &&
        r->software.name.len == 0) {
        judge_note(j, i, RULE_UNREADABLE, STR("says neither who received nor from whom"));
    }
    if (!is_known_protocol(r) && !hop_is_local_submission(&j->t->hops[i])) {
        judge_note(
            j, i, RULE_WITH_REGISTERED,
            arena_format(j->arena, "no protocol is called \"%.*s\"", STR_ARG(shown(r->with))));
    }
}

void judge_forms(struct judge *j)
{
    enum { CERTAIN = 90 };
    for (size_t i = 0; i < j->t->hop_count; i++) {
        const struct trace_hop *hop = &j->t->hops[i];
        if (hop->trusted) {
            continue;
        }
        judge_id_form(j, i);
        judge_general(j, i);
        for (size_t n = 0; n < ARRAY_LEN(habits); n++) {
            if (hop->received.software.certainty >= CERTAIN &&
                str_eq(hop->received.software.name, habits[n].software)) {
                judge_habits(j, i, &habits[n]);
            }
        }
    }
}
