/* certificates.h: the certificates of a server, several kinds of key (ECDSA, RSA) for a name, of
 * which a client gets the one that its signature algorithms allow. Once made they do not change: a
 * server takes others in their place (tls_server_renew()). */
#pragma once

#include <openssl/ssl.h>

#include "core/base/buf.h"
#include "core/base/instant.h"
#include "tls/remote_key.h"

enum { TLS_CERTIFICATES_MAX = 64, CERTIFICATE_NAMES_MAX = 256 };

/* As text in PEM. Borrowed for a call. */
struct tls_pair {
    struct str name;  /* for messages: the file of the chain */
    struct str chain; /* the certificate, then those of its authorities */
    struct str key;   /* empty: the signer has it */
};

struct certificates;

/* What is told of a certificate. */
struct certificate_label {
    char names[CERTIFICATE_NAMES_MAX]; /* as many as there is room for, with spaces between them */
    const char *kind;                  /* "EC", "RSA", … */
    struct instant ends;
};

/* The signer is borrowed for their life; null: every pair has its key. Null, with `*reason`: one is
 * damaged, or a key is another's. From any thread; blocks a little. */
NODISCARD struct certificates *certificates_new(OSSL_LIB_CTX *library, const struct tls_pair *pairs,
                                                size_t count, struct key_signer *signer,
                                                struct buf *reason);
/* Whether the signer has the keys, and signs by them. */
NODISCARD bool certificates_work(const struct certificates *c);
void certificates_free(struct certificates *c); /* sessions keep theirs; null is fine */
/* Those that name the host the client asks for; where none does, or it asks for none, the first and
 * those of other kinds that share a name with it. False: no memory. */
NODISCARD bool certificates_give(const struct certificates *c, SSL *ssl);
bool certificates_name(const struct certificates *c, const char *host);
size_t certificates_count(const struct certificates *c);
void certificates_describe(const struct certificates *c, size_t i, struct certificate_label *out);
