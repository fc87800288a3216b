/* tracing.h: an inbound message's way, judged as it comes in (`policy.trace`): from its header and
 * what the session has looked up anyway. Nothing is asked and nothing waits. */
#pragma once

#include "core/dns/hostcheck.h"
#include "core/trace/judgement.h"

enum { TRACING_KEPT = 64 << 10 }; /* octets of the header that are judged */

/* What is known of the client without asking. Texts are borrowed. */
struct tracing_client {
    struct ip ip;
    enum hostcheck_reverse_finding reverse;
    struct str name; /* verified, or else what its PTR record claims */
    struct str helo;
    enum hostcheck_helo_finding helo_finding;
};

struct tracing {
    struct buf header; /* the message's beginning; at most TRACING_KEPT */
    bool judged;
    enum trace_verdict verdict;
    size_t first_forged; /* TRACE_NONE: none */
    struct ip origin;    /* IP_NONE: not known */
};

/* The next octets of the message, for as long as its header lasts. */
void tracing_keep(struct tracing *t, struct str octets);
/* `received`: our own field, to be put on top; `hostname`: ours; `now`: Unix seconds. Without
 * memory nothing is judged. */
void tracing_judge(struct tracing *t, const struct tracing_client *client, struct str received,
                   struct str hostname, int64_t now);
/* The verdict as an Authentication-Results field (RFC 8601). */
void tracing_field(struct buf *out, const struct tracing *t, struct str hostname);
void tracing_done(struct tracing *t);
