#include "core/dns/mx.h"

#include <stdlib.h>
#include <string.h>

/* One answer may hold 4,000 records with names of 255 octets each: more than these are not read. */
enum { RECORDS_MAX = 200 };

/* A record of the answer, while they are sorted. */
struct candidate {
    struct str name;
    uint16_t preference;
    uint64_t lot; /* decides among equals */
};

static void end_with(struct mx *m, enum mx_verdict verdict)
{
    m->verdict = verdict;
    m->secure = m->chain.secure && verdict != MX_TEMPORARY;
}

static void end_temporary(struct mx *m, const char *reason)
{
    m->reason = reason;
    end_with(m, MX_TEMPORARY);
}

/* SplitMix64: from one unpredictable number as many lots as there are records. */
static uint64_t draw(uint64_t *state)
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15U);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31);
}

static int by_preference(const void *left, const void *right)
{
    const struct candidate *a = left;
    const struct candidate *b = right;
    if (a->preference != b->preference) {
        return a->preference < b->preference ? -1 : 1;
    }
    return a->lot < b->lot ? -1 : a->lot > b->lot;
}

/* "localhost" is us too: it stands in MX records of people who want no mail. */
static bool is_own(const struct mx *m, struct str name)
{
    return (m->own.len > 0 && str_eq_nocase(name, m->own)) || str_eq(name, STR("localhost"));
}

/* Why a host's name cannot be used, or null. */
static const char *name_fault(const struct dns_name *target, struct str name)
{
    struct ip ip;
    if (dns_name_is_root(target)) {
        return "\".\" beside other MX records means nothing (RFC 7505 3)";
    }
    if (ip_parse(name, &ip)) {
        return "an address where a name must stand (RFC 5321 5.1, RFC 1035 3.3.9)";
    }
    if (str_find(name, '\\') != STR_NONE) {
        return "no host can have this name";
    }
    return NULL;
}

static size_t count_records(const struct mx *m)
{
    size_t count = 0;
    struct dns_record_iter it = chain_records_begin(&m->chain);
    for (struct dns_record record;
         count < RECORDS_MAX && chain_record_next(&m->chain, &it, &record);) {
        count++;
    }
    return count;
}

/* Reads the first `records` MX records into `list`; the result is how many are usable. STR_NONE: no
 * memory. */
static size_t gather(struct mx *m, struct candidate *list, size_t records)
{
    size_t count = 0;
    uint64_t state = m->random;
    struct dns_record_iter it = chain_records_begin(&m->chain);
    for (struct dns_record record; records > 0 && chain_record_next(&m->chain, &it, &record);
         records--) {
        struct str name = arena_lower(m->arena, dns_name_text(&record.target, m->arena));
        if (!name.ptr) {
            return STR_NONE;
        }
        const char *fault = name_fault(&record.target, name);
        dns_note_add(&m->notes, "%.*s has MX %u %.*s%s%s", STR_ARG(m->chain.end),
                     (unsigned)record.preference, STR_ARG(name), fault ? ": not used, " : "",
                     fault ? fault : "");
        if (!fault) {
            list[count++] = (struct candidate){name, record.preference, draw(&state)};
        }
    }
    return count;
}

static bool already_host(const struct mx *m, struct str name)
{
    for (size_t i = 0; i < m->host_count; i++) {
        if (str_eq(m->hosts[i].name, name)) {
            return true;
        }
    }
    return false;
}

/* The preference from which on hosts are no better than we are (RFC 5321 5.1); over 65535: we are
 * not among them. */
static uint32_t own_preference(const struct mx *m, const struct candidate *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (is_own(m, list[i].name)) {
            return list[i].preference;
        }
    }
    return UINT32_MAX;
}

static void choose(struct mx *m, const struct candidate *list, size_t count)
{
    uint32_t limit = own_preference(m, list, count);
    if (limit != UINT32_MAX) {
        dns_note_add(&m->notes,
                     "this host is among them: left out, with every host of preference %u and over",
                     (unsigned)limit);
    }
    for (size_t i = 0; i < count && list[i].preference < limit; i++) {
        if (m->host_count == MX_HOSTS_MAX) {
            dns_note_add(&m->notes, "the hosts after the first %d are left out", MX_HOSTS_MAX);
            break;
        }
        if (!already_host(m, list[i].name)) {
            m->hosts[m->host_count++] = (struct mx_host){list[i].name, list[i].preference};
        }
    }
    if (m->host_count > 0) {
        end_with(m, MX_HOSTS);
    } else {
        end_with(m, limit != UINT32_MAX ? MX_OURSELVES : MX_UNUSABLE);
    }
}

static bool is_null_mx(const struct mx *m)
{
    struct dns_record_iter it = chain_records_begin(&m->chain);
    struct dns_record record;
    return chain_record_next(&m->chain, &it, &record) && dns_name_is_root(&record.target);
}

static void take_mx(struct mx *m)
{
    size_t records = count_records(m);
    if (records == 1 && is_null_mx(m)) {
        dns_note_add(&m->notes, "%.*s takes no mail: null MX (RFC 7505)", STR_ARG(m->chain.end));
        end_with(m, MX_NULL);
        return;
    }
    struct candidate *list = arena_array(m->arena, records, sizeof *list);
    m->hosts = arena_array(m->arena, MX_HOSTS_MAX, sizeof *m->hosts);
    size_t count = list && m->hosts ? gather(m, list, records) : STR_NONE;
    if (count == STR_NONE) {
        end_temporary(m, "no memory");
        return;
    }
    if (count > 1) {
        qsort(list, count, sizeof *list, by_preference);
    }
    choose(m, list, count);
}

static void ask_address(struct mx *m, uint16_t type)
{
    bool secure = m->chain.secure;
    chain_start(&m->chain, m->arena, &m->notes, m->chain.end, type);
    m->chain.secure = m->chain.secure && secure;
}

/* No MX, but an address: the domain is its own host (RFC 5321 5.1, "implicit MX"). */
static void take_implicit(struct mx *m)
{
    struct str name = arena_lower(m->arena, m->chain.end);
    m->hosts = ARENA_NEW(m->arena, struct mx_host);
    if (!name.ptr || !m->hosts) {
        end_temporary(m, "no memory");
        return;
    }
    m->implicit = true;
    dns_note_add(&m->notes, "%.*s has an address, so it is the host itself", STR_ARG(name));
    if (is_own(m, name)) {
        dns_note_add(&m->notes, "but that is this host");
        end_with(m, MX_OURSELVES);
        return;
    }
    m->hosts[0] = (struct mx_host){.name = name};
    m->host_count = 1;
    end_with(m, MX_HOSTS);
}

static void take_none(struct mx *m)
{
    if (m->chain.type == DNS_MX) {
        dns_note_add(&m->notes, "%.*s has no MX record", STR_ARG(m->chain.end));
        ask_address(m, DNS_A);
    } else if (m->chain.type == DNS_A) {
        ask_address(m, DNS_AAAA);
    } else if (m->reason_a) {
        end_temporary(m, m->reason_a);
    } else {
        dns_note_add(&m->notes, "%.*s has no address", STR_ARG(m->chain.end));
        end_with(m, MX_NO_ADDRESS);
    }
}

static void take_failure(struct mx *m)
{
    if (m->chain.type == DNS_A) {
        m->reason_a = m->chain.reason;
        ask_address(m, DNS_AAAA);
        return;
    }
    /* Never on to the address after a failed MX lookup: that would skip the MX hosts. */
    end_temporary(m, m->chain.reason);
}

/* Acts on every chain that ended; starting the next one may end it at once. */
static void advance(struct mx *m)
{
    while (m->verdict == MX_ASKING && m->chain.verdict != CHAIN_ASKING) {
        switch (m->chain.verdict) {
        case CHAIN_ASKING:
            break;
        case CHAIN_FOUND:
            if (m->chain.type == DNS_MX) {
                take_mx(m);
            } else {
                take_implicit(m);
            }
            break;
        case CHAIN_NODATA:
            take_none(m);
            break;
        case CHAIN_NXDOMAIN:
            dns_note_add(&m->notes, "%.*s does not exist (NXDOMAIN)", STR_ARG(m->chain.end));
            end_with(m, MX_NXDOMAIN);
            break;
        case CHAIN_LOOP:
        case CHAIN_TOO_LONG:
            end_with(m, MX_LOOP);
            break;
        case CHAIN_TEMPORARY:
            take_failure(m);
            break;
        }
    }
}

void mx_start(struct mx *m, struct arena *arena, struct str domain, struct str own, uint64_t random)
{
    memset(m, 0, sizeof *m);
    m->arena = arena;
    m->notes.arena = arena;
    m->own = own;
    m->random = random;
    chain_start(&m->chain, arena, &m->notes, domain, DNS_MX);
    advance(m);
}

bool mx_question(struct mx *m, struct dns_question *question)
{
    return m->verdict == MX_ASKING && chain_question(&m->chain, question);
}

void mx_answer(struct mx *m, const struct dns_answer *answer)
{
    if (m->verdict == MX_ASKING) {
        chain_answer(&m->chain, answer);
        advance(m);
    }
}
