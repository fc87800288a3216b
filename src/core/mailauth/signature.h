/* signature.h: what a signature field says (RFC 6376 section 3.5, RFC 8617 section 4.1): the three
 * kinds share their tags. Texts are slices of the field or of the arena. */
#pragma once

#include "core/base/arena.h"
#include "core/mail/header.h"

enum {
    SIGNATURE_OCTETS_MAX = 1024, /* RSA with 8,192 bits */
    SIGNATURE_HASH_SIZE = 32,    /* SHA-256 */
    SIGNATURE_NAMES_MAX = 1000,  /* in h= */
    ARC_SETS_MAX = 50,           /* RFC 8617 4.2.1 */
};

enum signature_kind {
    SIGNATURE_DKIM, /* DKIM-Signature */
    SIGNATURE_ARC,  /* ARC-Message-Signature: the same, but for "v" and "i" */
    SIGNATURE_SEAL, /* ARC-Seal: of the ARC fields alone */
};

enum signature_algorithm {
    ALGORITHM_NONE, /* none that is known */
    ALGORITHM_RSA_SHA1,
    ALGORITHM_RSA_SHA256,
    ALGORITHM_ED25519_SHA256,
};

struct signature {
    enum signature_kind kind;
    struct header_field field;
    struct str raw_value; /* what counts as empty when the field itself is signed (b=) */
    enum signature_algorithm algorithm;
    struct str domain, selector; /* in A-labels, whatever the field has (RFC 8616) */
    struct str identity;         /* i= of DKIM: as it stands, or "@" and the domain */
    bool identity_below;         /* its host is not the domain itself but one below */
    struct str fields;           /* h=: names with colons and blanks */
    bool header_relaxed, body_relaxed;
    bool has_length;
    uint64_t length; /* l= */
    bool has_time, has_end;
    int64_t time, end;    /* t=, x=: Unix seconds */
    struct str body_hash; /* bh=, decoded */
    struct str octets;    /* b=, decoded */
    unsigned instance;    /* i= of ARC: 1 to ARC_SETS_MAX */
    struct str chain;     /* cv= of a seal */
};

/* Null: it is well-formed. Otherwise why it is not, in words; `domain`, `selector` and `instance`
 * are then set as far as they were read. */
NODISCARD const char *signature_parse(struct signature *s, struct arena *arena,
                                      enum signature_kind kind, const struct header_field *field);
/* "rsa-sha256"; empty for NONE */
const char *signature_algorithm_name(enum signature_algorithm algorithm);
