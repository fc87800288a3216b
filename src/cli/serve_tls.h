/* serve_tls.h: TLS for the loops of `postrider serve`. */
#pragma once

#include "config/config.h"
#include "keys/asker.h"
#include "path/postoffice.h"
#include "world/loop.h"

struct serve_tls {
    int (*connect_keys)(
        void *owner); /* a socket to the key process, or -errno; any loop's thread */
    void *owner;

    size_t count; /* of loops */
    struct tls *loops[BRANCHES_MAX];
    struct key_asker askers[BRANCHES_MAX]; /* a loop's own */
};

/* Gives every loop TLS with the certificates of the configuration, whose keys the key process has
 * unless `tls.keys` says otherwise; or with one made here and kept in the spool's folder. False:
 * said on standard error. */
NODISCARD bool serve_tls_open(struct serve_tls *tls, const struct config *config,
                              struct loop **loops, size_t count);
void serve_tls_close(struct serve_tls *tls); /* after the loops */
