/* serve_tls.h: TLS for the loops of `postrider serve`. */
#pragma once

#include "config/config.h"
#include "world/loop.h"

/* Gives every loop TLS with the certificates of the configuration, or with one made here and kept
 * in the spool's folder. `made[i]` is loop i's, to be freed by serve_tls_close(). False: said on
 * standard error. */
NODISCARD bool serve_tls_open(const struct config *config, struct loop **loops, size_t count,
                              struct tls **made);
void serve_tls_close(struct tls **made, size_t count); /* after the loops */
