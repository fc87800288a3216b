/* witness.h: the other fields of a header that tell where a message came from, beside Received.
 * Each is read as far as it makes sense; nothing is believed here. Texts are slices of the message;
 * an empty text was not said. Linear in the header's length; nothing is allocated. */
#pragma once

#include "core/base/ip.h"
#include "core/mail/header.h"
#include "core/trace/received_date.h"

enum witness_kind {
    WITNESS_NONE,
    WITNESS_RETURN_PATH,    /* host: the sender's domain (RFC 5321 4.4) */
    WITNESS_RECEIVED_SPF,   /* ip, host (envelope's domain), helo, by, result (RFC 7208 9.1) */
    WITNESS_AUTH_RESULTS,   /* by, ip, host (smtp.mailfrom), results (RFC 8601) */
    WITNESS_ARC_RESULTS,    /* the same, and its instance (RFC 8617) */
    WITNESS_ARC_SIGNATURE,  /* host (d=), instance */
    WITNESS_ARC_SEAL,       /* host (d=), instance, result (cv=) */
    WITNESS_DKIM_SIGNATURE, /* host (d=) */
    WITNESS_ORIGINATING_IP, /* ip: what a web mailer or gateway says its client had */
    WITNESS_X_RECEIVED,     /* value: a trace field of Google's; received_parse() reads it */
    WITNESS_DELIVERED_TO,   /* host */
    WITNESS_DATE,           /* date */
    WITNESS_MESSAGE_ID,     /* host: after the "@" */
    WITNESS_FROM,           /* host: of the last address */
    WITNESS_LIST, /* host: of List-Id, List-Post, List-Unsubscribe, … (RFC 2369, 2919) */
};

struct witness {
    enum witness_kind kind;
    size_t position; /* which field of the header it is, from the top, 0 first */
    struct str name;
    struct str value; /* folds inside */
    struct str host;
    struct str helo;
    struct str by;                    /* who testifies: authserv-id, receiver */
    struct ip ip;                     /* the client's, IP_NONE if not said */
    struct str result;                /* of SPF or of the chain: "pass", "fail", "none", … */
    struct str spf, dkim, dmarc, arc; /* of Authentication-Results: the first result of each */
    unsigned instance;                /* ARC's i=, 0 if none */
    struct received_date date;
};

/* False: the field is no witness; `w` is then empty. */
bool witness_read(const struct header_field *field, size_t position, struct witness *w);

/* The witnesses of a header, in its order from the top, at most `max`; returns how many there are
 * in `out`. */
size_t witnesses_read(struct str message, struct witness *out, size_t max);
