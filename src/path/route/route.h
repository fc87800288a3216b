/* route.h: from a recipient to the next hop: own domains, aliases and lists, transports, CNAME
 * chain, MX, null MX (RFC 5321 section 5, RFC 7505). Runs on the home loop (or in a verb); asks the
 * DNS through port/resolver.h and writes down each step. Addresses of MX hosts are looked up later,
 * by the deliver stage (path/route/addresses.h). */
#pragma once

#include "config/config.h"
#include "core/mail/next_hop.h"
#include "path/route/sts.h"
#include "port/ports.h"

struct route_query {
    void (*done)(struct route_query *query); /* never before route_start() returned */
    const struct ports *ports;
    const struct config *config;
    struct arena *arena;
    /* "local@domain". What an expansion brought may also be "\/path", "\|command" and
     * "\local@domain" (that mailbox, whatever aliases say). The backslash is the guard: "/" and "|"
     * may begin a mailbox that a client names, a backslash never does. */
    struct str address;
    struct str sender;      /* the reverse-path, for {sender} in a program's arguments */
    struct sts_office *sts; /* null: MTA-STS is not used */
    bool require_tls;       /* as the message's envelope has it */
    bool tls_optional;
    bool silent; /* no steps are written down: nobody will read them */
    struct routing result;
    void *owner;
    struct timer timer; /* its own; zeroed at first */
    void *impl;
};

void route_start(struct route_query *query);
void route_cancel(struct route_query *query); /* `done` will not run; fine if not running */
