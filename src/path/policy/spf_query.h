/* spf_query.h: core/mailauth/spf.h with the resolver behind it: one check of one client's address,
 * for the session, `postrider trace` and `postrider verify`. */
#pragma once

#include "core/mailauth/spf.h"
#include "path/policy/auth_asking.h"

struct spf_query {
    void (*done)(struct spf_query *query); /* never before the start returned */
    const struct ports *ports;
    struct arena *arena;
    struct spf_request request;
    void *owner;

    struct spf spf; /* done: the result, its reason, the notes; good while the arena is */

    struct auth_asking asking; /* its own; zeroed at first */
};

/* All questions together have 20 seconds (RFC 7208 4.6.4): what is open then is a TEMPERROR. */
void spf_query_start(struct spf_query *query);
void spf_query_cancel(struct spf_query *query); /* `done` will not run; fine if not running */
