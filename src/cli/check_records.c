/* check_records.c: what others look for in the DNS before they believe in us or our mail. */
#include "cli/check_lookup.h"
#include "cli/check_security.h"

#include "core/dns/hostcheck.h"
#include "core/dns/name.h"
#include "core/mailauth/spf.h"
#include "world/log.h"
#include "world/resolver.h"

#include <stdio.h>

static void check_mx(struct records *r, struct str domain)
{
    struct chain chain;
    bool ours = false;
    records_look_up(r, &chain, domain, DNS_MX);
    if (!records_answered(r, &chain, "MX", domain)) {
        return;
    }
    if (chain.verdict != CHAIN_FOUND) {
        finding_add(r->findings, FINDING_WEAK, "dns",
                    "%.*s has no MX record: whoever finds it mail finds it by its address alone",
                    STR_ARG(domain));
        return;
    }
    struct dns_record_iter it = chain_records_begin(&chain);
    for (struct dns_record record; chain_record_next(&chain, &it, &record);) {
        ours = ours || str_eq_nocase(dns_name_text(&record.target, &r->arena), r->config->hostname);
    }
    if (!ours) {
        finding_add(r->findings, FINDING_NOTE, "dns", "no MX record of %.*s names %.*s",
                    STR_ARG(domain), STR_ARG(r->config->hostname));
    }
}

static void check_dmarc(struct records *r, struct str domain)
{
    struct str name = arena_format(&r->arena, "_dmarc.%.*s", STR_ARG(domain));
    struct str policy = records_find_text(r, name, STR("v=DMARC1"), "DMARC");
    if (policy.len == 0) {
        finding_add(r->findings, FINDING_WEAK, "dns",
                    "%.*s has no DMARC record: nobody is told what to do with forged mail",
                    STR_ARG(domain));
    } else if (str_find_str(policy, STR("p=none")) != STR_NONE) {
        finding_add(r->findings, FINDING_NOTE, "dns",
                    "%.*s: forged mail is taken all the same (DMARC p=none)", STR_ARG(domain));
    }
}

/* Of several records the one that is best for us counts, as with a verifier. */
static void check_dkim(struct records *r, const struct config_dkim_key *key)
{
    static const char *const words[] = {
        [DKIM_RECORD_OTHER] = "publishes another key: signatures will fail",
        [DKIM_RECORD_WITHDRAWN] = "says that the key is withdrawn",
        [DKIM_RECORD_BROKEN] = "has no record of a key: signatures will fail",
    };
    struct str name = arena_format(&r->arena, "%.*s._domainkey.%.*s", STR_ARG(key->selector),
                                   STR_ARG(key->domain));
    enum dkim_record best = DKIM_RECORD_BROKEN;
    struct chain chain;
    records_look_up(r, &chain, name, DNS_TXT);
    if (!records_answered(r, &chain, "the DKIM key", name)) {
        return;
    }
    struct dns_record_iter it = chain_records_begin(&chain);
    for (struct dns_record record;
         chain.verdict == CHAIN_FOUND && chain_record_next(&chain, &it, &record);) {
        struct buf text = {0};
        dns_record_text(&text, &record);
        enum dkim_record one = dkim_record_judge(key, buf_str(&text));
        best = one == DKIM_RECORD_UNKNOWN || one < best ? one : best;
        buf_done(&text);
    }
    if (best != DKIM_RECORD_FITS && best != DKIM_RECORD_UNKNOWN) {
        finding_add(r->findings, FINDING_WEAK, "dkim", "%.*s %s (ours is %.*s)", STR_ARG(name),
                    words[best], STR_ARG(key->file));
    }
}

/* Does the domain say that our mail is its own? */
static void check_spf_from(struct records *r, struct str domain, struct ip ip)
{
    char text[IP_TEXT_MAX];
    struct spf_request request = {.ip = ip, .sender = domain, .helo = r->config->hostname};
    struct spf *spf = ARENA_NEW(&r->arena, struct spf);
    struct dns_question question;
    if (!spf) {
        return;
    }
    spf_start(spf, &r->arena, &request);
    while (spf->result == SPF_OPEN && spf_question(spf, &question)) {
        struct dns_answer answer = records_ask(r, &question);
        spf_answer(spf, &answer);
    }
    if (spf->result == SPF_PERMERROR) {
        finding_add(r->findings, FINDING_WEAK, "dns", "the SPF record of %.*s cannot be evaluated",
                    STR_ARG(domain));
    } else if (spf->result != SPF_PASS && spf->result != SPF_TEMPERROR) {
        finding_add(r->findings, FINDING_WEAK, "dns",
                    "the SPF record of %.*s does not let our address %.*s send", STR_ARG(domain),
                    STR_ARG(ip_text(ip, text)));
    }
}

static void check_spf(struct records *r, struct str domain, const struct ip *ips, size_t count)
{
    struct str record = records_find_text(r, domain, STR("v=spf1"), "SPF");
    if (record.len == 0) {
        finding_add(r->findings, FINDING_WEAK, "dns",
                    "%.*s has no SPF record: anybody can send in its name", STR_ARG(domain));
        return;
    }
    if (str_find_str(record, STR("+all")) != STR_NONE || str_ends(record, STR(" all"))) {
        finding_add(r->findings, FINDING_OPEN, "dns",
                    "the SPF record of %.*s lets everybody send in its name (all)",
                    STR_ARG(domain));
        return;
    }
    for (size_t i = 0; i < count; i++) {
        check_spf_from(r, domain, ips[i]);
    }
}

static void check_reverse(struct records *r, struct ip ip)
{
    char text[IP_TEXT_MAX];
    struct hostcheck *check = ARENA_NEW(&r->arena, struct hostcheck);
    struct dns_question question;
    if (!check) {
        return;
    }
    hostcheck_reverse(check, &r->arena, ip);
    while (!check->done && hostcheck_question(check, &question)) {
        struct dns_answer answer = records_ask(r, &question);
        hostcheck_answer(check, question.id, &answer);
    }
    if (check->reverse == REVERSE_NONE || check->reverse == REVERSE_MISMATCH) {
        finding_add(
            r->findings, FINDING_WEAK, "dns",
            "our address %.*s has no name that leads back to it (PTR): many refuse such mail",
            STR_ARG(ip_text(ip, text)));
    } else if (check->reverse == REVERSE_VERIFIED &&
               !str_eq_nocase(check->name, r->config->hostname)) {
        finding_add(r->findings, FINDING_NOTE, "dns", "our address %.*s is called %.*s, not %.*s",
                    STR_ARG(ip_text(ip, text)), STR_ARG(check->name), STR_ARG(r->config->hostname));
    }
}

enum { ADDRESSES_MAX = 8 };

static size_t own_addresses(struct records *r, struct ip ips[ADDRESSES_MAX])
{
    static const uint16_t types[] = {DNS_A, DNS_AAAA};
    size_t count = 0;
    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        struct chain chain;
        records_look_up(r, &chain, r->config->hostname, types[i]);
        if (!records_answered(r, &chain, "the address", r->config->hostname) ||
            chain.verdict != CHAIN_FOUND) {
            continue;
        }
        struct dns_record_iter it = chain_records_begin(&chain);
        for (struct dns_record record;
             count < ADDRESSES_MAX && chain_record_next(&chain, &it, &record);) {
            ips[count++] = record.ip;
        }
    }
    if (count == 0) {
        finding_add(r->findings, FINDING_WEAK, "dns", "%.*s has no address: others cannot find it",
                    STR_ARG(r->config->hostname));
    }
    return count;
}

/* RFC 8460 3: "MUST be DKIM signed". */
static void check_tls_reports(struct records *r)
{
    const struct config *c = r->config;
    struct str from = c->tls_reports.from;
    struct str domain = from.len > 0 ? str_tail(from, str_rfind(from, '@') + 1) : c->hostname;
    if (c->tls_reports.use == TLS_REPORTS_SEND && !dkim_signs_for(c, domain, true)) {
        finding_add(r->findings, FINDING_NOTE, "dkim",
                    "our reports about TLS, from %.*s, are not signed, and may be ignored",
                    STR_ARG(domain));
    }
}

static void check_all(struct records *r)
{
    struct ip ips[ADDRESSES_MAX];
    size_t count = own_addresses(r, ips);
    for (size_t i = 0; i < count; i++) {
        check_reverse(r, ips[i]);
    }
    for (size_t i = 0; i < r->config->domain_count; i++) {
        struct str domain = r->config->domains[i].name;
        check_mx(r, domain);
        check_spf(r, domain, ips, count);
        check_dmarc(r, domain);
        if (!dkim_signs_for(r->config, domain, false)) {
            finding_add(
                r->findings, FINDING_WEAK, "dkim",
                "mail from %.*s is not signed: many take it for spam (`postrider dkim key`)",
                STR_ARG(domain));
        }
    }
    check_privacy(r);
    check_tls_reports(r);
    for (size_t i = 0; i < r->config->dkim_key_count; i++) {
        check_dkim(r, &r->config->dkim_keys[i]);
    }
}

bool check_records(struct findings *findings, const struct config *config)
{
    char reason[256] = "";
    struct dns_service_options options = {.servers = config->dns_servers,
                                          .server_count = config->dns_server_count,
                                          .trust_anchor = config->trust_anchor};
    struct log *log = log_new(2, LOG_STYLE_AUTO, LOG_WARNING);
    struct dns_service *service = dns_service_new(&options, reason, sizeof reason);
    struct records r = {.findings = findings, .config = config};
    r.loop = log && service ? loop_new(log, service) : NULL;
    if (r.loop) {
        check_all(&r);
    } else {
        (void)fprintf(stderr, "postrider check: no DNS: %s\n", reason);
    }
    bool asked = r.loop != NULL;
    loop_free(r.loop);
    dns_service_free(service);
    log_free(log);
    buf_done(&r.message);
    arena_done(&r.arena);
    return asked;
}
