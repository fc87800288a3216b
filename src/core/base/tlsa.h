/* tlsa.h: what a TLSA record (RFC 6698) says of a server's certificate, as a value. */
#pragma once

#include "core/base/buf.h"

struct tlsa {
    uint8_t usage;    /* 2: an authority, DANE-TA; 3: the server's own, DANE-EE */
    uint8_t selector; /* 0: the certificate, 1: its public key */
    uint8_t matching; /* 0: the whole, 1: SHA-256, 2: SHA-512 */
    struct str data;  /* borrowed */
};

/* Why it cannot be used for mail, in words, or null: usages 0 and 1 rest on authorities that mail
 * servers do not share (RFC 7672 3.1.3), and digests have a length. */
const char *tlsa_fault(const struct tlsa *t);
/* "3 1 1 8cb2237d…", with all data: as zone files have it (RFC 6698 2.2). */
void tlsa_write(struct buf *out, const struct tlsa *t);
/* "3 1 1 8cb2237d0679ca88…": data beyond 16 octets is cut short. */
void tlsa_format(struct buf *out, const struct tlsa *t);
