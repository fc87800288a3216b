#include "tls/context.h"

#include <openssl/core_names.h>
#include <openssl/rand.h>
#include <string.h>

#include "tls/client.h"

/* Mozilla's "intermediate" compatibility: TLS 1.2 and 1.3, forward secrecy, AEAD. */
static const char ciphers12[] =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:"
    "DHE-RSA-AES128-GCM-SHA256:DHE-RSA-AES256-GCM-SHA384";

/* Likewise: fewer ways to agree on a key, and what clients send a share of first. Only read, but
 * OpenSSL's macro would cast a `const` away. */
static char groups[] = "X25519:P-256:P-384";

/* A server says little: a buffer for whole records of 16 KiB would lie empty. */
enum { REPLIES_FRAGMENT = 4096 };

/* A name that no certificate has is no error: most servers that send mail do not check. */
static int on_name(SSL *ssl, int *alert, void *argument)
{
    const struct tls_contexts *c = argument;
    const char *host = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    (void)alert;
    return host && !certificates_name(c->certificates, host) ? SSL_TLSEXT_ERR_NOACK
                                                             : SSL_TLSEXT_ERR_OK;
}

/* Called for a new session when the client's hello is known, and followed at once by the signature:
 * so every handshake is made with the certificates that are there now. */
static int on_hello(SSL *ssl, void *argument)
{
    const struct tls_contexts *c = argument;
    return certificates_give(c->certificates, ssl) ? 1 : 0;
}

static bool set_mac(EVP_MAC_CTX *mac, const struct ticket_key *key)
{
    unsigned char secret[TICKET_SECRET_SIZE]; /* OSSL_PARAM is not const */
    memcpy(secret, key->mac, sizeof secret);
    char digest[] = "SHA256";
    OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, secret, sizeof secret),
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end(),
    };
    bool good = EVP_MAC_CTX_set_params(mac, parameters) == 1;
    OPENSSL_cleanse(secret, sizeof secret);
    return good;
}

/* OpenSSL's answers: -1 failed, 0 make a whole handshake, 1 go on, 2 go on with a new ticket. Its
 * parameters are OpenSSL's, too. NOLINTNEXTLINE(readability-function-size) */
static int on_ticket(SSL *ssl, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher,
                     EVP_MAC_CTX *mac, int seal)
{
    const struct tls_contexts *c = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
    int64_t now_us = c->clock->monotonic_us(c->clock);
    struct ticket_key key;
    if (seal) {
        if (!tickets_current(c->tickets, now_us, &key) ||
            RAND_bytes_ex(c->library, iv, (size_t)EVP_CIPHER_get_iv_length(c->ticket_cipher), 0) !=
                1) {
            return -1;
        }
        memcpy(name, key.name, sizeof key.name);
    } else if (!tickets_find(c->tickets, now_us, name, &key)) {
        return 0;
    }
    bool good = set_mac(mac, &key) &&
                EVP_CipherInit_ex2(cipher, c->ticket_cipher, key.cipher, iv, seal, NULL) == 1;
    OPENSSL_cleanse(&key, sizeof key);
    return !good ? -1 : seal ? 1 : 2;
}

static bool make_server(struct tls_contexts *c)
{
    static const unsigned char session_id[] = "postrider";
    SSL_CTX *context = SSL_CTX_new_ex(c->library, NULL, TLS_server_method());
    c->server = context;
    c->ticket_cipher = EVP_CIPHER_fetch(c->library, "AES-256-CBC", NULL);
    if (!context || !c->ticket_cipher ||
        SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) != 1 ||
        SSL_CTX_set_cipher_list(context, ciphers12) != 1 ||
        SSL_CTX_set1_groups_list(context, groups) != 1 || SSL_CTX_set_dh_auto(context, 1) != 1 ||
        SSL_CTX_set_tlsext_ticket_key_evp_cb(context, on_ticket) != 1 ||
        SSL_CTX_set_num_tickets(context, 1) != 1 ||
        SSL_CTX_set_max_send_fragment(context, REPLIES_FRAGMENT) != 1 ||
        SSL_CTX_set_session_id_context(context, session_id, sizeof session_id - 1) != 1) {
        return false;
    }
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                     SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
    /* The chain is what the file says: nothing is looked for at each handshake. */
    SSL_CTX_set_mode(context, SSL_MODE_NO_AUTO_CHAIN);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF); /* tickets only: no memory */
    SSL_CTX_set_timeout(context, (long)span_seconds(tickets_life(c->tickets)));
    SSL_CTX_set_app_data(context, c);
    SSL_CTX_set_cert_cb(context, on_hello, c);
    SSL_CTX_set_tlsext_servername_callback(context, on_name);
    SSL_CTX_set_tlsext_servername_arg(context, c);
    return true;
}

bool tls_contexts_open(struct tls_contexts *c, const struct tls_source *source, struct clock *clock,
                       struct buf *reason)
{
    *c = (struct tls_contexts){
        .library = OSSL_LIB_CTX_new(), .tickets = source->tickets, .clock = clock};
    if (!c->library || (source->count > 0 && !make_server(c))) {
        buf_add(reason, STR("not enough memory"));
        tls_contexts_close(c);
        return false;
    }
    if (source->count > 0) {
        c->certificates =
            certificates_new(c->library, source->pairs, source->count, source->signer, reason);
    }
    if (source->count == 0 || c->certificates) {
        c->client = tls_client_context(c->library, source->authorities, reason);
    }
    if (!c->client) {
        tls_contexts_close(c);
        return false;
    }
    return true;
}

void tls_contexts_close(struct tls_contexts *c)
{
    SSL_CTX_free(c->server);
    SSL_CTX_free(c->client);
    certificates_free(c->certificates);
    EVP_CIPHER_free(c->ticket_cipher);
    OSSL_LIB_CTX_free(c->library);
    *c = (struct tls_contexts){0};
}
