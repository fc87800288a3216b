/* tlsrpt_record.h: where a domain wants reports about TLS: the TXT record of _smtp._tls.DOMAIN
 * (RFC 8460 section 3). */
#pragma once

#include "core/base/str.h"

enum { TLSRPT_PLACES_MAX = 8 }; /* further ones get none */

struct tlsrpt_place {
    bool https;     /* POST there; else mail */
    struct str uri; /* mail: the address; https: what follows "https://" */
};

struct tlsrpt_record {
    struct tlsrpt_place places[TLSRPT_PLACES_MAX];
    size_t count; /* at least one */
};

/* Slices of the text. False: none of version TLSRPTv1, or malformed. */
NODISCARD bool tlsrpt_record_parse(struct str text, struct tlsrpt_record *record);
