/* tls.h: a stream made private (RFC 8446, RFC 5246). Null in struct ports: no TLS. */
#pragma once

#include "core/base/buf.h"
#include "core/mail/tls_failure.h"
#include "core/mail/tls_policy.h"
#include "port/stream.h"

enum { TLS_EXPORTER_SIZE = 32 };

/* Of a finished handshake. Texts last as long as the stream. */
struct tls_facts {
    struct str version;               /* "TLSv1.3" */
    struct str cipher;                /* "TLS_AES_256_GCM_SHA384" */
    char exporter[TLS_EXPORTER_SIZE]; /* RFC 9266: binds what is said to this connection */
    bool binds; /* of TLS 1.3: with older ones clients bind by tls-unique, which is not to be
                   trusted */
    enum tls_failure
        failure; /* the client's side: what a policy in testing would have failed for */
};

/* Whom a client wants to talk with. Borrowed until the handshake is done. */
struct tls_want {
    const struct tls_policy *policy;
    struct str host; /* its name; an address in brackets is none */
};

struct tls {
    /* The server's side over a connected, paused stream, which from now on belongs to the one that
     * is returned: paused too, to be given events and resumed. The handshake runs by itself; a
     * failed one is the stream's end with -EPROTO. Null: no memory, and `plain` is untouched. */
    struct stream *(*accept)(struct tls *tls, struct stream *plain);
    /* The client's side, likewise. What is written before the handshake is done waits for it, and
     * a peer that is not as the policy wants it gets nothing. */
    struct stream *(*connect)(struct tls *tls, struct stream *plain, const struct tls_want *want);
    /* Why the client's handshake failed, in words; empty: unknown. Lasts as long as the stream. */
    struct str (*trouble)(const struct stream *stream);
    /* The same as a report has it. */
    enum tls_failure (*failure)(const struct stream *stream);
    /* False: the handshake is not done. */
    bool (*facts)(const struct stream *stream, struct tls_facts *facts);
    /* The peer's certificates in words, a line each, as far as the handshake came. */
    void (*describe)(const struct stream *stream, struct buf *out);
};
