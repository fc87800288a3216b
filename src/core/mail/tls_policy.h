/* tls_policy.h: how private the way to a next hop must be. */
#pragma once

#include "core/base/tlsa.h"
#include "core/mail/sts.h"
#include "core/mail/tls_failure.h"

enum tls_level {
    TLS_MAY,         /* where it is offered, whoever it is; else in the clear (RFC 7435) */
    TLS_NONE,        /* never */
    TLS_ENCRYPT,     /* always, whoever it is */
    TLS_VERIFY,      /* always, with a certificate of a known authority for one of the names */
    TLS_FINGERPRINT, /* always, with one of these certificates or keys */
    TLS_DANE,        /* always, with a certificate that a TLSA record describes */
};

enum { TLS_FINGERPRINT_SIZE = 32 };

struct tls_policy {
    enum tls_level level;
    bool implicit;    /* TLS from the first octet, not after STARTTLS */
    bool required;    /* of a hop: REQUIRETLS: only hosts that are surely who they must be */
    bool optional;    /* of a hop: "TLS-Required: No": neither DANE nor MTA-STS is asked */
    bool dane;        /* of a hop: each host's TLSA records are to be looked up first */
    struct str names; /* VERIFY: instead of the host's name; separated by blanks. ".example" is any
                         name below it. DANE: further names that will do. With
                         `dane` or `sts`: the domain that the mail is for */
    struct str fingerprints; /* SHA-256 of certificates or public keys (DER), one after the other */
    const struct tlsa *tlsa; /* DANE: usable ones */
    size_t tlsa_count;
    enum sts_mode sts;            /* of a hop: MTA-STS holds for hosts that DANE does not */
    struct str sts_mx;            /* and names these */
    uint32_t sts_max_age;         /* for so many seconds */
    enum tls_failure sts_failure; /* it has a policy that could not be had */
    struct str domain;            /* whose MX records the host is from; empty: no reports */
    struct str base; /* the TLSA base domain, which SNI asks for; without `tlsa`: none is usable */
    struct str source; /* the rule it is from, "DANE", "MTA-STS"; empty: none applies */
};

static inline bool tls_required(const struct tls_policy *policy)
{
    return policy->implicit || policy->level >= TLS_ENCRYPT;
}
