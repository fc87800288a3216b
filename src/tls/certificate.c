#include "tls/certificate.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <sys/stat.h>

#include "tls/pem.h"
#include "world/whole_file.h"

enum { LIFE_DAYS = 3650, SERIAL_BYTES = 16 };

static bool add_extension(X509 *certificate, int kind, const char *value)
{
    X509V3_CTX context;
    X509V3_set_ctx(&context, certificate, certificate, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, kind, value);
    bool added = extension && X509_add_ext(certificate, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    return added;
}

static bool set_serial(X509 *certificate)
{
    unsigned char bytes[SERIAL_BYTES];
    if (RAND_bytes(bytes, sizeof bytes) != 1) {
        return false;
    }
    bytes[0] &= 0x7f;
    BIGNUM *number = BN_bin2bn(bytes, sizeof bytes, NULL);
    bool set = number && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate)) != NULL;
    BN_free(number);
    return set;
}

static X509 *make_certificate(EVP_PKEY *key, const char *hostname)
{
    X509 *made = X509_new();
    struct buf names = {0};
    buf_add_format(&names, "DNS:%s", hostname);
    buf_add_char(&names, '\0');
    X509_NAME *name = made ? X509_get_subject_name(made) : NULL;
    bool good = name && !names.failed && X509_set_version(made, 2) == 1 && set_serial(made) &&
                X509_gmtime_adj(X509_getm_notBefore(made), -86400) &&
                X509_gmtime_adj(X509_getm_notAfter(made), LIFE_DAYS * 86400L) &&
                X509_set_pubkey(made, key) == 1 &&
                X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                                           (const unsigned char *)"Postrider, signed by itself", -1,
                                           -1, 0) == 1 &&
                X509_set_issuer_name(made, name) == 1 &&
                add_extension(made, NID_subject_alt_name, names.ptr) &&
                add_extension(made, NID_basic_constraints, "critical,CA:FALSE") &&
                X509_sign(made, key, EVP_sha256()) > 0;
    buf_done(&names);
    if (!good) {
        X509_free(made);
        return NULL;
    }
    return made;
}

static int write_pair(const char *path, EVP_PKEY *key, X509 *certificate)
{
    BIO *text = BIO_new(BIO_s_mem());
    char *bytes = NULL;
    bool good = text && PEM_write_bio_X509(text, certificate) == 1 &&
                PEM_write_bio_PrivateKey(text, key, NULL, NULL, 0, NULL, NULL) == 1;
    long len = good ? BIO_get_mem_data(text, &bytes) : 0;
    /* A new file of this call has mode 0600: the key is in it. */
    int error = good ? whole_file_replace(path, str_from(bytes, (size_t)len)) : -ENOMEM;
    BIO_free(text);
    return error;
}

bool certificate_self_signed(struct str folder, struct str hostname, struct buf *path,
                             struct buf *reason)
{
    struct buf name = {0};
    buf_add_format(path, "%.*s/self-signed.pem", STR_ARG(folder));
    buf_add_char(path, '\0');
    buf_add(&name, str_head(hostname, 200));
    buf_add_char(&name, '\0');
    struct file_stamp stamp;
    if (path->failed || name.failed) {
        buf_done(&name);
        return false;
    }
    if (file_stamp_of(path->ptr, &stamp) == 0) {
        buf_done(&name);
        return true;
    }
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *certificate = key ? make_certificate(key, name.ptr) : NULL;
    int error = certificate ? write_pair(path->ptr, key, certificate) : -ENOMEM;
    if (error) {
        pem_explain(reason, str_from_cstr(path->ptr), error);
    }
    X509_free(certificate);
    EVP_PKEY_free(key);
    buf_done(&name);
    return error == 0;
}
