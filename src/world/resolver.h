/* resolver.h: DNS by libunbound: one cache for all loops, beneath a small one of each; DNSSEC
 * validated here. The service runs two threads: libunbound's own, which asks and validates, and one
 * that carries its answers to the loops. Answers to a question of which nobody waits any more are
 * thrown away. */
#pragma once

#include "core/base/instant.h"
#include "core/base/list.h"
#include "core/dns/memory.h"
#include "port/resolver.h"
#include "world/soon.h"

struct loop;
struct dns_service;

struct dns_service_options {
    const struct str *servers; /* "192.0.2.1", "127.0.0.1@5353", "::1@53"; none: resolv.conf */
    size_t server_count;
    struct str trust_anchor; /* a file of DS or DNSKEY records; empty: DNSSEC is not checked */
    struct str resolv_conf;  /* read where no servers are given; empty: /etc/resolv.conf */
    struct str hosts;        /* empty: /etc/hosts, but none where servers are given. Of its names it
                                answers A and AAAA only */
    struct span limit;       /* a question without an answer has timed out; 0: 10 s */
};

/* Null on failure, with a text for people in `reason`. The options are borrowed for the call. */
NODISCARD struct dns_service *dns_service_new(const struct dns_service_options *options,
                                              char *reason, size_t reason_size);
/* After the loops that use it were freed. Null is fine. */
void dns_service_free(struct dns_service *service);

/* A loop's side of it. */
struct loop_resolver {
    struct resolver port;
    struct loop *loop;
    struct dns_service *service; /* may be null */
    struct list lookups;
    struct dns_memory memory; /* this loop's: at hand without a passage through other threads */
    struct resolver_query *starved; /* asked when there was no memory: linked by `impl` */
    struct soon starved_soon;
};

void loop_resolver_init(struct loop_resolver *r, struct loop *loop, struct dns_service *service);
void loop_resolver_done(struct loop_resolver *r);
