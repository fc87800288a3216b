/* tally.h: sessions counted per period, domain and policy (RFC 8460 section 4.1), from all loops;
 * kept as one JSON object, which is also the file that survives a restart:
 *   {PERIOD: {DOMAIN: [{type, domain, mx, policy, successes, failures, details: [{result, host,
 * ip, source, count}]}]}}, or {PERIOD: {DOMAIN: N}} where all of a domain's sessions were successes
 * and without a policy, as most are; a short list of policies is kept as a text (tally_text.h).
 * Periods are numbered from 1970 on; a day is the usual one. */
#pragma once

#include <jansson.h>

#include "core/base/buf.h"
#include "core/base/instant.h"
#include "port/tally.h"

enum {
    TALLY_DOMAINS_MAX = 10000, /* of a period; others are not counted */
    TALLY_POLICIES_MAX = 50,   /* of a domain */
    TALLY_DETAILS_MAX = 200,   /* of a policy; others count as failures alone */
    TALLY_TEXT_MAX = 4096,     /* octets of a policy's patterns or lines; the rest is left out */
};

struct tally;

/* Null: no memory. */
struct tally *tally_new(struct span period);
void tally_free(struct tally *tally); /* when no loop counts any more; null is fine */
struct tls_tally *tally_port(struct tally *tally);
struct span tally_period(const struct tally *tally);

/* What a file held, added to what is counted; what is not of the form is passed over. */
void tally_load(struct tally *tally, struct str text);
/* The text for the file. False: nothing changed since the last time, or no memory. */
NODISCARD bool tally_save(struct tally *tally, struct buf *out);
/* A domain of a period that is over, taken out: a new {domain, period, policies}; null: none. */
json_t *tally_take(struct tally *tally, struct instant now);
/* Puts back what could not be reported yet. */
void tally_return(struct tally *tally, json_t *taken);
