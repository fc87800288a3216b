/* inspect.h: what a certificate and its key are good for, for `check --security`. Blocks. */
#pragma once

#include "core/base/buf.h"
#include "core/base/instant.h"
#include "core/base/tlsa.h"

struct certificate_facts {
    bool rsa;        /* else an elliptic curve, or another kind */
    int key_bits;    /* of the modulus or of the curve */
    int secure_bits; /* as hard to break as a cipher of so many; OpenSSL's estimate */
    struct instant begins, ends;
    bool key_fits;    /* the private key is the certificate's */
    bool weak_digest; /* signed with MD5 or SHA-1 */
    bool names_host;
};

/* `chain` and `key` are files in PEM, NUL-terminated. False, with the reason in words, where they
 * cannot be read. */
NODISCARD bool certificate_inspect(const char *chain, const char *key, struct str host,
                                   struct certificate_facts *facts, struct buf *reason);

/* Whether a usable TLSA record describes the first certificate of the file (usage 3), or one of it
 * (usage 2). False too where the file cannot be read. */
NODISCARD bool certificate_fits_tlsa(const char *chain, const struct tlsa *tlsa);
