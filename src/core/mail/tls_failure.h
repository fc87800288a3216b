/* tls_failure.h: why the way to another server was not as private as it should have been, in the
 * terms of RFC 8460 section 4.3. */
#pragma once

#include "core/base/str.h"

enum tls_failure {
    TLS_FAILED_NOT, /* a success */
    TLS_FAILED_STARTTLS,
    TLS_FAILED_HOST_MISMATCH,
    TLS_FAILED_EXPIRED,
    TLS_FAILED_NOT_TRUSTED,
    TLS_FAILED_VALIDATION, /* all else */
    TLS_FAILED_DNSSEC,
    TLS_FAILED_TLSA, /* records that are no use: TLS went on, whoever it was */
    TLS_FAILED_STS_FETCH,
    TLS_FAILED_STS_INVALID,
    TLS_FAILED_STS_WEBPKI,
};

/* "certificate-expired"; "success". */
struct str tls_failure_word(enum tls_failure failure);
