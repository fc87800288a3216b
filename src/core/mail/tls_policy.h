/* tls_policy.h: how private the way to a next hop must be. */
#pragma once

#include "core/base/str.h"

enum tls_level {
    TLS_MAY,         /* where it is offered, whoever it is; else in the clear (RFC 7435) */
    TLS_NONE,        /* never */
    TLS_ENCRYPT,     /* always, whoever it is */
    TLS_VERIFY,      /* always, with a certificate of a known authority for one of the names */
    TLS_FINGERPRINT, /* always, with one of these certificates or keys */
};

enum { TLS_FINGERPRINT_SIZE = 32 };

struct tls_policy {
    enum tls_level level;
    bool implicit;    /* TLS from the first octet, not after STARTTLS */
    struct str names; /* VERIFY: instead of the host's name; separated by blanks. ".example" is
                         any name below it */
    struct str fingerprints; /* SHA-256 of certificates or public keys (DER), one after the other */
    struct str source;       /* the rule it is from; empty: none applies */
};

static inline bool tls_required(const struct tls_policy *policy)
{
    return policy->implicit || policy->level >= TLS_ENCRYPT;
}
