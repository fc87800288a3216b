/* dmarc_query.h: core/mailauth/dmarc.h with the resolver and the list of public suffixes behind it,
 * after SPF and DKIM have ended. */
#pragma once

#include "core/mailauth/dkim.h"
#include "core/mailauth/dmarc.h"
#include "core/mailauth/spf.h"
#include "path/policy/auth_asking.h"
#include "port/suffixes.h"

struct dmarc_query {
    void (*done)(struct dmarc_query *query); /* never before the start returned */
    const struct ports *ports;
    struct suffixes *suffixes;
    struct arena *arena;
    struct str header;       /* the message or its header */
    const struct spf *spf;   /* of the envelope's sender, or, if it is null, of the HELO name; null:
                                not checked */
    const struct dkim *dkim; /* its results */
    void *owner;

    struct dmarc dmarc; /* done: the result */

    struct auth_asking asking; /* its own; zeroed at first */
    struct dmarc_identifier passed[DKIM_SIGNATURES_MAX + 1];
};

/* Both questions together have 20 seconds. */
void dmarc_query_start(struct dmarc_query *query);
void dmarc_query_cancel(struct dmarc_query *query); /* `done` will not run; fine if not running */
