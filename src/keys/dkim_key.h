/* dkim_key.h: keys of DKIM (RFC 6376, 8301, 8463): their files (PEM), what they sign, and the
 * record that others find them by. Blocks. */
#pragma once

#include <openssl/evp.h>

#include "core/base/buf.h"
#include "keys/question.h"
#include "port/signer.h"

enum { DKIM_RSA_BITS_MIN = 1024, DKIM_RSA_BITS_MAX = 4096 };

/* RSA within those bounds, or Ed25519; the caller's. Null, with the reason in words. */
NODISCARD EVP_PKEY *dkim_key_read(const char *file, struct buf *reason);
/* A new key in a new file, mode 0600; `rsa_bits` 0: Ed25519. False, with the reason. */
NODISCARD bool dkim_key_make(const char *file, unsigned rsa_bits, struct buf *reason);
/* "v=DKIM1; k=rsa; p=…", with s=tlsrpt where it signs reports about TLS alone (RFC 8460 3). */
void dkim_key_record(EVP_PKEY *key, bool tls_reports, struct buf *out);
/* By the key of that file. */
void dkim_key_id(struct str file, struct key_id *id);
/* The digest that is for this kind of key, signed: how many octets, or -errno. */
int dkim_key_sign(EVP_PKEY *key, const unsigned char *digests, unsigned char *out, size_t cap);
