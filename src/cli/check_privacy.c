/* check_privacy.c: records by which others know that mail to us must be private (RFC 7672, RFC
 * 8461), and whom to tell when it cannot be (RFC 8460). */
#include "cli/check_lookup.h"

#include "core/mail/sts.h"
#include "core/mail/tlsrpt_record.h"
#include "tls/inspect.h"

static bool describes_ours(struct records *r, const struct tlsa *tlsa)
{
    const struct config *c = r->config;
    for (size_t i = 0; i < c->certificate_count; i++) {
        if (certificate_fits_tlsa(c->certificates[i].chain.ptr, tlsa)) {
            return true;
        }
    }
    struct str made = arena_copy(
        &r->arena, arena_format(&r->arena, "%.*s/tls/self-signed.pem", STR_ARG(c->spool_path)));
    return c->certificate_count == 0 && made.ptr && certificate_fits_tlsa(made.ptr, tlsa);
}

/* Whether DANE makes mail to this host private: whether a record can be used, right or wrong. */
static bool check_tlsa(struct records *r)
{
    struct str host = r->config->hostname;
    struct str name = arena_format(&r->arena, "_25._tcp.%.*s", STR_ARG(host));
    size_t usable = 0, fitting = 0;
    struct chain chain;
    records_look_up(r, &chain, name, DNS_TLSA);
    if (!records_answered(r, &chain, "TLSA", name) || chain.verdict != CHAIN_FOUND) {
        return false;
    }
    struct dns_record_iter it = chain_records_begin(&chain);
    for (struct dns_record record; chain_record_next(&chain, &it, &record);) {
        struct tlsa tlsa = {.usage = record.tlsa.usage,
                            .selector = record.tlsa.selector,
                            .matching = record.tlsa.matching,
                            .data = record.tlsa.data};
        bool good = !tlsa_fault(&tlsa);
        usable += good ? 1 : 0;
        fitting += good && describes_ours(r, &tlsa) ? 1 : 0;
    }
    if (!chain.secure) {
        finding_add(r->findings, FINDING_NOTE, "dns",
                    "the TLSA records of %.*s are not known to be signed (DNSSEC): they count for "
                    "nothing",
                    STR_ARG(host));
        return false;
    }
    if (usable == 0) {
        finding_add(r->findings, FINDING_WEAK, "dns",
                    "no TLSA record of %.*s can be used for mail (RFC 7672 3.1)", STR_ARG(host));
    } else if (fitting == 0) {
        finding_add(r->findings, FINDING_WEAK, "dns",
                    "no TLSA record of %.*s describes our certificate: servers that heed DANE send "
                    "us no mail",
                    STR_ARG(host));
    }
    return usable > 0;
}

static bool is_sts(struct str text)
{
    struct str id;
    return sts_record_parse(text, &id);
}

static bool is_tlsrpt(struct str text)
{
    struct tlsrpt_record record;
    return tlsrpt_record_parse(text, &record);
}

static const struct {
    const char *label, *what;
    struct str begin;
    bool (*good)(struct str text);
    const char *missing, *malformed;
    bool instead_of_dane; /* not missed where DANE is there */
} records[] = {
    {"_mta-sts", "MTA-STS", STR_INIT("v=STSv1"), is_sts,
     "has neither DANE nor MTA-STS: whoever sits between can have its mail sent in the clear",
     "has a malformed MTA-STS record: nobody heeds its policy", true},
    {"_smtp._tls", "the place for reports about TLS", STR_INIT("v=TLSRPTv1"), is_tlsrpt,
     "has no record for reports about TLS (_smtp._tls): nobody tells when TLS towards it fails",
     "has a malformed record for reports about TLS: none are sent", false},
};

static void check_domain(struct records *r, struct str domain, bool dane)
{
    for (size_t i = 0; i < ARRAY_LEN(records); i++) {
        struct str name = arena_format(&r->arena, "%s.%.*s", records[i].label, STR_ARG(domain));
        struct str text = records_find_text(r, name, records[i].begin, records[i].what);
        if (text.len == 0 && !(records[i].instead_of_dane && dane)) {
            finding_add(r->findings, FINDING_NOTE, "dns", "%.*s %s", STR_ARG(domain),
                        records[i].missing);
        } else if (text.len > 1 && !records[i].good(text)) {
            finding_add(r->findings, FINDING_WEAK, "dns", "%.*s %s", STR_ARG(domain),
                        records[i].malformed);
        }
    }
}

void check_privacy(struct records *r)
{
    bool dane = check_tlsa(r);
    for (size_t i = 0; i < r->config->domain_count; i++) {
        check_domain(r, r->config->domains[i].name, dane);
    }
}
