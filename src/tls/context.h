/* context.h: what the loops' servers share: which certificates there are, the keys of session
 * tickets. A loop has contexts of its own (OpenSSL takes locks on what threads share). */
#pragma once

#include <openssl/ssl.h>

#include "core/base/buf.h"
#include "tls/remote_key.h"

enum { TLS_CERTIFICATES_MAX = 64, TICKET_KEY_SIZE = 80 };

struct tls_pair {
    const char *chain, *key; /* files */
};

struct tls_source {
    const struct tls_pair *pairs; /* the first is for clients that name no host */
    size_t count;
    struct key_signer *signer; /* has the keys; null: they are read from their files */
    const char *authorities;   /* a file; null: the system's */
    unsigned char
        ticket_keys[TICKET_KEY_SIZE]; /* one set for all loops: a session goes on on any */
};

/* The contexts of one loop: one a certificate, chosen by the name the client asks for (SNI). */
struct tls_contexts {
    OSSL_LIB_CTX *library;
    SSL_CTX *contexts[TLS_CERTIFICATES_MAX];
    size_t count;
    SSL_CTX *client;
};

/* Without pairs: for clients only. False, with `*reason`: a file is missing or wrong. */
NODISCARD bool tls_contexts_open(struct tls_contexts *c, const struct tls_source *source,
                                 struct buf *reason);
void tls_contexts_close(struct tls_contexts *c);
