#pragma once
/* TLS on the client's side for the instruments, over sockets that do not block. Nobody's certificate
 * is checked beyond the handshake's signature: that is not what is measured. */
#include <openssl/ssl.h>
#include <stdbool.h>

/* `version`: TLS1_2_VERSION or TLS1_3_VERSION alone, or 0 for the best of both. */
SSL_CTX *secure_context(int version);
/* On a connected socket; not begun. */
SSL *secure_on(SSL_CTX *context, int fd);
/* As recv(): the handshake is made on the way. -1 with EAGAIN: later; with EPROTO: it failed. */
long secure_recv(SSL *ssl, void *into, size_t len);
bool secure_send(SSL *ssl, const char *text);
