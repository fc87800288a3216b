#include "tls/pem.h"

#include <limits.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <string.h>
#include <time.h>

static BIO *reader_of(struct str text)
{
    return text.len > INT_MAX ? NULL : BIO_new_mem_buf(text.ptr, (int)text.len);
}

static X509 *next_certificate(BIO *text, OSSL_LIB_CTX *library)
{
    X509 *made = X509_new_ex(library, NULL);
    if (made && !PEM_read_bio_X509(text, &made, NULL, NULL)) {
        X509_free(made); /* null where reading has freed it */
        return NULL;
    }
    return made;
}

/* Those up to the text's end. */
static bool read_issuers(BIO *text, OSSL_LIB_CTX *library, STACK_OF(X509) * issuers)
{
    X509 *next;
    while ((next = next_certificate(text, library))) {
        if (sk_X509_num(issuers) == PEM_CHAIN_MAX || sk_X509_push(issuers, next) == 0) {
            X509_free(next);
            return false;
        }
    }
    bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
    if (at_end) {
        ERR_clear_error();
    }
    return at_end;
}

bool pem_chain(OSSL_LIB_CTX *library, struct str text, X509 **leaf, STACK_OF(X509) * *issuers)
{
    ERR_clear_error();
    BIO *bio = reader_of(text);
    X509 *first = bio ? next_certificate(bio, library) : NULL;
    STACK_OF(X509) *rest = first ? sk_X509_new_null() : NULL;
    bool good = rest && read_issuers(bio, library, rest);
    BIO_free(bio);
    if (!good) {
        X509_free(first);
        sk_X509_pop_free(rest, X509_free);
        return false;
    }
    *leaf = first;
    *issuers = rest;
    return true;
}

static int no_password(char *into, int size, int writing, void *owner)
{
    (void)into;
    (void)size;
    (void)writing;
    (void)owner;
    return -1;
}

EVP_PKEY *pem_key(OSSL_LIB_CTX *library, struct str text)
{
    ERR_clear_error();
    BIO *bio = reader_of(text);
    EVP_PKEY *key =
        bio ? PEM_read_bio_PrivateKey_ex(bio, NULL, no_password, NULL, library, NULL) : NULL;
    BIO_free(bio);
    return key;
}

void pem_explain(struct buf *reason, struct str name, int error)
{
    const char *text = error ? strerror(-error) : ERR_reason_error_string(ERR_peek_last_error());
    buf_add_format(reason, "%.*s: %s", STR_ARG(name), text ? text : "it cannot be used");
    ERR_clear_error();
}

struct instant pem_instant(const ASN1_TIME *time)
{
    struct tm parts = {0};
    if (ASN1_TIME_to_tm(time, &parts) != 1) {
        return (struct instant){0};
    }
    return (struct instant){(int64_t)timegm(&parts) * 1000000};
}
