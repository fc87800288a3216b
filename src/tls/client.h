/* client.h: what the client's side asks of a server's certificate. */
#pragma once

#include <openssl/ssl.h>

#include "core/base/buf.h"
#include "port/tls.h"

/* `authorities`: a file in PEM; null: the system's. Null, with `*reason`. */
NODISCARD SSL_CTX *tls_client_context(OSSL_LIB_CTX *library, const char *authorities,
                                      struct buf *reason);
/* Before the handshake: the name asked for, and what it must show. False: no memory. */
NODISCARD bool tls_client_prepare(SSL *ssl, const struct tls_want *want);
/* After it: is this the one that is wanted? False, with `*why`. */
NODISCARD bool tls_client_judge(SSL *ssl, const struct tls_policy *policy, struct buf *why);
/* What was wrong, as far as it is known: with the certificate, or else with the handshake. */
enum tls_failure tls_client_failure(const SSL *ssl, bool done);
/* Why the handshake failed, in words. */
void tls_client_explain(SSL *ssl, struct buf *why);
