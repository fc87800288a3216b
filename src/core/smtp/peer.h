/* peer.h: what the other server said it can do, in its reply to EHLO or LHLO. */
#pragma once

#include "core/base/str.h"

enum peer_extension {
    PEER_PIPELINING = 1,
    PEER_8BITMIME = 2,
    PEER_SMTPUTF8 = 4,
    PEER_DSN = 8,
    PEER_CHUNKING = 16,
    PEER_BINARYMIME = 32,
    PEER_STATUS_CODES = 64,
    PEER_SIZE = 128,
    PEER_LIMITS = 256,
    PEER_STARTTLS = 512,
    PEER_REQUIRETLS = 1024,
    PEER_PRIORITY = 2048,
    PEER_DELIVERBY = 4096,
};

struct smtp_peer {
    unsigned extensions; /* of enum peer_extension */
    uint64_t size_limit; /* RFC 1870; 0: none told */
    uint32_t mail_max;   /* RFC 9422: MAILs in a session; 0: none told */
    uint32_t by_min;     /* RFC 2852: the least seconds for mode R; 0: none told */
    uint32_t rcpt_max;   /* RCPTs in a transaction; 0: none told */
};

static inline bool peer_has(const struct smtp_peer *peer, unsigned extensions)
{
    return (peer->extensions & extensions) == extensions;
}

/* One line after the first of the reply, without its code. Unknown keywords, and known ones with
 * parameters that make no sense, are passed over. */
void peer_learn(struct smtp_peer *peer, struct str line);
