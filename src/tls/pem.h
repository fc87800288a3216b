/* pem.h: certificates and keys from text in PEM (RFC 7468), and what OpenSSL says of a failure. No
 * password is ever asked for: nobody is there to type one. */
#pragma once

#include <openssl/x509.h>

#include "core/base/buf.h"
#include "core/base/instant.h"

/* The first certificate; and those behind it, at most PEM_CHAIN_MAX. The caller frees both. False:
 * there is none, or more, or one that is damaged. `library` may be null: the usual one. */
enum { PEM_CHAIN_MAX = 16 };
NODISCARD bool pem_chain(OSSL_LIB_CTX *library, struct str text, X509 **leaf,
                         STACK_OF(X509) * *issuers);
/* The first private key, also behind certificates; null: none that can be read. */
NODISCARD EVP_PKEY *pem_key(OSSL_LIB_CTX *library, struct str text);
/* "name: why", by the system's `error` (-errno) or else by what OpenSSL says, which is forgotten.
 */
void pem_explain(struct buf *reason, struct str name, int error);
/* 1970 for a time that is none. */
struct instant pem_instant(const ASN1_TIME *time);
