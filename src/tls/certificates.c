#include "tls/certificates.h"

#include "tls/pem.h"

#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

enum { KINDS_MAX = 4 }; /* that a client can be given at once: RSA, EC, Ed25519, Ed448 */

struct certificate {
    X509 *leaf;
    STACK_OF(X509) * issuers;
    EVP_PKEY *key;
    bool unasked; /* for clients that name no host */
};

struct certificates {
    size_t count;
    struct certificate all[TLS_CERTIFICATES_MAX];
};

static bool load(struct certificate *c, OSSL_LIB_CTX *library, const struct tls_pair *pair,
                 struct key_signer *signer, struct buf *reason)
{
    if (!pem_chain(library, pair->chain, &c->leaf, &c->issuers)) {
        pem_explain(reason, pair->name, 0);
        return false;
    }
    EVP_PKEY *public_key = X509_get0_pubkey(c->leaf);
    c->key = signer       ? public_key ? remote_key_new(public_key, signer) : NULL
             : public_key ? pem_key(library, pair->key)
                          : NULL;
    if (!c->key || X509_check_private_key(c->leaf, c->key) != 1) {
        pem_explain(reason, pair->name, 0);
        return false;
    }
    return true;
}

static bool names_host(const struct certificate *c, const char *host, size_t len)
{
    return X509_check_host(c->leaf, host, len, 0, NULL) == 1;
}

/* Has `other` a name of `first`? Of "*.example.org" any name below counts. */
static bool share_name(const struct certificate *first, const struct certificate *other)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(first->leaf, NID_subject_alt_name, NULL, NULL);
    bool found = false;
    for (int i = 0; i < sk_GENERAL_NAME_num(names) && !found; i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
        if (name->type != GEN_DNS) {
            continue;
        }
        char host[256] = "";
        int len = ASN1_STRING_length(name->d.dNSName);
        if (len > 0 && (size_t)len < sizeof host) {
            memcpy(host, ASN1_STRING_get0_data(name->d.dNSName), (size_t)len);
            host[0] = host[0] == '*' ? 'x' : host[0];
            found = names_host(other, host, (size_t)len);
        }
    }
    GENERAL_NAMES_free(names);
    return found;
}

struct certificates *certificates_new(OSSL_LIB_CTX *library, const struct tls_pair *pairs,
                                      size_t count, struct key_signer *signer, struct buf *reason)
{
    struct certificates *c = calloc(1, sizeof *c);
    if (!c) {
        buf_add(reason, STR("not enough memory"));
        return NULL;
    }
    for (size_t i = 0; i < count && i < TLS_CERTIFICATES_MAX; i++) {
        struct certificate *one = &c->all[c->count++];
        if (!load(one, library, &pairs[i], signer, reason)) {
            certificates_free(c);
            return NULL;
        }
        one->unasked = i == 0 || share_name(&c->all[0], one);
    }
    return c;
}

bool certificates_work(const struct certificates *c)
{
    for (size_t i = 0; i < c->count; i++) {
        if (!remote_key_works(c->all[i].key)) {
            return false;
        }
    }
    return true;
}

void certificates_free(struct certificates *c)
{
    for (size_t i = 0; c && i < c->count; i++) {
        X509_free(c->all[i].leaf);
        sk_X509_pop_free(c->all[i].issuers, X509_free);
        EVP_PKEY_free(c->all[i].key);
    }
    free(c);
}

struct choice {
    const struct certificate *of_kind[KINDS_MAX];
    size_t count;
};

/* The first of each kind stays. */
static void add(struct choice *choice, const struct certificate *c)
{
    int kind = EVP_PKEY_get_base_id(c->key);
    for (size_t i = 0; i < choice->count; i++) {
        if (EVP_PKEY_get_base_id(choice->of_kind[i]->key) == kind) {
            return;
        }
    }
    if (choice->count < KINDS_MAX) {
        choice->of_kind[choice->count++] = c;
    }
}

static struct choice choose(const struct certificates *c, const char *host)
{
    struct choice choice = {0};
    for (size_t i = 0; host && i < c->count; i++) {
        if (names_host(&c->all[i], host, 0)) {
            add(&choice, &c->all[i]);
        }
    }
    for (size_t i = 0, asked = choice.count; asked == 0 && i < c->count; i++) {
        if (c->all[i].unasked) {
            add(&choice, &c->all[i]);
        }
    }
    return choice;
}

bool certificates_give(const struct certificates *c, SSL *ssl)
{
    struct choice choice = choose(c, SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name));
    for (size_t i = 0; i < choice.count; i++) {
        const struct certificate *one = choice.of_kind[i];
        if (SSL_use_cert_and_key(ssl, one->leaf, one->key, one->issuers, 1) != 1) {
            return false;
        }
    }
    return true;
}

bool certificates_name(const struct certificates *c, const char *host)
{
    for (size_t i = 0; i < c->count; i++) {
        if (names_host(&c->all[i], host, 0)) {
            return true;
        }
    }
    return false;
}

size_t certificates_count(const struct certificates *c)
{
    return c->count;
}

/* What does not fit is left out whole. */
static void add_name(struct certificate_label *label, const ASN1_STRING *name)
{
    size_t used = strlen(label->names), len = (size_t)ASN1_STRING_length(name);
    size_t space = used > 0 ? 1 : 0;
    if (used + space + len < sizeof label->names) {
        memcpy(label->names + used, " ", space);
        memcpy(label->names + used + space, ASN1_STRING_get0_data(name), len);
        label->names[used + space + len] = '\0';
    }
}

void certificates_describe(const struct certificates *c, size_t i, struct certificate_label *out)
{
    X509 *leaf = c->all[i].leaf;
    GENERAL_NAMES *names = X509_get_ext_d2i(leaf, NID_subject_alt_name, NULL, NULL);
    const char *kind = EVP_PKEY_get0_type_name(X509_get0_pubkey(leaf));
    *out = (struct certificate_label){.kind = kind ? kind : "",
                                      .ends = pem_instant(X509_get0_notAfter(leaf))};
    for (int j = 0; j < sk_GENERAL_NAME_num(names); j++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, j);
        if (name->type == GEN_DNS) {
            add_name(out, name->d.dNSName);
        }
    }
    GENERAL_NAMES_free(names);
}
