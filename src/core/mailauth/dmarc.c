#include "core/mailauth/dmarc.h"

#include "core/dns/idn.h"
#include "core/mail/address_list.h"
#include "core/mail/header.h"

#include <string.h>

enum { FROM_ADDRESSES_MAX = 100 };

static const char *const result_names[] = {"open", "none",      "pass",
                                           "fail", "temperror", "permerror"};

const char *dmarc_result_name(enum dmarc_result result)
{
    return result_names[result];
}

static void end(struct dmarc *d, enum dmarc_result result, struct str reason)
{
    d->result = result;
    d->reason = reason;
}

/* One address's domain against those before. False: another one. */
static bool take_address(struct str address, struct arena *arena, struct str *domain)
{
    struct buf ascii = {0};
    size_t at = str_rfind(address, '@');
    if (at == STR_NONE || !idn_to_ascii(&ascii, str_tail(address, at + 1))) {
        buf_done(&ascii);
        return true;
    }
    bool same = domain->len == 0 || str_eq(*domain, buf_str(&ascii));
    if (domain->len == 0) {
        *domain = arena_copy(arena, buf_str(&ascii));
    }
    buf_done(&ascii);
    return same;
}

enum dmarc_from_finding dmarc_from(struct str header, struct arena *arena, struct str *domain)
{
    struct header_field from = {.value = {0}};
    struct str found = {0};
    size_t fields = 0;
    size_t addresses = 0;
    bool same = true;
    struct header_iter it = header_begin(header);
    for (struct header_field field; header_next(&it, &field);) {
        if (str_eq_nocase(field.name, STR("From"))) {
            from = field;
            fields++;
        }
    }
    struct address_list list = {.rest = from.value};
    struct buf address = {0};
    while (same && addresses < FROM_ADDRESSES_MAX && address_list_next(&list, &address)) {
        same = take_address(buf_str(&address), arena, &found);
        addresses++;
    }
    bool whole = same && addresses < FROM_ADDRESSES_MAX && !list.damaged;
    buf_done(&address);
    if (fields > 1 || (found.len > 0 && !whole)) {
        return DMARC_FROM_SEVERAL;
    }
    if (found.len == 0) {
        return DMARC_FROM_NONE;
    }
    *domain = found;
    return DMARC_FROM_GOOD;
}

void dmarc_refuse(struct dmarc *d, enum dmarc_from_finding finding)
{
    memset(d, 0, sizeof *d);
    end(d, DMARC_PERMERROR,
        finding == DMARC_FROM_NONE ? STR("From names no domain")
                                   : STR("From does not name one domain alone"));
}

static void ask(struct dmarc *d, struct str domain)
{
    d->domain = domain;
    chain_start(&d->chain, d->arena, NULL, arena_format(d->arena, "_dmarc.%.*s", STR_ARG(domain)),
                DNS_TXT);
}

/* The DMARC records of the answer. More than one count as none (section 6.6.3). */
static bool read_records(struct dmarc *d)
{
    size_t count = 0;
    bool good = false;
    struct dns_record_iter it = chain_records_begin(&d->chain);
    for (struct dns_record one; chain_record_next(&d->chain, &it, &one);) {
        struct buf text = {0};
        dns_record_text(&text, &one);
        struct str copy = text.failed ? (struct str){0} : arena_copy(d->arena, buf_str(&text));
        enum dmarc_record_finding finding = dmarc_record_parse(copy, &d->record);
        buf_done(&text);
        count += finding != DMARC_RECORD_OTHER;
        good = good || finding == DMARC_RECORD_GOOD;
    }
    return count == 1 && good;
}

/* Section 3.1: strict means the very domain, relaxed one of the same organisation. */
static bool is_aligned(const struct dmarc *d, const struct dmarc_identifier *one)
{
    bool strict = one->by_spf ? d->record.strict_spf : d->record.strict_dkim;
    return strict ? str_eq_nocase(one->domain, d->request.from)
                  : str_eq_nocase(one->organisation, d->request.organisation);
}

static void judge(struct dmarc *d)
{
    for (size_t i = 0; i < d->request.passed_count; i++) {
        const struct dmarc_identifier *one = &d->request.passed[i];
        if (is_aligned(d, one)) {
            end(d, DMARC_PASS,
                arena_format(d->arena, "%s passes for %.*s, which answers for %.*s in From",
                             one->by_spf ? "SPF" : "DKIM", STR_ARG(one->domain),
                             STR_ARG(d->request.from)));
            return;
        }
    }
    d->policy = d->of_organisation ? d->record.subdomain_policy : d->record.policy;
    if (d->request.temporary) {
        end(d, DMARC_TEMPERROR, STR("what might answer for From could not be checked now"));
    } else {
        end(d, DMARC_FAIL,
            arena_format(
                d->arena, "neither SPF nor DKIM passes for %.*s in From; the policy of %.*s is %s",
                STR_ARG(d->request.from), STR_ARG(d->domain), dmarc_policy_name(d->policy)));
    }
}

/* Nothing at the domain itself: its organisation may have a policy for all below it. */
static void no_record(struct dmarc *d)
{
    if (!d->of_organisation && d->request.organisation.len > 0 &&
        !str_eq_nocase(d->request.organisation, d->request.from)) {
        d->of_organisation = true;
        ask(d, d->request.organisation);
        return;
    }
    d->domain = (struct str){0};
    end(d, DMARC_NONE,
        arena_format(d->arena, "%.*s has no DMARC policy", STR_ARG(d->request.from)));
}

static void settle(struct dmarc *d)
{
    switch (d->chain.verdict) {
    case CHAIN_ASKING:
        break;
    case CHAIN_FOUND:
        if (read_records(d)) {
            judge(d);
        } else {
            no_record(d);
        }
        break;
    case CHAIN_NODATA:
    case CHAIN_NXDOMAIN:
        no_record(d);
        break;
    case CHAIN_LOOP:
    case CHAIN_TOO_LONG:
    case CHAIN_TEMPORARY:
        end(d, DMARC_TEMPERROR,
            arena_format(d->arena, "%.*s: %s", STR_ARG(d->chain.end),
                         d->chain.reason ? d->chain.reason
                                         : "its aliases (CNAME) lead in a circle"));
        break;
    }
}

static void settle_all(struct dmarc *d)
{
    while (d->result == DMARC_OPEN && d->chain.verdict != CHAIN_ASKING) {
        settle(d);
    }
}

void dmarc_start(struct dmarc *d, struct arena *arena, const struct dmarc_request *request)
{
    memset(d, 0, sizeof *d);
    d->arena = arena;
    d->request = *request;
    ask(d, request->from);
    settle_all(d);
}

bool dmarc_question(struct dmarc *d, struct dns_question *question)
{
    return d->result == DMARC_OPEN && chain_question(&d->chain, question);
}

void dmarc_answer(struct dmarc *d, const struct dns_answer *answer)
{
    if (d->result == DMARC_OPEN) {
        chain_answer(&d->chain, answer);
        settle_all(d);
    }
}

void dmarc_give_up(struct dmarc *d)
{
    if (d->result == DMARC_OPEN) {
        end(d, DMARC_TEMPERROR, STR("the DNS took too long"));
    }
}
