#include "tls/inspect.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "tls/pem.h"
#include "world/whole_file.h"

/* A certificate and the key to it. False, with the reason. */
static bool read_pair(const char *chain, const char *key, X509 **leaf, EVP_PKEY **private_key,
                      struct buf *reason)
{
    struct buf chain_text = {0}, key_text = {0};
    struct file_stamp stamp;
    STACK_OF(X509) *issuers = NULL;
    const char *at = chain;
    int error = whole_file_read(chain, &chain_text, &stamp);
    bool good = error == 0 && pem_chain(NULL, buf_str(&chain_text), leaf, &issuers) &&
                X509_get0_pubkey(*leaf);
    if (good) {
        at = key;
        error = whole_file_read(key, &key_text, &stamp);
        *private_key = error == 0 ? pem_key(NULL, buf_str(&key_text)) : NULL;
        good = *private_key != NULL;
    }
    if (!good) {
        pem_explain(reason, str_from_cstr(at), error);
    }
    if (key_text.len > 0) {
        OPENSSL_cleanse(key_text.ptr, key_text.len);
    }
    sk_X509_pop_free(issuers, X509_free);
    buf_done(&chain_text);
    buf_done(&key_text);
    return good;
}

bool certificate_inspect(const char *chain, const char *key, struct str host,
                         struct certificate_facts *facts, struct buf *reason)
{
    X509 *certificate = NULL;
    EVP_PKEY *private_key = NULL;
    int digest = NID_undef;
    if (!read_pair(chain, key, &certificate, &private_key, reason)) {
        X509_free(certificate);
        return false;
    }
    EVP_PKEY *public_key = X509_get0_pubkey(certificate);
    (void)X509_get_signature_info(certificate, &digest, NULL, NULL, NULL);
    *facts = (struct certificate_facts){
        .rsa = EVP_PKEY_get_base_id(public_key) == EVP_PKEY_RSA,
        .key_bits = EVP_PKEY_get_bits(public_key),
        .secure_bits = EVP_PKEY_get_security_bits(public_key),
        .begins = pem_instant(X509_get0_notBefore(certificate)),
        .ends = pem_instant(X509_get0_notAfter(certificate)),
        .key_fits = X509_check_private_key(certificate, private_key) == 1,
        .weak_digest = digest == NID_sha1 || digest == NID_md5,
        .names_host = X509_check_host(certificate, host.ptr, host.len, 0, NULL) == 1,
    };
    ERR_clear_error();
    X509_free(certificate);
    EVP_PKEY_free(private_key);
    return true;
}

static bool is_described(X509 *certificate, const struct tlsa *tlsa)
{
    unsigned char *der = NULL, digest[EVP_MAX_MD_SIZE];
    int len = tlsa->selector == 0 ? i2d_X509(certificate, &der)
                                  : i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);
    const EVP_MD *method = tlsa->matching == 1 ? EVP_sha256() : EVP_sha512();
    unsigned size = 0;
    bool same = false;
    if (len > 0 && tlsa->matching == 0) {
        same = str_eq(str_from((const char *)der, (size_t)len), tlsa->data);
    } else if (len > 0 && EVP_Digest(der, (size_t)len, digest, &size, method, NULL) == 1) {
        same = str_eq(str_from((const char *)digest, size), tlsa->data);
    }
    OPENSSL_free(der);
    return same;
}

bool certificate_fits_tlsa(const char *chain, const struct tlsa *tlsa)
{
    struct buf text = {0};
    struct file_stamp stamp;
    X509 *leaf = NULL;
    STACK_OF(X509) *issuers = NULL;
    bool fits = whole_file_read(chain, &text, &stamp) == 0 &&
                pem_chain(NULL, buf_str(&text), &leaf, &issuers) && is_described(leaf, tlsa);
    for (int i = 0; !fits && tlsa->usage == 2 && i < sk_X509_num(issuers); i++) {
        fits = is_described(sk_X509_value(issuers, i), tlsa);
    }
    X509_free(leaf);
    sk_X509_pop_free(issuers, X509_free);
    buf_done(&text);
    ERR_clear_error();
    return fits;
}
