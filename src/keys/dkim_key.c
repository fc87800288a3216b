#include "keys/dkim_key.h"

#include "core/base/encode.h"
#include "keys/key_file.h"
#include "tls/pem.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/sha.h>
#include <openssl/x509.h>
#include <unistd.h>

/* Null: it can sign. */
static const char *unfit(EVP_PKEY *key)
{
    int kind = EVP_PKEY_get_base_id(key);
    int bits = EVP_PKEY_get_bits(key);
    if (kind == EVP_PKEY_ED25519) {
        return NULL;
    }
    if (kind != EVP_PKEY_RSA) {
        return "DKIM knows RSA and Ed25519 keys only";
    }
    return bits < DKIM_RSA_BITS_MIN   ? "an RSA key of less than 1,024 bits is believed by nobody"
           : bits > DKIM_RSA_BITS_MAX ? "an RSA key of more than 4,096 bits is too long"
                                      : NULL;
}

EVP_PKEY *dkim_key_read(const char *file, struct buf *reason)
{
    EVP_PKEY *key = key_file_read(file, reason);
    const char *wrong = key ? unfit(key) : NULL;
    if (wrong) {
        buf_add_format(reason, "%s: %s", file, wrong);
        EVP_PKEY_free(key);
        key = NULL;
    }
    return key;
}

static bool write_key(int descriptor, EVP_PKEY *key)
{
    FILE *stream = fdopen(descriptor, "w");
    if (!stream) {
        close(descriptor);
        return false;
    }
    bool good = PEM_write_PKCS8PrivateKey(stream, key, NULL, NULL, 0, NULL, NULL) == 1 &&
                fflush(stream) == 0 && fsync(descriptor) == 0;
    return fclose(stream) == 0 && good;
}

bool dkim_key_make(const char *file, unsigned rsa_bits, struct buf *reason)
{
    ERR_clear_error();
    EVP_PKEY *key = rsa_bits > 0 ? EVP_RSA_gen(rsa_bits) : EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    int descriptor = key ? open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600) : -1;
    bool good = descriptor >= 0 && write_key(descriptor, key);
    if (!good) {
        pem_explain(reason, str_from_cstr(file), key ? -errno : 0);
    }
    if (!good && descriptor >= 0) {
        unlink(file);
    }
    EVP_PKEY_free(key);
    ERR_clear_error();
    return good;
}

/* RSA: a SubjectPublicKeyInfo, as everybody publishes it; Ed25519: the bare key (RFC 8463 4.2). */
void dkim_key_record(EVP_PKEY *key, bool tls_reports, struct buf *out)
{
    unsigned char *der = NULL;
    unsigned char raw[SIGNER_DIGEST_SIZE];
    size_t size = sizeof raw;
    bool ed25519 = EVP_PKEY_get_base_id(key) == EVP_PKEY_ED25519;
    buf_add_format(out, "v=DKIM1; k=%s; %sp=", ed25519 ? "ed25519" : "rsa",
                   tls_reports ? "s=tlsrpt; " : "");
    if (ed25519 && EVP_PKEY_get_raw_public_key(key, raw, &size) == 1) {
        base64_encode(out, str_from((const char *)raw, size));
    } else {
        int len = ed25519 ? -1 : i2d_PUBKEY(key, &der);
        out->failed = out->failed || len <= 0;
        base64_encode(out, str_from((const char *)der, len > 0 ? (size_t)len : 0));
    }
    OPENSSL_free(der);
}

void dkim_key_id(struct str file, struct key_id *id)
{
    SHA256((const unsigned char *)file.ptr, file.len, id->bytes);
}

static bool sign_rsa(EVP_PKEY *key, const unsigned char *digest, unsigned char *out, size_t *len)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(key, NULL);
    bool good = context && EVP_PKEY_sign_init(context) == 1 &&
                EVP_PKEY_CTX_set_signature_md(context, EVP_sha256()) == 1 &&
                EVP_PKEY_sign(context, out, len, digest, SIGNER_DIGEST_SIZE) == 1;
    EVP_PKEY_CTX_free(context);
    return good;
}

/* RFC 8463 3: the digest is signed as if it were the message. */
static bool sign_ed25519(EVP_PKEY *key, const unsigned char *digest, unsigned char *out,
                         size_t *len)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool good = context && EVP_DigestSignInit(context, NULL, NULL, NULL, key) == 1 &&
                EVP_DigestSign(context, out, len, digest, SIGNER_DIGEST_SIZE) == 1;
    EVP_MD_CTX_free(context);
    return good;
}

int dkim_key_sign(EVP_PKEY *key, const unsigned char *digests, unsigned char *out, size_t cap)
{
    size_t len = cap;
    bool rsa = EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA;
    enum signer_kind kind = rsa ? SIGNER_RSA : SIGNER_ED25519;
    const unsigned char *digest = digests + (size_t)kind * SIGNER_DIGEST_SIZE;
    bool good = rsa ? sign_rsa(key, digest, out, &len) : sign_ed25519(key, digest, out, &len);
    ERR_clear_error();
    return good ? (int)len : -EINVAL;
}
