/* mx.h: which hosts take the mail of a domain (RFC 5321 5.1, RFC 7505): a machine. CNAMEs of the
 * domain are followed first; without an MX record the domain itself is the host, if it has an
 * address. Use as chain.h: while the verdict is MX_ASKING take the question, ask it, give the
 * answer back. */
#pragma once

#include "core/dns/chain.h"

enum { MX_HOSTS_MAX = 50 }; /* the best so many; the others are left out, and that is noted */

enum mx_verdict {
    MX_ASKING,
    MX_HOSTS,      /* `hosts`, the best first */
    MX_NULL,       /* the domain takes no mail: RFC 7505 */
    MX_NXDOMAIN,   /* no such domain */
    MX_NO_ADDRESS, /* neither MX nor address */
    MX_UNUSABLE,   /* MX records, none of which names a host */
    MX_OURSELVES,  /* all ways lead back here */
    MX_LOOP,       /* CNAMEs in a circle, or too many */
    MX_TEMPORARY,  /* the DNS does not answer: `reason` */
};

struct mx_host {
    struct str name; /* in lower case, no final dot */
    uint16_t preference;
};

struct mx {
    enum mx_verdict verdict;
    struct mx_host *hosts;
    size_t host_count;
    bool implicit;      /* no MX record: the domain's own address */
    bool secure;        /* every answer was validated by DNSSEC */
    const char *reason; /* TEMPORARY: in words */
    struct dns_notes notes;

    /* Its own: */
    struct arena *arena;
    struct str own; /* our name: hosts not better than ourselves are dropped */
    uint64_t random;
    struct chain chain;
    const char *reason_a; /* the A lookup failed for this; AAAA is still asked */
};

/* `domain` in A-labels; `own` is this host's name: borrowed. `random`: any unpredictable number;
 * hosts of equal preference are shuffled by it. */
void mx_start(struct mx *m, struct arena *arena, struct str domain, struct str own,
              uint64_t random);
bool mx_question(struct mx *m, struct dns_question *question); /* false: none now */
void mx_answer(struct mx *m, const struct dns_answer *answer);
