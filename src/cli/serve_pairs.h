/* serve_pairs.h: the certificates of a worker as text, from wherever the configuration says: the
 * key process, files, or the one that is made here and kept in the spool's folder. */
#pragma once

#include "config/config.h"
#include "keys/asker.h"
#include "tls/certificates.h"

struct serve_pairs {
    struct tls_pair pairs[TLS_CERTIFICATES_MAX]; /* as tls/context.h takes them */
    size_t count;
    bool apart; /* the key process has the keys */
    struct buf chains[TLS_CERTIFICATES_MAX], keys[TLS_CERTIFICATES_MAX];
    struct buf self_signed; /* its file's name */
};

/* `asker` is asked where keys are apart. False, with `*reason`. Blocks. */
NODISCARD bool serve_pairs_read(struct serve_pairs *p, const struct config *config,
                                struct key_asker *asker, struct buf *reason);
void serve_pairs_done(struct serve_pairs *p); /* leaves no key in memory */
