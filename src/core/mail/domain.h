/* domain.h: what stands after the "@" and in HELO: a name or an address literal, exactly as
 * RFC 5321 4.1.2 and 4.1.3 have them, with the U-labels of RFC 6531 3.3. No trailing dot, no
 * underscore, no empty label. Only these parsers make a struct domain. */
#pragma once

#include "core/base/buf.h"
#include "core/base/ip.h"
#include "core/base/scan.h"

enum domain_kind {
    DOMAIN_NAME,
    DOMAIN_LITERAL_V4, /* [192.0.2.1] */
    DOMAIN_LITERAL_V6, /* [IPv6:2001:db8::1]; no other tag is registered */
};

enum { DOMAIN_LEN_MAX = 255 }; /* RFC 5321 4.5.3.1.2 */

struct domain {
    struct str text; /* as written, brackets included; a slice of what was parsed */
    enum domain_kind kind;
    struct ip ip; /* of the literals V4 and V6 */
    bool utf8;    /* has a U-label; whether that is allowed is the caller's to say */
};

/* The longest domain at the cursor, of any length; fails the cursor where there is none. */
struct domain scan_domain(struct scan *sc);
/* The whole of `text`, of at most DOMAIN_LEN_MAX octets. */
NODISCARD bool domain_parse(struct str text, struct domain *domain);
/* Canonical: ASCII letters in lower case, addresses as RFC 5952 prints them. */
void domain_format(struct buf *out, const struct domain *domain);
