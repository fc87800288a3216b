#include "tls/context.h"

#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include "tls/certificate.h"
#include "tls/client.h"

/* Mozilla's "intermediate" compatibility: TLS 1.2 and 1.3, forward secrecy, AEAD. */
static const char ciphers12[] =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:"
    "DHE-RSA-AES128-GCM-SHA256:DHE-RSA-AES256-GCM-SHA384";

/* Likewise: fewer ways to agree on a key, and what clients send a share of first. */
static const char groups[] = "X25519:P-256:P-384";

static bool names_host(SSL_CTX *context, const char *host)
{
    X509 *certificate = SSL_CTX_get0_certificate(context);
    return certificate && X509_check_host(certificate, host, 0, 0, NULL) == 1;
}

/* A name that no certificate has is no error: most servers that send mail do not check. */
static int on_name(SSL *ssl, int *alert, void *argument)
{
    const struct tls_contexts *c = argument;
    const char *host = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    (void)alert;
    for (size_t i = 0; host && i < c->count; i++) {
        if (names_host(c->contexts[i], host)) {
            SSL_set_SSL_CTX(ssl, c->contexts[i]);
            return SSL_TLSEXT_ERR_OK;
        }
    }
    return host ? SSL_TLSEXT_ERR_NOACK : SSL_TLSEXT_ERR_OK;
}

static SSL_CTX *new_context(struct tls_contexts *c, const struct tls_source *source)
{
    static const unsigned char session_id[] = "postrider";
    SSL_CTX *context = SSL_CTX_new_ex(c->library, NULL, TLS_server_method());
    unsigned char keys[TICKET_KEY_SIZE];
    for (size_t i = 0; i < sizeof keys; i++) {
        keys[i] = source->ticket_keys[i];
    }
    if (!context || SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) != 1 ||
        SSL_CTX_set_cipher_list(context, ciphers12) != 1 ||
        SSL_CTX_set1_groups_list(context, groups) != 1 || SSL_CTX_set_dh_auto(context, 1) != 1 ||
        SSL_CTX_set_tlsext_ticket_keys(context, keys, sizeof keys) != 1 ||
        SSL_CTX_set_session_id_context(context, session_id, sizeof session_id - 1) != 1) {
        SSL_CTX_free(context);
        return NULL;
    }
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                     SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF); /* tickets only: no memory */
    SSL_CTX_set_tlsext_servername_callback(context, on_name);
    SSL_CTX_set_tlsext_servername_arg(context, c);
    return context;
}

static bool load(SSL_CTX *context, const struct tls_source *source, size_t i, struct buf *reason)
{
    const struct tls_pair *pair = &source->pairs[i];
    return source->signer ? certificate_load_remote(context, pair->chain, source->signer, reason)
                          : certificate_load(context, pair->chain, pair->key, reason);
}

bool tls_contexts_open(struct tls_contexts *c, const struct tls_source *source, struct buf *reason)
{
    *c = (struct tls_contexts){.library = OSSL_LIB_CTX_new()};
    if (!c->library) {
        buf_add(reason, STR("not enough memory"));
        return false;
    }
    c->client = tls_client_context(c->library, source->authorities, reason);
    if (!c->client) {
        tls_contexts_close(c);
        return false;
    }
    for (size_t i = 0; i < source->count && i < TLS_CERTIFICATES_MAX; i++) {
        SSL_CTX *context = new_context(c, source);
        c->contexts[i] = context;
        c->count = i + 1;
        if (!context) {
            buf_add(reason, STR("not enough memory"));
        }
        if (!context || !load(context, source, i, reason)) {
            tls_contexts_close(c);
            return false;
        }
    }
    return true;
}

void tls_contexts_close(struct tls_contexts *c)
{
    for (size_t i = 0; i < c->count; i++) {
        SSL_CTX_free(c->contexts[i]);
    }
    SSL_CTX_free(c->client);
    OSSL_LIB_CTX_free(c->library);
    *c = (struct tls_contexts){0};
}
