/* server.h: port/tls.h for one loop. */
#pragma once

#include "port/ports.h"
#include "tls/context.h"

/* Null, with `*reason`: a certificate is missing or wrong. `source` is read, not kept. */
NODISCARD struct tls *tls_server_new(const struct tls_source *source, const struct ports *ports,
                                     struct buf *reason);
/* Those that it has: until others are taken. Null: it has none. */
const struct certificates *tls_server_certificates(struct tls *tls);
/* Other certificates for it, made by any thread, to be taken by tls_server_renew(). Null, with
 * `*reason`. */
NODISCARD struct certificates *tls_server_load(struct tls *tls, const struct tls_source *source,
                                               struct buf *reason);
/* Takes them in place of its own, on its loop: for every handshake whose hello has not come yet. No
 * session is touched. */
void tls_server_renew(struct tls *tls, struct certificates *fresh);
void tls_server_free(struct tls *tls); /* when its streams are gone; null is fine */
