/* spf_record.h: the text of an SPF record, term by term (RFC 7208 section 4.6, 5, 6 and 12). A
 * record is walked once to the end before anything of it is believed: a mistake anywhere in it
 * makes the whole a "permerror". Texts are slices of the record; nothing is allocated. */
#pragma once

#include "core/base/ip.h"

enum spf_kind {
    SPF_ALL,
    SPF_INCLUDE,
    SPF_A,
    SPF_MX,
    SPF_PTR,
    SPF_IP4,
    SPF_IP6,
    SPF_EXISTS,
    SPF_REDIRECT,
    SPF_EXP,
    SPF_OTHER_MODIFIER, /* of a name that is not known: means nothing */
};

struct spf_term {
    enum spf_kind kind;
    char qualifier;         /* '+', '-', '~' or '?'; mechanisms only */
    struct str text;        /* as it stands */
    struct str domain;      /* its domain-spec, with macros; empty: the record's own domain */
    struct network network; /* ip4, ip6 */
    uint8_t prefix4;        /* a, mx: how many bits of an address count */
    uint8_t prefix6;
};

/* Whether a TXT record's text is an SPF record: "v=spf1" and a space or nothing (section 4.5). */
bool spf_is_record(struct str text);

struct spf_terms {
    struct str rest;
    struct str wrong; /* the term that is none, where the walk broke off */
};

struct spf_terms spf_terms_begin(struct str record);
/* False at the end, and at a term that is none: `wrong` is then not empty. */
bool spf_term_next(struct spf_terms *it, struct spf_term *term);
