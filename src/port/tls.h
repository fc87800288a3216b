/* tls.h: a stream made private (RFC 8446, RFC 5246). Null in struct ports: no TLS. */
#pragma once

#include "port/stream.h"

enum { TLS_EXPORTER_SIZE = 32 };

/* Of a finished handshake. Texts last as long as the stream. */
struct tls_facts {
    struct str version;               /* "TLSv1.3" */
    struct str cipher;                /* "TLS_AES_256_GCM_SHA384" */
    char exporter[TLS_EXPORTER_SIZE]; /* RFC 9266: binds what is said to this connection */
};

struct tls {
    /* The server's side over a connected, paused stream, which from now on belongs to the one that
     * is returned: paused too, to be given events and resumed. The handshake runs by itself; a
     * failed one is the stream's end with -EPROTO. Null: no memory, and `plain` is untouched. */
    struct stream *(*accept)(struct tls *tls, struct stream *plain);
    /* False: the handshake is not done. */
    bool (*facts)(const struct stream *stream, struct tls_facts *facts);
};
