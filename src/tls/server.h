/* server.h: port/tls.h for one loop. */
#pragma once

#include "port/ports.h"
#include "tls/context.h"

/* Null, with `*reason`: a certificate is missing or wrong. `source` is read, not kept. */
NODISCARD struct tls *tls_server_new(const struct tls_source *source, const struct ports *ports,
                                     struct buf *reason);
void tls_server_free(struct tls *tls); /* when its streams are gone; null is fine */
