/* spf.h: may this address send mail for that domain? (RFC 7208 check_host()): a machine. Use as the
 * machines of core/dns: spf_start(); then, while `result` is SPF_OPEN, take the question with
 * spf_question(), ask it, and give the answer to spf_answer(). One question at a time; whatever the
 * records say, there are at most about 250. RFC 7208 4.6.4 wants 20 seconds at least for all of
 * them together: that clock is the caller's, who ends with spf_give_up(). */
#pragma once

#include "core/dns/chain.h"
#include "core/mailauth/spf_macro.h"
#include "core/mailauth/spf_record.h"

enum {
    SPF_LOOKUPS_MAX = 10, /* terms that cost questions, in all records together (4.6.4) */
    SPF_VOIDS_MAX = 2,    /* questions about what is not there (4.6.4) */
    SPF_NAMES_MAX = 10,   /* MX hosts of one mx, names of one address (4.6.4) */
};

enum spf_result {
    SPF_OPEN,
    SPF_NONE,    /* the domain says nothing, or there is no domain */
    SPF_NEUTRAL, /* it says that it says nothing */
    SPF_PASS,
    SPF_FAIL,
    SPF_SOFTFAIL,
    SPF_TEMPERROR, /* the DNS does not answer */
    SPF_PERMERROR, /* its record is wrong, or asks too much */
};

/* All borrowed until the end. */
struct spf_request {
    struct ip ip;        /* the client's */
    struct str sender;   /* MAIL FROM's address, or a domain alone; empty: postmaster at the HELO
                            name (2.4) */
    struct str helo;     /* as the client said it */
    struct str receiver; /* our name, for explanations; empty: "unknown" */
    int64_t now;         /* Unix seconds, for explanations */
};

/* A host of an MX, or a name of the client. */
struct spf_name {
    struct str name;
    int rank; /* preference; or how near to the domain in question, 0 is nearest */
};

/* A record being evaluated; one above the other where they include. */
struct spf_frame {
    struct str domain;
    struct spf_terms terms;
    char qualifier; /* of the include that led here */
    bool required;  /* led here by include or redirect: to find no record is a mistake */
    struct str redirect, exp;
};

struct spf {
    enum spf_result result;
    struct str domain;      /* whose record was asked for first */
    struct str reason;      /* why, in one sentence; good while the arena is */
    struct str explanation; /* FAIL: what the domain wants senders to be told (6.2); or empty */
    unsigned lookups, voids;
    struct dns_notes notes; /* every record and every answer that counted, in words */

    /* Its own: */
    struct arena *arena;
    struct spf_values values;
    struct spf_frame frames[SPF_LOOKUPS_MAX + 1];
    size_t depth; /* frames in use */
    struct spf_term term;
    struct chain chain;
    struct spf_name names[SPF_NAMES_MAX];
    size_t name_count, name_at;
    bool names_left_out;
    struct str target;      /* the name that the present term is about */
    struct str name_domain; /* `values.name` was found out for that domain */
    struct str exp_text;
    uint8_t step, phase; /* spf_inside.h */
};

void spf_start(struct spf *s, struct arena *arena, const struct spf_request *request);
bool spf_question(struct spf *s, struct dns_question *question); /* false: none now */
void spf_answer(struct spf *s, const struct dns_answer *answer);
/* No more answers are waited for: what is open is a TEMPERROR. */
void spf_give_up(struct spf *s);

const char *spf_result_name(enum spf_result result); /* "pass", as in Received-SPF */
