/* read.h: reports about TLS that others sent (RFC 8460 section 4), from bytes of strangers. */
#pragma once

#include <jansson.h>

#include "core/base/str.h"

enum {
    TLSRPT_BYTES_MAX = 16 << 20, /* of the mail or file */
    TLSRPT_JSON_MAX = 64 << 20,  /* of what was compressed */
    TLSRPT_POLICIES_MAX = 1000,  /* further ones are left out, and that is said */
    TLSRPT_DETAILS_MAX = 10000,  /* likewise, of one policy */
};

/* `bytes`: the JSON, that compressed by gzip, or a whole mail that carries either. The result is a
 * new object of a fixed form, with texts and numbers where they must be:
 *   {organization, from, to, contact, id, left_out,
 *    policies: [{type, domain, policy: [text], mx: [text], successes, failures,
 *                details: [{result, count, sending_ip, receiving_host, receiving_helo,
 *                           receiving_ip, code, information}]}]}
 * Null: not a report; `*reason` says why. */
json_t *tlsrpt_read(struct str bytes, const char **reason);
