/* spf_macro.h: the macros of SPF records, "%{d2r.}" (RFC 7208 section 7). */
#pragma once

#include "core/base/ip.h"

enum {
    SPF_EXPANDED_MAX = 4096, /* octets; what would become longer is refused */
    SPF_VALUE_MAX = 1024,    /* octets of one macro's value before it is cut into parts */
};

/* What the letters stand for. Borrowed. */
struct spf_values {
    struct str sender, local, sender_domain; /* s, l, o */
    struct str domain;                       /* d */
    struct str name;                         /* p: what spf.c found out, or "unknown" */
    struct str helo;                         /* h */
    struct str receiver;                     /* r */
    struct ip ip;                            /* i, c, v */
    int64_t now;                             /* t: Unix seconds */
};

/* A domain-spec: ends in a top label or a macro, and has none of the letters that belong to
 * explanations (c, r, t). */
bool spf_macro_is_domain(struct str spec);
/* A macro-string or an explain-string: any letter, and spaces. */
bool spf_macro_is_text(struct str text);
/* Whether it asks for "p", which costs questions. */
bool spf_macro_wants_name(struct str text);

/* Appends `text`, expanded. False: malformed, too long, or no memory. */
NODISCARD bool spf_macro_expand(struct buf *out, struct str text, const struct spf_values *values);
