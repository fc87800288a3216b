#include "secure.h"

#include "wire.h"

#include <errno.h>
#include <openssl/err.h>
#include <string.h>

SSL_CTX *secure_context(int version)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    if (!context || SSL_CTX_set_min_proto_version(context, version ? version : TLS1_2_VERSION) != 1 ||
        SSL_CTX_set_max_proto_version(context, version) != 1)
        die("no TLS");
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
    return context;
}

SSL *secure_on(SSL_CTX *context, int fd)
{
    SSL *ssl = SSL_new(context);
    if (!ssl || SSL_set_fd(ssl, fd) != 1)
        die("no memory for TLS");
    SSL_set_connect_state(ssl);
    return ssl;
}

long secure_recv(SSL *ssl, void *into, size_t len)
{
    ERR_clear_error();
    int n = SSL_read(ssl, into, (int)len);
    if (n > 0)
        return n;
    int error = SSL_get_error(ssl, n);
    if (error == SSL_ERROR_ZERO_RETURN)
        return 0;
    errno = error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE ? EAGAIN : EPROTO;
    return -1;
}

bool secure_send(SSL *ssl, const char *text)
{
    int len = (int)strlen(text);
    ERR_clear_error();
    return SSL_write(ssl, text, len) == len;
}
