#include "tls/inspect.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <time.h>

static void say_why(struct buf *reason, const char *file)
{
    unsigned long code = ERR_peek_last_error();
    const char *text = code ? ERR_reason_error_string(code) : NULL;
    buf_add_format(reason, "%s: %s", file, text ? text : strerror(errno));
    ERR_clear_error();
}

static struct instant instant_of(const ASN1_TIME *time)
{
    struct tm parts = {0};
    if (ASN1_TIME_to_tm(time, &parts) != 1) {
        return (struct instant){0};
    }
    return (struct instant){(int64_t)timegm(&parts) * 1000000};
}

static X509 *read_certificate(const char *file)
{
    BIO *text = BIO_new_file(file, "r");
    X509 *certificate = text ? PEM_read_bio_X509(text, NULL, NULL, NULL) : NULL;
    BIO_free(text);
    return certificate;
}

/* A key with a password is none that a server can use: nobody is asked. */
static int no_password(char *into, int size, int writing, void *owner)
{
    (void)into;
    (void)size;
    (void)writing;
    (void)owner;
    return -1;
}

static EVP_PKEY *read_key(const char *file)
{
    BIO *text = BIO_new_file(file, "r");
    EVP_PKEY *key = text ? PEM_read_bio_PrivateKey(text, NULL, no_password, NULL) : NULL;
    BIO_free(text);
    return key;
}

bool certificate_inspect(const char *chain, const char *key, struct str host,
                         struct certificate_facts *facts, struct buf *reason)
{
    ERR_clear_error();
    X509 *certificate = read_certificate(chain);
    EVP_PKEY *private_key = certificate ? read_key(key) : NULL;
    EVP_PKEY *public_key = certificate ? X509_get0_pubkey(certificate) : NULL;
    int digest = NID_undef;
    if (!certificate || !private_key || !public_key) {
        say_why(reason, certificate ? key : chain);
        X509_free(certificate);
        EVP_PKEY_free(private_key);
        return false;
    }
    (void)X509_get_signature_info(certificate, &digest, NULL, NULL, NULL);
    *facts = (struct certificate_facts){
        .rsa = EVP_PKEY_get_base_id(public_key) == EVP_PKEY_RSA,
        .key_bits = EVP_PKEY_get_bits(public_key),
        .secure_bits = EVP_PKEY_get_security_bits(public_key),
        .begins = instant_of(X509_get0_notBefore(certificate)),
        .ends = instant_of(X509_get0_notAfter(certificate)),
        .key_fits = X509_check_private_key(certificate, private_key) == 1,
        .weak_digest = digest == NID_sha1 || digest == NID_md5,
        .names_host = X509_check_host(certificate, host.ptr, host.len, 0, NULL) == 1,
    };
    ERR_clear_error();
    X509_free(certificate);
    EVP_PKEY_free(private_key);
    return true;
}
