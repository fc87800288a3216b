/* key.h: a public key as the DNS publishes it (RFC 6376 section 3.6.1, RFC 8463). */
#pragma once

#include "core/mailauth/signature.h"

enum { KEY_OCTETS_MAX = 2048 };

struct key {
    bool ed25519;      /* else RSA */
    struct str octets; /* RSA: DER, a SubjectPublicKeyInfo or a bare RSAPublicKey; Ed25519: 32
                          octets; in the arena */
    bool testing;      /* t=y: a signature by it counts as none */
    bool strict;       /* t=s: the identity's domain must be the signature's itself */
};

enum key_finding {
    KEY_GOOD,
    KEY_REVOKED, /* p= is empty */
    KEY_OTHER,   /* of another version, algorithm or service: not for this signature */
    KEY_BROKEN,  /* not of the form */
};

/* `text`: the TXT record's strings, joined. */
NODISCARD enum key_finding key_parse(struct key *key, struct arena *arena, struct str text,
                                     enum signature_algorithm algorithm);
