#include "core/mailauth/spf.h"

#include "core/base/utf8.h"
#include "core/dns/idn.h"
#include "core/mailauth/spf_inside.h"

#include <string.h>

enum { NAME_TEXT_MAX = 253 }; /* section 7.3 */

static const struct {
    enum spf_result result;
    const char *name;
} names[] = {
    {SPF_OPEN, "open"},           {SPF_NONE, "none"},           {SPF_NEUTRAL, "neutral"},
    {SPF_PASS, "pass"},           {SPF_FAIL, "fail"},           {SPF_SOFTFAIL, "softfail"},
    {SPF_TEMPERROR, "temperror"}, {SPF_PERMERROR, "permerror"},
};

const char *spf_result_name(enum spf_result result)
{
    return names[result].name;
}

void spf_end(struct spf *s, enum spf_result result, struct str reason)
{
    s->result = result;
    s->reason = reason;
}

void spf_end_temporary(struct spf *s)
{
    spf_end(
        s, SPF_TEMPERROR,
        arena_format(s->arena, "%.*s: %s", STR_ARG(s->chain.end),
                     s->chain.reason ? s->chain.reason : "its aliases (CNAME) lead in a circle"));
}

struct spf_frame *spf_top(struct spf *s)
{
    return &s->frames[s->depth - 1];
}

void spf_ask(struct spf *s, enum spf_step step, struct str name, uint16_t type)
{
    s->step = (uint8_t)step;
    chain_start(&s->chain, s->arena, NULL, name, type);
}

void spf_ask_address(struct spf *s, enum spf_step step, struct str name)
{
    spf_ask(s, step, name, s->values.ip.family == IP_V6 ? DNS_AAAA : DNS_A);
}

/* The outermost record has its result. A fail may have words of the domain's own. */
static void conclude(struct spf *s, enum spf_result result, struct str reason)
{
    bool explained = result == SPF_FAIL && s->frames[0].exp.len > 0;
    s->reason = reason;
    s->depth = 1;
    if (explained) {
        s->phase = PHASE_EXPLAIN;
    } else {
        spf_end(s, result, reason);
    }
}

static enum spf_result result_of(char qualifier)
{
    switch (qualifier) {
    case '-':
        return SPF_FAIL;
    case '~':
        return SPF_SOFTFAIL;
    case '?':
        return SPF_NEUTRAL;
    default:
        return SPF_PASS;
    }
}

/* A record that was included matches if it says "pass", and then what the including record says of
 * it counts: so the result travels down as long as it is a pass (section 5.2). */
void spf_match(struct spf *s)
{
    const struct spf_frame *f = spf_top(s);
    char address[IP_TEXT_MAX];
    enum spf_result result = result_of(s->term.qualifier);
    struct str reason = arena_format(s->arena, "%.*s matches \"%.*s\" in the record of %.*s",
                                     STR_ARG(ip_text(s->values.ip, address)), STR_ARG(s->term.text),
                                     STR_ARG(f->domain));
    dns_note_add(&s->notes, "%.*s: that is \"%s\"", STR_ARG(reason), spf_result_name(result));
    while (s->depth > 1) {
        char qualifier = spf_top(s)->qualifier;
        s->depth--;
        if (result != SPF_PASS) {
            dns_note_add(&s->notes, "so it is not included in %.*s", STR_ARG(spf_top(s)->domain));
            return;
        }
        result = result_of(qualifier);
    }
    conclude(s, result, reason);
}

void spf_no_match(struct spf *s)
{
    dns_note_add(&s->notes, "\"%.*s\" of %.*s does not match", STR_ARG(s->term.text),
                 STR_ARG(spf_top(s)->domain));
}

/* Nothing in the topmost record matched: neutral (section 4.7), which in an included one means no
 * more than that the including record goes on. */
static void end_of_record(struct spf *s)
{
    struct str domain = spf_top(s)->domain;
    if (s->depth > 1) {
        dns_note_add(&s->notes, "no term in the record of %.*s matches", STR_ARG(domain));
        s->depth--;
        return;
    }
    conclude(s, SPF_NEUTRAL,
             arena_format(s->arena, "no term in the record of %.*s matches", STR_ARG(domain)));
}

void spf_no_record(struct spf *s)
{
    const struct spf_frame *f = spf_top(s);
    struct str reason =
        arena_format(s->arena, "%.*s has no SPF record%s", STR_ARG(f->domain),
                     f->required ? ", though another domain's record refers to it" : "");
    spf_end(s, f->required ? SPF_PERMERROR : SPF_NONE, reason);
}

/* Section 4.6: a mistake anywhere counts before anything else does. */
void spf_take_record(struct spf *s, struct str text)
{
    struct spf_frame *f = spf_top(s);
    struct spf_terms it = spf_terms_begin(text);
    struct str redirect = {0};
    struct str exp = {0};
    bool twice = false;
    dns_note_add(&s->notes, "%.*s says: %.*s", STR_ARG(f->domain), STR_ARG(text));
    for (struct spf_term term; spf_term_next(&it, &term);) {
        struct str *once = term.kind == SPF_REDIRECT ? &redirect
                           : term.kind == SPF_EXP    ? &exp
                                                     : NULL;
        twice = twice || (once && once->len > 0);
        if (once) {
            *once = term.domain;
        }
    }
    if (it.wrong.len > 0) {
        spf_end(s, SPF_PERMERROR,
                arena_format(s->arena, "the record of %.*s has a mistake: \"%.*s\"",
                             STR_ARG(f->domain), STR_ARG(it.wrong)));
    } else if (twice) {
        spf_end(s, SPF_PERMERROR,
                arena_format(s->arena, "the record of %.*s has redirect= or exp= more than once",
                             STR_ARG(f->domain)));
    } else {
        f->terms = spf_terms_begin(text);
        f->redirect = redirect;
        f->exp = exp;
    }
}

/* False: too many, and that was the end. */
static bool count_lookup(struct spf *s)
{
    if (s->lookups == SPF_LOOKUPS_MAX) {
        spf_end(s, SPF_PERMERROR,
                arena_format(s->arena, "the record of %.*s needs more than %d DNS lookups",
                             STR_ARG(s->domain), SPF_LOOKUPS_MAX));
        return false;
    }
    s->lookups++;
    return true;
}

/* Whole labels go from the left until the name fits. */
static struct str fit(struct str name)
{
    if (name.len > 0 && name.ptr[name.len - 1] == '.') {
        name.len--;
    }
    while (name.len > NAME_TEXT_MAX && str_find(name, '.') != STR_NONE) {
        (void)str_split(&name, '.');
    }
    return name;
}

/* The name that a domain-spec means now, as a zone file would write it: a backslash that came out
 * of a macro is an octet like others. Empty: too long, or otherwise nothing that the DNS can hold.
 */
static struct str target_of(struct spf *s, struct str spec)
{
    struct buf text = {0};
    struct buf escaped = {0};
    struct str made = {0};
    struct dns_name name;
    s->values.domain = spf_top(s)->domain;
    if (spec.len == 0) {
        return s->values.domain;
    }
    if (spf_macro_expand(&text, spec, &s->values)) {
        struct str fitting = fit(buf_str(&text));
        for (size_t i = 0; i < fitting.len; i++) {
            buf_add(&escaped, fitting.ptr[i] == '\\' ? STR("\\") : STR(""));
            buf_add_char(&escaped, fitting.ptr[i]);
        }
        if (!escaped.failed && dns_name_parse(buf_str(&escaped), &name)) {
            made = dns_name_text(&name, s->arena);
        }
    }
    buf_done(&text);
    buf_done(&escaped);
    return made;
}

/* Above the frame on top: one record includes another. The stack is as deep as the lookups allow.
 */
static void include(struct spf *s, struct str domain)
{
    char qualifier = s->term.qualifier;
    s->frames[s->depth++] =
        (struct spf_frame){.domain = domain, .qualifier = qualifier, .required = true};
    spf_ask(s, STEP_RECORD, domain, DNS_TXT);
}

static bool needs_lookup(enum spf_kind kind)
{
    return kind == SPF_INCLUDE || kind == SPF_A || kind == SPF_MX || kind == SPF_PTR ||
           kind == SPF_EXISTS;
}

static void ask_for_term(struct spf *s)
{
    s->target = target_of(s, s->term.domain);
    if (s->target.len == 0 && s->term.kind != SPF_INCLUDE) {
        spf_no_match(s); /* section 4.8 leaves it open what a name that cannot be means */
        return;
    }
    switch (s->term.kind) {
    case SPF_INCLUDE:
        include(s, s->target);
        break;
    case SPF_A:
        spf_ask_address(s, STEP_ADDRESS, s->target);
        break;
    case SPF_MX:
        spf_ask(s, STEP_MX, s->target, DNS_MX);
        break;
    case SPF_EXISTS:
        spf_ask(s, STEP_EXISTS, s->target, DNS_A);
        break;
    case SPF_PTR:
        spf_name_of_client(s);
        break;
    case SPF_ALL:
    case SPF_IP4:
    case SPF_IP6:
    case SPF_REDIRECT:
    case SPF_EXP:
    case SPF_OTHER_MODIFIER:
        break;
    }
}

static void begin_term(struct spf *s, struct spf_terms before)
{
    const struct spf_term *term = &s->term;
    if (term->kind == SPF_ALL) {
        spf_match(s);
    } else if (term->kind == SPF_IP4 || term->kind == SPF_IP6) {
        if (network_contains(term->network, s->values.ip)) {
            spf_match(s);
        } else {
            spf_no_match(s);
        }
    } else if (needs_lookup(term->kind)) {
        if (spf_macro_wants_name(term->domain) && !spf_name_known(s)) {
            spf_top(s)->terms = before; /* once more when it is */
        } else if (count_lookup(s)) {
            ask_for_term(s);
        }
    }
}

/* Section 6.1: another domain's record takes this one's place, its explanation too. */
static void redirect(struct spf *s)
{
    struct spf_frame *f = spf_top(s);
    if ((spf_macro_wants_name(f->redirect) && !spf_name_known(s)) || !count_lookup(s)) {
        return;
    }
    f->domain = target_of(s, f->redirect);
    f->required = true;
    spf_ask(s, STEP_RECORD, f->domain, DNS_TXT);
}

static void next_term(struct spf *s)
{
    struct spf_frame *f = spf_top(s);
    struct spf_terms before = f->terms;
    if (spf_term_next(&f->terms, &s->term)) {
        begin_term(s, before);
    } else if (f->redirect.len > 0) {
        redirect(s);
    } else {
        end_of_record(s);
    }
}

/* Section 6.2: where anything is wrong with an explanation there is none, and it is a fail still.
 */
static void explain(struct spf *s)
{
    struct spf_frame *f = spf_top(s);
    if (spf_macro_wants_name(f->exp) && !spf_name_known(s)) {
        return;
    }
    spf_ask(s, STEP_EXP, target_of(s, f->exp), DNS_TXT);
}

static void explain_text(struct spf *s)
{
    struct buf text = {0};
    if (spf_macro_wants_name(s->exp_text) && !spf_name_known(s)) {
        return;
    }
    s->values.domain = spf_top(s)->domain;
    if (spf_macro_expand(&text, s->exp_text, &s->values)) {
        s->explanation = arena_copy(s->arena, buf_str(&text));
    }
    buf_done(&text);
    spf_end(s, SPF_FAIL, s->reason);
}

/* Goes on until there is something to ask or nothing left to do. */
static void run(struct spf *s)
{
    while (s->result == SPF_OPEN && s->chain.verdict != CHAIN_ASKING) {
        if (s->step != STEP_NONE) {
            spf_settle(s);
        } else if (s->phase == PHASE_TERMS) {
            next_term(s);
        } else if (s->phase == PHASE_EXPLAIN) {
            explain(s);
        } else {
            explain_text(s);
        }
    }
}

/* A name of two labels at least that the DNS can hold (section 4.3); U-labels become A-labels. */
static bool prepare_domain(struct spf *s, struct str domain)
{
    struct buf ascii = {0};
    struct dns_name name;
    if (str_has_high_octet(domain) && idn_to_ascii(&ascii, domain)) {
        domain = buf_str(&ascii);
    }
    if (domain.len > 0 && domain.ptr[domain.len - 1] == '.') {
        domain.len--;
    }
    bool good = dns_name_parse(domain, &name) && str_find(domain, '.') != STR_NONE &&
                str_find(domain, '\\') == STR_NONE && domain.ptr[0] != '[';
    s->domain = arena_copy(s->arena, domain);
    buf_done(&ascii);
    return good;
}

void spf_start(struct spf *s, struct arena *arena, const struct spf_request *request)
{
    struct str sender = request->sender.len > 0 ? request->sender : request->helo;
    size_t at = str_rfind(sender, '@');
    struct str local = at == STR_NONE ? (struct str){0} : str_head(sender, at);
    memset(s, 0, sizeof *s);
    s->arena = arena;
    s->notes.arena = arena;
    s->chain.verdict = CHAIN_NODATA; /* nothing is being asked */
    local = local.len > 0 ? local : STR("postmaster");
    if (!prepare_domain(s, at == STR_NONE ? sender : str_tail(sender, at + 1))) {
        spf_end(s, SPF_NONE,
                arena_format(arena, "\"%.*s\" is no domain that could have a record",
                             STR_ARG(s->domain)));
        return;
    }
    s->values = (struct spf_values){
        .sender = arena_format(arena, "%.*s@%.*s", STR_ARG(local), STR_ARG(s->domain)),
        .local = local,
        .sender_domain = s->domain,
        .helo = request->helo,
        .receiver = request->receiver.len > 0 ? request->receiver : STR("unknown"),
        .name = STR("unknown"),
        .ip = ip_unmap(request->ip),
        .now = request->now,
    };
    s->frames[s->depth++] = (struct spf_frame){.domain = s->domain};
    spf_ask(s, STEP_RECORD, s->domain, DNS_TXT);
    run(s);
}

bool spf_question(struct spf *s, struct dns_question *question)
{
    return s->result == SPF_OPEN && chain_question(&s->chain, question);
}

void spf_answer(struct spf *s, const struct dns_answer *answer)
{
    if (s->result == SPF_OPEN) {
        chain_answer(&s->chain, answer);
        run(s);
    }
}

void spf_give_up(struct spf *s)
{
    if (s->result != SPF_OPEN) {
        return;
    }
    if (s->phase != PHASE_TERMS) {
        spf_end(s, SPF_FAIL, s->reason);
    } else {
        spf_end(s, SPF_TEMPERROR, STR("the DNS took too long"));
    }
}
