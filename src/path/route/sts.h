/* sts.h: the MTA-STS policies of the domains that mail goes to (RFC 8461): the record asked for in
 * the DNS, the policy fetched over HTTPS, kept in memory and in <spool>/mta-sts/ for its max_age,
 * fetched again before it ends and when the record's id changes. What cannot be had is as if there
 * were none, unless one is kept that is still good. One office for the home loop, or for a verb. */
#pragma once

#include "core/base/list.h"
#include "core/base/map.h"
#include "core/mail/next_hop.h"
#include "path/route/sts_file.h"
#include "port/ports.h"

enum { STS_DOMAINS_MAX = 1024 }; /* kept in memory; others are on disk */

struct sts_office {
    const struct ports *ports;
    struct str folder; /* borrowed; empty: nothing is kept */
    bool read_only;    /* what is on disk is used, and not changed */
    uint16_t port;     /* of the web servers */
    /* Who asks waits so long for a policy that is not known yet, and then does without. */
    struct span patience;

    bool stopped; /* its own, as the rest */
    struct map entries;
    struct hash_seed seed;
};

/* Zeroed, with the first part filled in. */
void sts_office_init(struct sts_office *office);
/* When no query is under way: nothing is asked or fetched any more. */
void sts_office_stop(struct sts_office *office);
/* After that and when the loop is freed: a file may have been half read. */
void sts_office_done(struct sts_office *office);

enum sts_trouble {
    STS_FINE,
    STS_NOT_FETCHED, /* no answer, an error, a redirect, too slow, too long */
    STS_NOT_VALID,   /* what came is no policy */
    STS_NOT_TRUSTED, /* the web server's certificate */
};

struct sts_query {
    void (*done)(struct sts_query *query); /* never from inside the start */
    struct sts_office *office;
    struct arena *arena;
    struct str domain; /* in A-labels, lower case */
    void *owner;

    /* Done. Without a policy the mode is STS_NONE. */
    struct sts_policy policy;
    enum sts_trouble trouble; /* a record says that there is one, but it cannot be had */
    struct str why;           /* in words, for `postrider route`; empty: there is no record */

    struct list link; /* its own, as the rest */
    struct timer limit;
    bool begun;
    void *impl;
};

/* False: no memory, and `done` will not run. */
NODISCARD bool sts_start(struct sts_query *query);
void sts_cancel(struct sts_query *query); /* `done` will not run; fine if not running */
