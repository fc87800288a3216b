/* certificate.h: certificates and keys, from files or made here. Blocks: at start and reload. */
#pragma once

#include <openssl/ssl.h>

#include "core/base/buf.h"
#include "tls/remote_key.h"

/* Loads a chain (PEM, leaf first) and its key into `context`. False, with `*reason` in words. */
NODISCARD bool certificate_load(SSL_CTX *context, const char *chain, const char *key,
                                struct buf *reason);

/* The same with a key that `signer` has; it is borrowed for the context's life. */
NODISCARD bool certificate_load_remote(SSL_CTX *context, const char *chain,
                                       struct key_signer *signer, struct buf *reason);

/* Makes a P-256 key and a certificate for `hostname`, signed with itself, good for ten years, in
 * `folder`/self-signed.pem (mode 0600), unless it is there already. The file's name in `path`, NUL
 * at its end. False, with `*reason`. */
NODISCARD bool certificate_self_signed(struct str folder, struct str hostname, struct buf *path,
                                       struct buf *reason);
