/* link.c: how each line fits below the one above it. */
#include "core/trace/judging.h"
#include "core/trace/organisation.h"
#include "core/trace/received_inside.h"

bool hop_is_transparent(const struct received *r)
{
    return r->from.len == 0 && r->by.len == 0 && r->ip.family == IP_NONE;
}

static bool is_word_of(struct str word, const struct str *words, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (str_eq_nocase(word, words[i])) {
            return true;
        }
    }
    return false;
}

bool hop_is_local_submission(const struct trace_hop *hop)
{
    static const struct str protocols[] = {STR_INIT("local"), STR_INIT("HTTP"), STR_INIT("HTTPS"),
                                           STR_INIT("MAPI")};
    const struct received *r = &hop->received;
    bool no_peer = r->from.len == 0 && r->ip.family == IP_NONE;
    bool invoked =
        hop_is_transparent(r) && str_find_str(hop->value, STR(" invoked by uid")) != STR_NONE;
    bool submitted = str_find_str(hop->value, STR("/Submit)")) != STR_NONE;
    bool userid = no_peer && str_find_str(hop->value, STR("from userid")) != STR_NONE;
    return invoked || submitted || userid || is_word_of(r->with, protocols, ARRAY_LEN(protocols));
}

/* fetchmail, getmail and the like take mail out of a mailbox: whoever filled it is not named. */
static bool is_fetched(const struct received *r)
{
    static const struct str words[] = {STR_INIT("POP3"),  STR_INIT("IMAP"),      STR_INIT("POP3S"),
                                       STR_INIT("IMAPS"), STR_INIT("IMAP4-SSL"), STR_INIT("APOP")};
    return is_word_of(r->with, words, ARRAY_LEN(words)) ||
           str_starts_nocase(r->with, STR("POP3")) || str_starts_nocase(r->with, STR("IMAP"));
}

static bool has_public_name(const struct received *r)
{
    return name_is_public(r->helo) || name_is_public(r->rdns) || name_is_public(r->from);
}

/* The client came by SMTP and is left out, for its privacy: "by smtp.example.org (Postfix) with
 * ESMTPSA id …". */
static bool hides_client(const struct received *r)
{
    return r->from.len == 0 && r->by.len > 0 && r->ip.family == IP_NONE &&
           str_starts(r->with, STR("ESMTP"));
}

/* No client is recorded that came over a network: a user's or program's name, or nothing. */
static bool has_no_client(const struct received *r)
{
    struct ip ip;
    return r->ip.family == IP_NONE && !has_public_name(r) && !ip_parse(r->from, &ip) &&
           !r->rdns_unknown;
}

static bool same_host_or_house(struct str a, struct str b)
{
    return names_equal(a, b) || same_organisation(a, b);
}

/* Google's relays name themselves by addresses, or not at all. */
static bool are_google(const struct received *upper, const struct received *lower)
{
    enum { LIKELY = 80 };
    return upper->software.certainty >= LIKELY && str_eq(upper->software.name, STR("Gmail")) &&
           str_eq(lower->software.name, STR("Gmail"));
}

static bool has_no_public_name(struct str name)
{
    struct ip ip;
    return !name_is_public(name) || ip_parse(name, &ip);
}

/* The line was written where the one above was, or by a program there without a name of its own.
 * `house`: the last public name by which a line above called that host, or empty. */
static bool written_in_house(const struct received *upper, const struct received *lower,
                             struct str house)
{
    struct ip ip;
    bool unnamed = house.len == 0 && name_is_localhost(upper->by);
    return has_no_public_name(lower->by) || unnamed || ip_parse(upper->by, &ip) ||
           same_host_or_house(upper->by, lower->by) || same_host_or_house(house, lower->by) ||
           are_google(upper, lower);
}

/* Reverse names that the receiver checked, or that the DNS confirms now. */
static bool rdns_counts(struct judge *j, const struct trace_hop *upper)
{
    const struct received *r = &upper->received;
    const struct trace_question *answer =
        judge_answer(j, upper, TRACE_ABOUT_RDNS, RULE_CONTINUITY_ADDRESS);
    return r->rdns.len > 0 && !r->may_be_forged && (!answer || answer_has_ip(answer, r->ip));
}

static enum link_kind by_dns(struct judge *j, const struct trace_hop *upper,
                             const struct trace_hop *lower)
{
    const struct trace_question *by =
        judge_answer(j, lower, TRACE_ABOUT_BY, RULE_CONTINUITY_ADDRESS);
    const struct trace_question *reverse =
        judge_answer(j, upper, TRACE_ABOUT_IP, RULE_CONTINUITY_ADDRESS);
    struct ip client = upper->received.ip;
    if (by && answer_has_ip(by, client)) {
        return LINK_ADDRESS;
    }
    for (size_t i = 0; by && i < by->count; i++) {
        if (addresses_near(by->ips[i], client)) {
            return LINK_ORGANISATION;
        }
    }
    for (size_t i = 0; reverse && i < reverse->count; i++) {
        if (same_host_or_house(reverse->names[i], lower->received.by)) {
            return LINK_ORGANISATION;
        }
    }
    return LINK_BROKEN;
}

/* The writer is what the client called itself. That counts as a name unless the DNS, asked by the
 * receiver or now, has another for that address, or none. */
static enum link_kind by_helo(struct judge *j, const struct trace_hop *upper,
                              const struct trace_hop *lower, bool rdns)
{
    const struct received *u = &upper->received;
    struct str by = lower->received.by;
    const struct trace_question *answer =
        judge_answer(j, lower, TRACE_ABOUT_BY, RULE_CONTINUITY_ADDRESS);
    if (!name_is_public(by) || address_is_inside(u->ip)) {
        return LINK_NAME;
    }
    if (answer && answer->count > 0) {
        return by_dns(j, upper, lower) == LINK_BROKEN ? LINK_HELO : LINK_NAME;
    }
    bool other = rdns && name_is_public(u->rdns) && !same_organisation(by, u->rdns);
    return other || u->rdns_unknown ? LINK_HELO : LINK_NAME;
}

static enum link_kind by_name(struct judge *j, const struct trace_hop *upper,
                              const struct trace_hop *lower, struct link *link)
{
    const struct received *u = &upper->received;
    struct str by = lower->received.by, called = u->helo.len > 0 ? u->helo : u->from;
    bool rdns = rdns_counts(j, upper);
    if (rdns && names_equal(by, u->rdns)) {
        link->by_rdns = true;
        return LINK_NAME;
    }
    if (names_equal(by, called)) {
        return by_helo(j, upper, lower, rdns);
    }
    bool house = (rdns && same_organisation(by, u->rdns)) || same_organisation(by, called);
    return house && name_is_public(by) ? LINK_ORGANISATION : LINK_BROKEN;
}

/* The writer's own address, where it stands behind its name, as Exchange has it: "by
 * EX01.example.org (192.0.2.7) with". It is only a claim. */
static bool claims_address(const struct trace_hop *lower, struct ip client)
{
    struct str rest = lower->value, before;
    struct ip ip;
    struct token token = token_next(&rest);
    while (token.kind == TOKEN_COMMENT ||
           (token.kind == TOKEN_WORD && !str_eq_nocase(token.text, STR("by")))) {
        token = token_next(&rest);
    }
    (void)token_next(&rest);
    token = token_next(&rest);
    return token.kind == TOKEN_COMMENT && address_read(token.text, &ip, &before) &&
           ip_eq(ip_unmap(ip), ip_unmap(client));
}

/* A client without a name, between two hosts of one house: Yahoo's and other big ones' relays. */
static bool is_house_gap(const struct received *u, const struct received *l)
{
    return !has_public_name(u) && same_organisation(u->by, l->by) && u->auth.len == 0;
}

/* Mail houses that send under their customers' names. */
static bool sends_for_others(const struct received *r)
{
    static const struct str software[] = {STR_INIT("SendGrid"), STR_INIT("ecelerity"),
                                          STR_INIT("PowerMTA"), STR_INIT("Amazon SES"),
                                          STR_INIT("Jetsend")};
    static const struct str houses[] = {STR_INIT("mailgun.net"), STR_INIT("mandrillapp.com"),
                                        STR_INIT("sparkpostmail.com"), STR_INIT("mcsv.net"),
                                        STR_INIT("exacttarget.com")};
    bool house = is_word_of(r->software.name, software, ARRAY_LEN(software));
    for (size_t i = 0; i < ARRAY_LEN(houses); i++) {
        house = house || same_organisation(r->by, houses[i]);
    }
    return house;
}

/* A line under a client's own name, written by the host of its provider: "(envelope-from
 * <anna@customer.example>)", or who logged in. */
static bool of_customer(const struct received *upper, const struct received *lower)
{
    const struct str said[] = {lower->envelope_from, lower->auth};
    const struct str names[] = {upper->rdns, upper->helo};
    for (size_t i = 0; i < ARRAY_LEN(said); i++) {
        size_t at = str_rfind(said[i], '@');
        struct str domain = at == STR_NONE ? (struct str){0} : str_tail(said[i], at + 1);
        for (size_t n = 0; n < ARRAY_LEN(names); n++) {
            if (name_is_public(domain) && name_is_public(names[n]) &&
                same_organisation(domain, names[n])) {
                return true;
            }
        }
    }
    return false;
}

/* Some line near claims to be of the host that the upper one received from. */
static bool stands_elsewhere(const struct trace *t, const struct received *upper, size_t lower)
{
    enum { NEAR = 16 };
    for (size_t i = lower + 1; i < t->hop_count && i <= lower + NEAR; i++) {
        struct str by = t->hops[i].received.by;
        if (names_equal(by, upper->rdns) || names_equal(by, upper->helo)) {
            return true;
        }
    }
    return false;
}

/* A server that calls itself by its owner's name towards others, and by its provider's in its own
 * lines, as rented ones do. The owner is the envelope's sender; and a user logged in and wrote to
 * the same recipient, or a program on the server made the Message-ID. */
static bool is_rented(const struct judge *j, const struct link *link, size_t at)
{
    const struct received *u = &j->t->hops[link->upper].received;
    const struct received *l = &j->t->hops[at].received;
    bool owner = same_organisation(j->sender, u->rdns) || same_organisation(j->sender, u->helo);
    bool user =
        l->auth.len > 0 && l->recipient.len > 0 && str_eq_nocase(l->recipient, u->recipient);
    bool program = has_no_client(l) && hop_is_local_submission(&j->t->hops[at]) &&
                   same_organisation(j->message_id, l->by);
    return owner && (user || program) && !stands_elsewhere(j->t, u, at);
}

/* What a break weighs: honest mail has such gaps too, but seldom. */
static int weight_of_break(const struct judge *j, const struct link *link, size_t at)
{
    const struct received *upper = &j->t->hops[link->upper].received;
    const struct received *lower = &j->t->hops[at].received;
    enum { MISSING_GATEWAY = -80, MAIL_HOUSE = -25, RENTED = -50, RESENT = -50, BY_HAND = -50 };
    bool gateway = address_is_inside(upper->ip) &&
                   (same_organisation(upper->by, upper->helo) || !has_public_name(upper));
    int weight = rules[RULE_CONTINUITY].weight;
    if (sends_for_others(lower) || of_customer(upper, lower)) {
        weight = MAIL_HOUSE;
    } else if (is_rented(j, link, at)) {
        weight = RENTED;
    } else if (j->t->resent) {
        weight = RESENT;
    } else if (has_no_client(upper)) {
        weight = BY_HAND;
    } else if (gateway) {
        weight = MISSING_GATEWAY;
    }
    return weight;
}

/* A line that names a client by a bare address alone, without a word of what that called itself. */
static bool has_no_name(const struct received *r)
{
    return r->rdns.len == 0 && r->helo.len == 0 && r->from.len == 0;
}

static void judge_link(struct judge *j, struct link *link, size_t at)
{
    const struct trace_hop *upper = &j->t->hops[link->upper], *lower = &j->t->hops[at];
    const struct received *u = &upper->received, *l = &lower->received;
    struct ip by;
    if (hop_is_transparent(l) || l->by.len == 0) {
        link->kind = hop_is_transparent(l) ? LINK_LOCAL : LINK_UNKNOWN;
        return;
    }
    if (hides_client(u)) {
        link->kind = same_host_or_house(u->by, l->by) ? LINK_ORGANISATION : LINK_UNKNOWN;
        return;
    }
    if (has_no_client(u)) {
        link->kind = written_in_house(u, l, link->house) ? LINK_LOCAL
                     : has_no_public_name(u->by)         ? LINK_UNKNOWN
                                                         : LINK_BROKEN;
    } else {
        link->kind = by_name(j, upper, lower, link);
    }
    if (link->kind == LINK_BROKEN && ip_parse(l->by, &by)) {
        link->kind = ip_eq(ip_unmap(by), ip_unmap(u->ip)) ? LINK_ADDRESS : LINK_UNKNOWN;
    } else if (link->kind == LINK_BROKEN || link->kind == LINK_HELO) {
        enum link_kind dns = by_dns(j, upper, lower);
        link->kind = dns == LINK_BROKEN ? link->kind : dns;
    }
    bool inside =
        address_is_inside(u->ip) || (u->ip.family == IP_NONE && name_is_localhost(u->from));
    if (link->kind == LINK_BROKEN && inside && written_in_house(u, l, link->house)) {
        link->kind = LINK_LOCAL;
    } else if (link->kind == LINK_BROKEN &&
               (!name_is_public(l->by) || is_fetched(u) || has_no_name(u) || is_house_gap(u, l) ||
                claims_address(lower, u->ip))) {
        link->kind = LINK_UNKNOWN;
    }
    link->weight = link->kind == LINK_BROKEN ? weight_of_break(j, link, at) : 0;
}

/* The public name of the host that wrote the line, as far as lines above tell it: a program on the
 * host calls it "localhost". */
static struct str house_of(const struct trace_hop *hop, const struct link *link)
{
    bool inside = link->kind == LINK_LOCAL || link->kind == LINK_NAME;
    return !has_no_public_name(hop->received.by)           ? hop->received.by
           : inside && name_is_localhost(hop->received.by) ? link->house
                                                           : (struct str){0};
}

/* The host that the first witness of a kind names. */
static struct str host_of(const struct trace *t, enum witness_kind kind)
{
    for (size_t i = 0; i < t->witness_count; i++) {
        if (t->witnesses[i].kind == kind) {
            return t->witnesses[i].host;
        }
    }
    return (struct str){0};
}

void judge_links(struct judge *j)
{
    size_t upper = TRACE_NONE;
    j->sender = host_of(j->t, WITNESS_RETURN_PATH);
    j->message_id = host_of(j->t, WITNESS_MESSAGE_ID);
    struct str house = {0};
    for (size_t i = 0; i < j->t->hop_count; i++) {
        const struct trace_hop *hop = &j->t->hops[i];
        j->links[i] = (struct link){.kind = LINK_TOP, .upper = upper, .house = house};
        if (upper != TRACE_NONE) {
            judge_link(j, &j->links[i], i);
        }
        if (!hop_is_transparent(&hop->received)) {
            house = house_of(hop, &j->links[i]);
            upper = i;
        }
    }
}
