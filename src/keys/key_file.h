/* key_file.h: a private key from its file (PEM). Blocks; leaves nothing of the text in memory. */
#pragma once

#include <openssl/evp.h>

#include "core/base/buf.h"

/* Of whatever kind; the caller's. Null, with the reason in words. */
NODISCARD EVP_PKEY *key_file_read(const char *file, struct buf *reason);
