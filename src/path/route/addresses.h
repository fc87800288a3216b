/* addresses.h: the addresses of a host, for the deliver stage and `postrider route`. A and AAAA are
 * asked at once; CNAMEs are followed (an MX host must not be one, RFC 2181 10.3: it is noted and
 * used). An address literal as the host's name is no name: put it in hop_host.literal. */
#pragma once

#include "core/mail/next_hop.h"
#include "port/ports.h"

enum addresses_finding {
    ADDRESSES_OPEN,      /* not known yet */
    ADDRESSES_FOUND,     /* at least one */
    ADDRESSES_NONE,      /* the name has none of this family */
    ADDRESSES_NXDOMAIN,  /* no such name: permanent */
    ADDRESSES_LOOP,      /* CNAMEs in a circle, or too many: permanent */
    ADDRESSES_TEMPORARY, /* the DNS did not answer */
    ADDRESSES_UNASKED,   /* no_ipv4, no_ipv6 */
};

enum { ADDRESSES_FAMILY_MAX = 16 }; /* further ones are left out */

struct addresses_family {
    enum addresses_finding finding;
    struct ip *ips; /* in the order of the answer */
    size_t count;
    bool secure; /* validated by DNSSEC: DANE needs it */
};

struct addresses_query {
    void (*done)(struct addresses_query *query); /* both settled; never before the start returned */
    /* May be null: one family is settled, the other may be open (RFC 8305 section 3). Never after
     * done; the query may be cancelled, but not freed, from it. */
    void (*family_done)(struct addresses_query *query, enum ip_family family);
    const struct ports *ports;
    struct arena *arena;
    struct str host; /* a name in A-labels, with or without a final dot; copied */
    bool no_ipv4, no_ipv6;

    struct addresses_family v4, v6;
    struct ip *ips; /* done: all, IPv6 first, families taking turns (RFC 8305 section 4) */
    size_t ip_count;
    struct status_code status; /* done without an address: 5.4.4, 5.4.6 or 4.4.3; else class 0 */
    struct str text;           /* done without an address: why, in words */
    struct routing_step *steps;
    size_t step_count;
    void *owner;
    struct timer timer; /* its own; zeroed at first */
    void *impl;
};

void addresses_start(struct addresses_query *query);
void addresses_cancel(struct addresses_query *query); /* `done` will not run; fine if not running */
