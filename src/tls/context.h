/* context.h: what the servers of the loops share: which certificates there are, the keys of session
 * tickets. A loop has contexts of its own (OpenSSL takes locks on what threads share). */
#pragma once

#include <openssl/ssl.h>

#include "core/base/buf.h"
#include "port/clock.h"
#include "tls/certificates.h"
#include "tls/tickets.h"

struct tls_source {
    const struct tls_pair *pairs;
    size_t count;              /* 0: for clients only */
    struct key_signer *signer; /* has the keys; null: the pairs have them */
    struct tickets *tickets;   /* borrowed for the contexts' life; null where there are no pairs */
    const char *authorities;   /* a file; null: the system's */
};

/* The contexts of one loop. They stay where they are: OpenSSL comes back to them. */
struct tls_contexts {
    OSSL_LIB_CTX *library;
    SSL_CTX *server; /* without certificates of its own: they are chosen for each client */
    SSL_CTX *client;
    struct certificates *certificates; /* may be replaced at any time by others */
    struct tickets *tickets;
    EVP_CIPHER *ticket_cipher;
    struct clock *clock;
};

/* False, with `*reason`: a certificate or the file of authorities is wrong. */
NODISCARD bool tls_contexts_open(struct tls_contexts *c, const struct tls_source *source,
                                 struct clock *clock, struct buf *reason);
void tls_contexts_close(struct tls_contexts *c);
