/* dane.h: what DNSSEC says of the certificates of a mail host (RFC 7672 section 2.2): a machine.
 * Its addresses must be signed, CNAMEs followed on the way; the TLSA records stand at the end of
 * the CNAMEs, or else at the name that was asked for. Use as chain.h.
 *
 * Whoever can suppress an answer must not be able to switch this off: where a signed zone cannot be
 * asked about, the host is not to be used at all. */
#pragma once

#include "core/base/tlsa.h"
#include "core/dns/chain.h"

enum { DANE_RECORDS_MAX = 64 }; /* further ones are left out */

enum dane_verdict {
    DANE_ASKING,
    DANE_NONE,     /* no TLSA record that DNSSEC vouches for: as if there were no DANE */
    DANE_USABLE,   /* `records` */
    DANE_UNUSABLE, /* such records, but none can be used: TLS, whoever it is (RFC 7672 2.2) */
    DANE_FAILED,   /* no answer, or a forged one: no mail to this host now; `reason` */
};

struct dane {
    enum dane_verdict verdict;
    struct str base; /* the TLSA base domain: what SNI asks for */
    struct str host; /* as it was asked for: another name that certificates may bear */
    struct tlsa *records;
    size_t count;
    const char *reason;
    struct dns_notes notes;

    /* Its own: */
    struct arena *arena;
    uint16_t port;
    uint8_t step;
    struct chain chain;
};

/* `host` in A-labels; copied. */
void dane_start(struct dane *d, struct arena *arena, struct str host, uint16_t port);
bool dane_question(struct dane *d, struct dns_question *question); /* false: none now */
void dane_answer(struct dane *d, const struct dns_answer *answer);
