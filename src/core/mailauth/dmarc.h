/* dmarc.h: does SPF or DKIM vouch for the domain that stands in From? (RFC 7489): a machine, used
 * as those of core/dns, after the others have ended: what passed is an argument, and so is each
 * domain's organisation, for which one needs a list of public suffixes. */
#pragma once

#include "core/dns/chain.h"
#include "core/mailauth/dmarc_record.h"

enum dmarc_result {
    DMARC_OPEN,
    DMARC_NONE, /* the domain has no policy */
    DMARC_PASS,
    DMARC_FAIL,
    DMARC_TEMPERROR, /* the DNS does not answer */
    DMARC_PERMERROR, /* From names no domain, or several */
};

/* A domain that SPF or a DKIM signature passed for. */
struct dmarc_identifier {
    struct str domain;
    struct str organisation; /* the organisational domain (section 3.2) */
    bool by_spf;             /* else by DKIM */
};

/* All borrowed until the end. */
struct dmarc_request {
    struct str from; /* the domain, as dmarc_from() finds it */
    struct str organisation;
    const struct dmarc_identifier *passed;
    size_t passed_count;
    bool temporary; /* what might have passed could not be checked now */
};

struct dmarc {
    enum dmarc_result result;
    struct str reason;
    struct str domain;          /* whose record counts; empty: none */
    struct dmarc_record record; /* where there is one */
    enum dmarc_policy policy;   /* what it says of this message, if the result is FAIL */

    /* Its own: */
    struct arena *arena;
    struct dmarc_request request;
    struct chain chain;
    bool of_organisation;
};

enum dmarc_from_finding {
    DMARC_FROM_GOOD,
    DMARC_FROM_NONE,    /* no From, or no address in it */
    DMARC_FROM_SEVERAL, /* of different domains, or several From fields */
};

/* The one domain in the header's From, in lower case and A-labels. */
NODISCARD enum dmarc_from_finding dmarc_from(struct str header, struct arena *arena,
                                             struct str *domain);

void dmarc_start(struct dmarc *d, struct arena *arena, const struct dmarc_request *request);
/* There is no domain to ask about. */
void dmarc_refuse(struct dmarc *d, enum dmarc_from_finding finding);
bool dmarc_question(struct dmarc *d, struct dns_question *question); /* false: none now */
void dmarc_answer(struct dmarc *d, const struct dns_answer *answer);
void dmarc_give_up(struct dmarc *d);
const char *dmarc_result_name(enum dmarc_result result); /* "pass" */
