/* certificate.h: the certificate that is signed by itself. Blocks: at start and reload. */
#pragma once

#include "core/base/buf.h"

/* Makes a P-256 key and a certificate for `hostname`, signed with itself, good for ten years, in
 * `folder`/self-signed.pem (mode 0600), unless it is there already. The file's name in `path`, NUL
 * at its end. False, with `*reason`. */
NODISCARD bool certificate_self_signed(struct str folder, struct str hostname, struct buf *path,
                                       struct buf *reason);
