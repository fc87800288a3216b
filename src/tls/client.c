#include "tls/client.h"

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
    int loaded = authorities ? SSL_CTX_load_verify_file(context, authorities)
                             : SSL_CTX_set_default_verify_paths(context);
    if (loaded != 1) {
        buf_add_format(reason, "%s: no certificates of authorities there",
                       authorities ? authorities : "the system's store");
        SSL_CTX_free(context);
        ERR_clear_error();
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

static bool ask_for_names(SSL *ssl, struct str names)
{
    char name[NAME_MAX_LEN + 1];
    bool any = false;
    while (names.len > 0) {
        if (host_name(str_split(&names, ' '), name)) {
            if (SSL_add1_host(ssl, name) != 1) {
                return false;
            }
            any = true;
        }
    }
    /* Without a name any certificate of any authority would do: one that none has. */
    return any || SSL_set1_host(ssl, "no-name.invalid") == 1;
}

bool tls_client_prepare(SSL *ssl, const struct tls_want *want)
{
    char name[NAME_MAX_LEN + 1];
    const struct tls_policy *policy = want->policy;
    if (host_name(want->host, name) && SSL_set_tlsext_host_name(ssl, name) != 1) {
        return false;
    }
    if (policy->level != TLS_VERIFY) {
        SSL_set_verify(ssl, SSL_VERIFY_NONE, NULL);
        return true;
    }
    SSL_set_verify(ssl, SSL_VERIFY_PEER, NULL);
    SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    return ask_for_names(ssl, policy->names.len > 0 ? policy->names : want->host);
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
