/* remote_key.h: a private key that is not here: what it is asked to sign another process signs.
 * OpenSSL takes it for an ordinary key, by the methods of RSA and EC keys that programs may
 * replace. */
#pragma once

#include <openssl/evp.h>

#include "core/base/str.h"

enum { KEY_ID_SIZE = 32, KEY_BYTES_MAX = 1024 };

/* Which key: SHA-256 of its public half (SubjectPublicKeyInfo). */
struct key_id {
    unsigned char bytes[KEY_ID_SIZE];
};

enum key_operation {
    KEY_RSA_RAW,   /* a block as long as the modulus, padded already */
    KEY_RSA_PKCS1, /* a DigestInfo, to be padded by PKCS #1 1.5 */
    KEY_ECDSA,     /* a digest; the signature is DER */
    KEY_OPERATIONS,
};

struct key_signer {
    /* The length of what was written to `out` (KEY_BYTES_MAX), or -errno: -ENOENT where there is no
     * such key. Blocks for the time of a signature. From one thread. */
    int (*sign)(struct key_signer *signer, const struct key_id *id, enum key_operation operation,
                struct str input, unsigned char *out);
};

/* False: no memory. */
NODISCARD bool key_id_of(EVP_PKEY *key, struct key_id *id);
/* A key whose public half is that of `public_key`; the signer is borrowed for the key's life. Null
 * where the kind of key is not known here, or memory is short. */
NODISCARD EVP_PKEY *remote_key_new(EVP_PKEY *public_key, struct key_signer *signer);
/* Whether the signer has it. */
NODISCARD bool remote_key_works(EVP_PKEY *key);
