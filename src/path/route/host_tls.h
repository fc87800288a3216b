/* host_tls.h: how private the way to one host of a hop must be: by the rule that applies, else by
 * DANE (RFC 7672), else by MTA-STS (RFC 8461), else opportunistic. For the deliver stage, before it
 * connects, and for `postrider route`. */
#pragma once

#include "core/mail/next_hop.h"
#include "port/ports.h"

struct host_tls_query {
    void (*done)(struct host_tls_query *query); /* never from inside the start */
    const struct ports *ports;
    struct arena *arena;
    const struct next_hop *hop;
    size_t host; /* which of its hosts */
    void *owner;

    struct tls_policy policy;  /* done: what holds; texts in the hop's memory and the arena */
    struct status_code status; /* done: class 4 or 5: the host must not be used */
    struct str text;           /* and why, in words */
    struct routing_step *steps;
    size_t step_count;
    void *impl;
};

/* True: there is nothing to ask, all is filled in, and `done` will not run. */
NODISCARD bool host_tls_start(struct host_tls_query *query);
void host_tls_cancel(struct host_tls_query *query); /* `done` will not run; fine if not running */
