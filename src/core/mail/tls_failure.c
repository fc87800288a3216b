#include "core/mail/tls_failure.h"

struct str tls_failure_word(enum tls_failure failure)
{
    static const struct str words[] = {
        [TLS_FAILED_NOT] = STR_INIT("success"),
        [TLS_FAILED_STARTTLS] = STR_INIT("starttls-not-supported"),
        [TLS_FAILED_HOST_MISMATCH] = STR_INIT("certificate-host-mismatch"),
        [TLS_FAILED_EXPIRED] = STR_INIT("certificate-expired"),
        [TLS_FAILED_NOT_TRUSTED] = STR_INIT("certificate-not-trusted"),
        [TLS_FAILED_VALIDATION] = STR_INIT("validation-failure"),
        [TLS_FAILED_DNSSEC] = STR_INIT("dnssec-invalid"),
        [TLS_FAILED_TLSA] = STR_INIT("tlsa-invalid"),
        [TLS_FAILED_STS_FETCH] = STR_INIT("sts-policy-fetch-error"),
        [TLS_FAILED_STS_INVALID] = STR_INIT("sts-policy-invalid"),
        [TLS_FAILED_STS_WEBPKI] = STR_INIT("sts-webpki-invalid"),
    };
    return words[failure];
}
