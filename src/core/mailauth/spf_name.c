/* What the client's address is called: names by PTR, each looked up again (section 5.5). For the
 * ptr mechanism, and for the macro "p", which wants the name nearest to the domain (section 7.3).
 * What fails here is no name, and no more; nor does it count as void: the names of a client are the
 * client's, not the domain's. */
#include "core/mailauth/spf_inside.h"

enum { RANK_SAME, RANK_BELOW, RANK_OTHER };

static int rank_of(struct str name, struct str domain)
{
    if (str_eq_nocase(name, domain)) {
        return RANK_SAME;
    }
    return dns_text_within(name, domain) ? RANK_BELOW : RANK_OTHER;
}

/* The ptr mechanism is being evaluated, not the macro. */
static bool for_mechanism(const struct spf *s)
{
    return s->target.len > 0;
}

static void ask_names(struct spf *s)
{
    struct buf name = {0};
    ip_reverse_name(&name, s->values.ip);
    spf_ask(s, STEP_PTR, arena_copy(s->arena, buf_str(&name)), DNS_PTR);
    buf_done(&name);
}

bool spf_name_known(struct spf *s)
{
    struct str domain = spf_top(s)->domain;
    if (s->name_domain.ptr && str_eq(s->name_domain, domain)) {
        return true;
    }
    s->target = (struct str){0};
    ask_names(s);
    return false;
}

void spf_name_of_client(struct spf *s)
{
    ask_names(s);
}

/* Keeps them sorted by rank; among equals the first stays first. */
static void insert(struct spf *s, struct str name, int rank)
{
    size_t at = s->name_count++;
    while (at > 0 && s->names[at - 1].rank > rank) {
        s->names[at] = s->names[at - 1];
        at--;
    }
    s->names[at] = (struct spf_name){name, rank};
}

static void end_names(struct spf *s, struct str name)
{
    if (!for_mechanism(s)) {
        s->name_domain = spf_top(s)->domain;
        s->values.name = name.len > 0 ? name : STR("unknown");
    } else if (name.len > 0) {
        spf_match(s);
    } else {
        spf_no_match(s);
    }
}

static void next_name(struct spf *s)
{
    bool more = s->name_at < s->name_count;
    if (more && (!for_mechanism(s) || s->names[s->name_at].rank != RANK_OTHER)) {
        spf_ask_address(s, STEP_PTR_NAME, s->names[s->name_at++].name);
    } else {
        end_names(s, (struct str){0});
    }
}

void spf_take_names(struct spf *s)
{
    struct str domain = for_mechanism(s) ? s->target : spf_top(s)->domain;
    size_t seen = 0;
    s->name_count = s->name_at = 0;
    if (s->chain.verdict == CHAIN_FOUND) {
        struct dns_record_iter it = chain_records_begin(&s->chain);
        for (struct dns_record record;
             seen < SPF_NAMES_MAX && chain_record_next(&s->chain, &it, &record); seen++) {
            struct str name = dns_name_text(&record.target, s->arena);
            insert(s, name, rank_of(name, domain));
        }
    }
    next_name(s);
}

void spf_take_name(struct spf *s)
{
    if (s->chain.verdict == CHAIN_FOUND) {
        struct dns_record_iter it = chain_records_begin(&s->chain);
        for (struct dns_record record; chain_record_next(&s->chain, &it, &record);) {
            if (ip_eq(ip_unmap(record.ip), s->values.ip)) {
                end_names(s, s->names[s->name_at - 1].name);
                return;
            }
        }
    }
    next_name(s);
}
