/* keyword.h: what EHLO offers (RFC 5321 4.1.1.1). */
#pragma once

#include "core/base/buf.h"
#include "core/base/instant.h"

/* What a server is set to; shared by all its sessions. */
struct smtp_server_options {
    struct str hostname;
    uint64_t message_max; /* octets; 0: no limit, and none is told */
    uint32_t rcpt_max;    /* per transaction */
    uint32_t error_max;   /* bad commands without a message between before 421 */
    uint32_t empty_max;   /* commands without a message between before 421; 0: any number */
    bool normalise;       /* bare CR and LF in a body become CR LF instead of being refused */
    bool refuse_long_lines;
    bool take_unqualified; /* MAIL and RCPT may name a local part alone */
    bool offer_starttls;   /* it may be said */
    bool offer_requiretls; /* the session is private (RFC 8689) */
    bool offer_priority;   /* MT-PRIORITY (RFC 6710) */
    struct span hold_max;  /* FUTURERELEASE (RFC 4865): so long at most; zero: not offered */
    struct span by_min;    /* DELIVERBY (RFC 2852): the least time after which mail may be returned;
                            * zero: not offered */
    struct str mechanisms; /* of AUTH, each with a blank before it; empty: not offered */
};

/* Appends the reply to EHLO or LHLO: the host's name, then a line for each extension.
 * Points in time that it tells of are counted from `now`. */
void keyword_reply(struct buf *out, const struct smtp_server_options *options, struct instant now);
