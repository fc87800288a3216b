#include "tls/crypto.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdlib.h>

enum { RSA_BITS_MIN = 1024, RSA_BITS_MAX = 8192 };

struct openssl {
    struct crypto port;
    OSSL_LIB_CTX *library;
    EVP_MD *sha256;
};

static struct crypto_digest *digest_new(struct crypto *crypto)
{
    const struct openssl *o = CONTAINER_OF(crypto, struct openssl, port);
    EVP_MD_CTX *digest = EVP_MD_CTX_new();
    if (digest && EVP_DigestInit_ex2(digest, o->sha256, NULL) != 1) {
        EVP_MD_CTX_free(digest);
        digest = NULL;
    }
    return (struct crypto_digest *)digest;
}

/* In memory that is there already, SHA-256 cannot fail. */
static void digest_add(struct crypto_digest *digest, struct str bytes)
{
    (void)EVP_DigestUpdate((EVP_MD_CTX *)digest, bytes.ptr, bytes.len);
}

static bool digest_end(struct crypto_digest *digest, uint8_t out[CRYPTO_SHA256_SIZE])
{
    unsigned size = 0;
    bool good = EVP_DigestFinal_ex((EVP_MD_CTX *)digest, out, &size) == 1;
    EVP_MD_CTX_free((EVP_MD_CTX *)digest);
    return good && size == CRYPTO_SHA256_SIZE;
}

static const unsigned char *octets(struct str s)
{
    return (const unsigned char *)s.ptr;
}

/* A SubjectPublicKeyInfo, as keys are published; RFC 6376's words mean the bare key, which some
 * publish. Null: neither. */
static EVP_PKEY *read_rsa(const struct openssl *o, struct str der)
{
    const unsigned char *at = octets(der);
    EVP_PKEY *key = d2i_PUBKEY_ex(NULL, &at, (long)der.len, o->library, NULL);
    if (!key) {
        at = octets(der);
        key = d2i_PublicKey(EVP_PKEY_RSA, NULL, &at, (long)der.len);
    }
    if (key && (EVP_PKEY_get_base_id(key) != EVP_PKEY_RSA || at != octets(der) + der.len)) {
        EVP_PKEY_free(key);
        key = NULL;
    }
    return key;
}

static enum crypto_verdict check_rsa(const struct openssl *o, EVP_PKEY *key, const uint8_t *digest,
                                     struct str signature)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(o->library, key, NULL);
    bool good =
        context && EVP_PKEY_verify_init(context) == 1 &&
        EVP_PKEY_CTX_set_signature_md(context, o->sha256) == 1 &&
        EVP_PKEY_verify(context, octets(signature), signature.len, digest, CRYPTO_SHA256_SIZE) == 1;
    EVP_PKEY_CTX_free(context);
    return good ? CRYPTO_GOOD : CRYPTO_BAD;
}

static enum crypto_verdict verify_rsa(struct crypto *crypto, struct str der,
                                      const uint8_t digest[CRYPTO_SHA256_SIZE],
                                      struct str signature)
{
    const struct openssl *o = CONTAINER_OF(crypto, struct openssl, port);
    EVP_PKEY *key = read_rsa(o, der);
    int bits = key ? EVP_PKEY_get_bits(key) : 0;
    enum crypto_verdict verdict = CRYPTO_KEY_BROKEN;
    if (key && bits < RSA_BITS_MIN) {
        verdict = CRYPTO_KEY_SHORT;
    } else if (key && bits <= RSA_BITS_MAX) {
        verdict = check_rsa(o, key, digest, signature);
    }
    EVP_PKEY_free(key);
    ERR_clear_error();
    return verdict;
}

static enum crypto_verdict verify_ed25519(struct crypto *crypto, struct str octets_of_key,
                                          struct str message, struct str signature)
{
    const struct openssl *o = CONTAINER_OF(crypto, struct openssl, port);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    EVP_PKEY *key = EVP_PKEY_new_raw_public_key_ex(o->library, "ED25519", NULL,
                                                   octets(octets_of_key), octets_of_key.len);
    enum crypto_verdict verdict = key ? CRYPTO_BAD : CRYPTO_KEY_BROKEN;
    if (key && context &&
        EVP_DigestVerifyInit_ex(context, NULL, NULL, o->library, NULL, key, NULL) == 1 &&
        EVP_DigestVerify(context, octets(signature), signature.len, octets(message), message.len) ==
            1) {
        verdict = CRYPTO_GOOD;
    }
    EVP_PKEY_free(key);
    EVP_MD_CTX_free(context);
    ERR_clear_error();
    return verdict;
}

struct crypto *tls_crypto_new(void)
{
    struct openssl *o = calloc(1, sizeof *o);
    if (!o) {
        return NULL;
    }
    o->port = (struct crypto){digest_new, digest_add, digest_end, verify_rsa, verify_ed25519};
    o->library = OSSL_LIB_CTX_new();
    o->sha256 = o->library ? EVP_MD_fetch(o->library, "SHA256", NULL) : NULL;
    if (!o->sha256) {
        tls_crypto_free(&o->port);
        return NULL;
    }
    return &o->port;
}

void tls_crypto_free(struct crypto *crypto)
{
    if (crypto) {
        struct openssl *o = CONTAINER_OF(crypto, struct openssl, port);
        EVP_MD_free(o->sha256);
        OSSL_LIB_CTX_free(o->library);
        free(o);
    }
}
