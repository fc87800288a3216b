/* resolver.h: questions to the DNS. The answer is the DNS message itself (RFC 1035 section 4), to
 * be read by core/dns: the port neither chases CNAMEs nor judges. */
#pragma once

#include "core/base/str.h"

enum resolver_result {
    RESOLVER_ANSWERED, /* a message came, whatever its RCODE: look into it */
    RESOLVER_TIMEOUT,  /* no server answered in time */
    RESOLVER_FAILED,   /* SERVFAIL, broken answers, no memory: like SERVFAIL */
    RESOLVER_BOGUS,    /* DNSSEC says it is forged: like SERVFAIL, and worth telling */
};

struct resolver_query {
    void (*done)(struct resolver_query *query); /* never before ask() returned */
    enum resolver_result result;
    bool secure;       /* the answer was validated by DNSSEC */
    struct str answer; /* the DNS message; borrowed until done returns */
    void *impl;
};

struct resolver {
    /* `name` without the final dot, in ASCII (A-labels); copied. `type` as in the DNS (1 A, 5
     * CNAME, 12 PTR, 15 MX, 16 TXT, 28 AAAA, 52 TLSA). */
    void (*ask)(struct resolver *resolver, struct resolver_query *query, struct str name,
                uint16_t type);
    void (*cancel)(struct resolver *resolver,
                   struct resolver_query *query); /* `done` will not run */
};
