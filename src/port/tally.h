/* tally.h: what became of each way to another server: counted for reports to its domain (RFC 8460).
 * Null in struct ports: nobody counts. */
#pragma once

#include "core/base/ip.h"
#include "core/mail/tls_failure.h"

enum tls_promise { PROMISE_NONE, PROMISE_STS, PROMISE_TLSA }; /* what the domain had promised */

/* Texts are borrowed for the call. */
struct tls_session {
    struct str domain; /* whose mail it was: the report goes there */
    enum tls_promise promise;
    struct str promised_by; /* the policy's domain; DANE: the TLSA base domain */
    struct str mx;          /* STS: the patterns, separated by blanks */
    struct str policy;      /* what was promised, in lines: the STS policy, or TLSA records */
    struct str host;
    struct ip ip, source; /* the host's address and ours; IP_NONE: there was no connection */
    enum tls_failure failure;
};

struct tls_tally {
    void (*count)(struct tls_tally *tally, const struct tls_session *session); /* on any loop */
};
