/* message.h: a DNS message (RFC 1035 section 4), read from hostile bytes. dns_message_parse() looks
 * at all of it once, so that what iterates afterwards cannot fail. Nothing is allocated. */
#pragma once

#include "core/base/ip.h"
#include "core/dns/name.h"

enum dns_type {
    DNS_A = 1,
    DNS_NS = 2,
    DNS_CNAME = 5,
    DNS_SOA = 6,
    DNS_PTR = 12,
    DNS_MX = 15,
    DNS_TXT = 16,
    DNS_AAAA = 28,
    DNS_TLSA = 52
};

enum dns_rcode {
    DNS_NOERROR = 0,
    DNS_FORMERR = 1,
    DNS_SERVFAIL = 2,
    DNS_NXDOMAIN = 3,
    DNS_NOTIMP = 4,
    DNS_REFUSED = 5
};

enum dns_section { DNS_ANSWER, DNS_AUTHORITY, DNS_ADDITIONAL };

enum { DNS_CLASS_IN = 1 };

struct dns_message {
    struct str bytes;
    uint16_t id;
    bool response, authoritative, truncated, recursion_available, authentic_data;
    uint8_t rcode; /* enum dns_rcode, or another */
    bool has_question;
    struct dns_name question; /* the first one */
    uint16_t question_type;
    uint16_t counts[3];   /* records in each section */
    size_t section_at[3]; /* where each begins */
};

/* A record. The member that `type` names is set, where the class is IN; a TLSA's data and a TXT's
 * strings are slices of the message. */
struct dns_record {
    struct dns_name name;
    uint16_t type;
    uint16_t class;
    uint32_t ttl;
    struct str rdata;       /* as it stands in the message, names perhaps compressed */
    struct ip ip;           /* A, AAAA */
    struct dns_name target; /* CNAME, PTR, NS, MX; SOA: the primary server */
    uint16_t preference;    /* MX */
    struct {
        struct dns_name contact;
        uint32_t serial, refresh, retry, expire, minimum;
    } soa;
    struct {
        uint8_t usage, selector, matching;
        struct str data;
    } tlsa;
};

/* False: not a DNS message; a part of it does not fit, or a record's data is not of its type's
 * form. */
NODISCARD bool dns_message_parse(struct str bytes, struct dns_message *message);

struct dns_record_iter {
    const struct dns_message *message;
    size_t at;
    uint16_t left;
};
struct dns_record_iter dns_records_begin(const struct dns_message *message,
                                         enum dns_section section);
bool dns_record_next(struct dns_record_iter *it, struct dns_record *record);

/* A TXT record's strings, joined without anything between (RFC 7208 3.3). */
void dns_record_text(struct buf *out, const struct dns_record *record);
/* "MX", "TYPE257": for people. Static or in `arena`. */
struct str dns_type_text(uint16_t type, struct arena *arena);
