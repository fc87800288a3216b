/* dkim_query.h: core/mailauth/dkim.h and arc.h with the resolver and the mathematics behind them:
 * the signatures of one message that is in memory, for `postrider trace` and `postrider verify`.
 * The hashing is done within the start: 250 MB a second of a relaxed body, 600 of a simple one. */
#pragma once

#include "core/mailauth/arc.h"
#include "path/policy/auth_asking.h"
#include "port/crypto.h"

struct dkim_query {
    void (*done)(struct dkim_query *query); /* never before the start returned */
    const struct ports *ports;
    struct crypto *crypto;
    struct arena *arena;
    struct str message; /* whole; borrowed until the results were read */
    int64_t now;        /* Unix seconds */
    void *owner;

    struct dkim dkim; /* done: a result for every signature */
    struct arc arc;   /* done: the chain's */

    struct auth_asking asking; /* its own; zeroed at first */
};

/* All keys together have 20 seconds: what is open then is a TEMPERROR. */
void dkim_query_start(struct dkim_query *query);
void dkim_query_cancel(struct dkim_query *query); /* `done` will not run; fine if not running */
