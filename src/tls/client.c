#include "tls/client.h"

#include "world/whole_file.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>
#include <string.h>

enum { NAME_MAX_LEN = 255 };

SSL_CTX *tls_client_context(OSSL_LIB_CTX *library, const char *authorities, struct buf *reason)
{
    SSL_CTX *context = SSL_CTX_new_ex(library, NULL, TLS_client_method());
    if (!context || SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) != 1) {
        SSL_CTX_free(context);
        buf_add(reason, STR("not enough memory"));
        return NULL;
    }
    int loaded = authorities ? whole_file_check(authorities) == 0 &&
                                   SSL_CTX_load_verify_file(context, authorities)
                             : SSL_CTX_set_default_verify_paths(context);
    if (loaded != 1) {
        buf_add_format(reason, "%s: no certificates of authorities there",
                       authorities ? authorities : "the system's store");
        SSL_CTX_free(context);
        ERR_clear_error();
        return NULL;
    }
    if (SSL_CTX_dane_enable(context) != 1) {
        buf_add(reason, STR("not enough memory"));
        SSL_CTX_free(context);
        return NULL;
    }
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    return context;
}

/* NUL at its end, no dot; false: no host's name. */
static bool host_name(struct str host, char name[NAME_MAX_LEN + 1])
{
    if (str_ends(host, STR("."))) {
        host = str_head(host, host.len - 1);
    }
    if (host.len == 0 || host.len > NAME_MAX_LEN || host.ptr[0] == '[' || host.ptr[0] == '/') {
        return false;
    }
    memcpy(name, host.ptr, host.len);
    name[host.len] = '\0';
    return true;
}

/* False: no memory. `*any`: there was a name. */
static bool add_names(SSL *ssl, struct str names, bool *any)
{
    char name[NAME_MAX_LEN + 1];
    while (names.len > 0) {
        if (host_name(str_split(&names, ' '), name)) {
            if (SSL_add1_host(ssl, name) != 1) {
                return false;
            }
            *any = true;
        }
    }
    return true;
}

static bool prepare_verify(SSL *ssl, struct str names)
{
    bool any = false;
    SSL_set_verify(ssl, SSL_VERIFY_PEER, NULL);
    SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    /* Without a name any certificate of any authority would do: one that none has. */
    return add_names(ssl, names, &any) && (any || SSL_set1_host(ssl, "no-name.invalid") == 1);
}

/* RFC 7672 3.1: DANE-EE(3) asks for the key or certificate alone, DANE-TA(2) for a name besides. */
static bool prepare_dane(SSL *ssl, const struct tls_policy *policy)
{
    char base[NAME_MAX_LEN + 1];
    bool any = false;
    size_t usable = 0;
    if (!host_name(policy->base, base) || SSL_dane_enable(ssl, base) != 1) {
        return false;
    }
    (void)SSL_dane_set_flags(ssl, DANE_FLAG_NO_DANE_EE_NAMECHECKS);
    SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    SSL_set_verify(ssl, SSL_VERIFY_PEER, NULL);
    for (size_t i = 0; i < policy->tlsa_count; i++) {
        const struct tlsa *t = &policy->tlsa[i];
        int taken = SSL_dane_tlsa_add(ssl, t->usage, t->selector, t->matching,
                                      (const unsigned char *)t->data.ptr, t->data.len);
        if (taken < 0) {
            return false;
        }
        usable += taken > 0;
    }
    if (usable == 0) { /* certificates that are none: as if no record could be used */
        SSL_set_verify(ssl, SSL_VERIFY_NONE, NULL);
    }
    ERR_clear_error();
    return add_names(ssl, policy->names, &any);
}

bool tls_client_prepare(SSL *ssl, const struct tls_want *want)
{
    char name[NAME_MAX_LEN + 1];
    const struct tls_policy *policy = want->policy;
    struct str asked = policy->level == TLS_DANE ? policy->base : want->host;
    if (host_name(asked, name) && SSL_set_tlsext_host_name(ssl, name) != 1) {
        return false;
    }
    switch (policy->level) {
    case TLS_VERIFY:
        return prepare_verify(ssl, policy->names.len > 0 ? policy->names : want->host);
    case TLS_DANE:
        return prepare_dane(ssl, policy);
    case TLS_MAY:
    case TLS_NONE:
    case TLS_ENCRYPT:
    case TLS_FINGERPRINT:
        break;
    }
    /* Looked at all the same where a policy in testing has names. */
    bool good = policy->sts != STS_TESTING || prepare_verify(ssl, policy->names);
    SSL_set_verify(ssl, SSL_VERIFY_NONE, NULL);
    return good;
}

static bool is_listed(struct str fingerprints, const unsigned char *digest)
{
    for (; fingerprints.len >= TLS_FINGERPRINT_SIZE;
         fingerprints = str_tail(fingerprints, TLS_FINGERPRINT_SIZE)) {
        if (memcmp(fingerprints.ptr, digest, TLS_FINGERPRINT_SIZE) == 0) {
            return true;
        }
    }
    return false;
}

bool tls_client_judge(SSL *ssl, const struct tls_policy *policy, struct buf *why)
{
    if (policy->level != TLS_FINGERPRINT) {
        return true;
    }
    unsigned char digest[EVP_MAX_MD_SIZE], *key = NULL;
    unsigned len = 0;
    bool found = false;
    X509 *certificate = SSL_get1_peer_certificate(ssl);
    if (certificate && X509_digest(certificate, EVP_sha256(), digest, &len) == 1) {
        found = is_listed(policy->fingerprints, digest);
    }
    int key_len =
        certificate && !found ? i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &key) : 0;
    if (key_len > 0 && EVP_Digest(key, (size_t)key_len, digest, &len, EVP_sha256(), NULL) == 1) {
        found = is_listed(policy->fingerprints, digest);
    }
    OPENSSL_free(key);
    X509_free(certificate);
    if (!found) {
        buf_add(why, STR("its certificate has none of the configured fingerprints"));
    }
    return found;
}

enum tls_failure tls_client_failure(const SSL *ssl, bool done)
{
    switch (SSL_get_verify_result(ssl)) {
    case X509_V_OK:
        return done ? TLS_FAILED_NOT : TLS_FAILED_VALIDATION;
    case X509_V_ERR_HOSTNAME_MISMATCH:
        return TLS_FAILED_HOST_MISMATCH;
    case X509_V_ERR_CERT_HAS_EXPIRED:
    case X509_V_ERR_CERT_NOT_YET_VALID:
        return TLS_FAILED_EXPIRED;
    default:
        return TLS_FAILED_NOT_TRUSTED;
    }
}

void tls_client_explain(SSL *ssl, struct buf *why)
{
    long verdict = SSL_get_verify_result(ssl);
    unsigned long code = ERR_peek_last_error();
    const char *text = code ? ERR_reason_error_string(code) : NULL;
    if (verdict != X509_V_OK && SSL_get_verify_mode(ssl) != SSL_VERIFY_NONE) {
        buf_add_format(why, "its certificate is not to be trusted: %s",
                       X509_verify_cert_error_string(verdict));
    } else {
        buf_add_format(why, "%s", text ? text : "the connection broke");
    }
}
