/* crypto.h: port/crypto.h by OpenSSL, with a library context of its own. */
#pragma once

#include "port/crypto.h"

NODISCARD struct crypto *tls_crypto_new(void); /* null: no memory */
void tls_crypto_free(struct crypto *crypto);   /* null is fine */
