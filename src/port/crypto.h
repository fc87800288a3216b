/* crypto.h: the mathematics of signatures, which the pure core cannot do. Not for several threads
 * at once. */
#pragma once

#include "core/base/str.h"

enum { CRYPTO_SHA256_SIZE = 32 };

enum crypto_verdict {
    CRYPTO_GOOD,
    CRYPTO_BAD,
    CRYPTO_KEY_BROKEN, /* no key of that kind, or RSA with more than 8,192 bits */
    CRYPTO_KEY_SHORT,  /* RSA with less than 1,024 bits */
};

struct crypto_digest;

struct crypto {
    /* A SHA-256 that grows. Null: no memory. */
    struct crypto_digest *(*digest_new)(struct crypto *crypto);
    void (*digest_add)(struct crypto_digest *digest, struct str bytes);
    /* Ends and frees it. False: it failed on the way. */
    bool (*digest_end)(struct crypto_digest *digest, uint8_t out[CRYPTO_SHA256_SIZE]);
    /* RSASSA-PKCS1-v1_5 of a SHA-256 digest. `key`: DER, a SubjectPublicKeyInfo or a bare
     * RSAPublicKey. */
    enum crypto_verdict (*verify_rsa)(struct crypto *crypto, struct str key,
                                      const uint8_t digest[CRYPTO_SHA256_SIZE],
                                      struct str signature);
    /* Ed25519 of a message. `key`: 32 octets. */
    enum crypto_verdict (*verify_ed25519)(struct crypto *crypto, struct str key, struct str message,
                                          struct str signature);
};
