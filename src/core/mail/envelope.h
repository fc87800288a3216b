/* envelope.h: what SMTP says of a message beside the message (RFC 5321 2.3.1): who sent it, to
 * whom, and how reports are wanted (RFC 3461). Addresses here are texts that core/mail/mailbox.h
 * parsed and printed: "local@domain", quoted where needed, the domain in lower case. */
#pragma once

#include "core/base/arena.h"
#include "core/base/buf.h"
#include "core/base/instant.h"
#include "core/base/ip.h"
#include "core/mail/deliver_by.h"
#include "core/mail/priority.h"
#include "core/mail/queue_id.h"

enum envelope_body { BODY_7BIT, BODY_8BITMIME, BODY_BINARYMIME };
enum dsn_ret { RET_UNSET, RET_FULL, RET_HDRS };

/* NOTIFY of RFC 3461 4.1, as bits; 0: the client gave none (then failures, and delays, are told).
 */
enum dsn_notify { NOTIFY_NEVER = 1, NOTIFY_SUCCESS = 2, NOTIFY_FAILURE = 4, NOTIFY_DELAY = 8 };

struct envelope_rcpt {
    struct str address; /* the forward-path's mailbox */
    struct str orcpt;   /* "type;address" with the xtext decoded; empty: not given */
    uint8_t notify;
};

struct envelope {
    struct queue_id id;
    struct str reverse_path; /* empty: the null reverse-path */
    struct str envid;        /* xtext decoded; empty: not given */
    enum dsn_ret ret;
    enum envelope_body body;
    bool smtputf8;
    bool require_tls;   /* REQUIRETLS: only ever by TLS, and to hosts that are who they must be */
    bool tls_optional;  /* "TLS-Required: No": rather in the clear than not at all (RFC 8689 3) */
    bool is_report;     /* made here: a bounce or other report, never reported about */
    bool submitted;     /* from a client of ours, not from another server */
    uint64_t body_size; /* octets of header and body as received, without our additions */
    struct instant arrived;
    int8_t priority;        /* MT-PRIORITY: -9 to 9 */
    struct instant release; /* not to be sent before (RFC 4865); zero: at once */
    struct deliver_by by;
    struct ip client_ip;    /* IP_NONE: made here */
    struct str client_name; /* verified by forward and reverse DNS; empty: unverified */
    struct str helo;
    struct str protocol; /* "ESMTP", "SMTP", "UTF8SMTP", "LMTP", "local": Received's with clause */
    struct str user;     /* who logged in; empty: nobody */
    struct envelope_rcpt *rcpts;
    size_t rcpt_count;
};

/* Attempts, their ends and notices of delay are counted from here: its arrival, or its release. */
static inline struct instant envelope_begins(const struct envelope *e)
{
    return instant_before(e->arrived, e->release) ? e->release : e->arrived;
}

/* Until when its sender wants it delivered (RFC 2852); zero: no time was named. */
static inline struct instant envelope_deadline(const struct envelope *e)
{
    return e->by.mode == BY_NONE ? (struct instant){0}
                                 : instant_add(e->arrived, SPAN_S(e->by.seconds));
}

/* Mode R, and its time has passed: it is to be delivered no more. */
static inline bool envelope_is_over(const struct envelope *e, struct instant now)
{
    return e->by.mode == BY_RETURN && !instant_before(now, envelope_deadline(e));
}

/* Of such an address: what follows its @; empty: there is none. */
struct str envelope_domain(struct str address);

/* Recipients of one domain come to stand together, so that they can share a transaction, and of an
 * address that was named twice the first stays. In place; `arena` lends memory for it. False: it
 * has none, and nothing has changed.
 */
NODISCARD bool envelope_group_rcpts(struct envelope *e, struct arena *arena);

/* The form in which the spool keeps it: versioned bytes, appended to `out`. */
void envelope_encode(struct buf *out, const struct envelope *e);
/* Reads what envelope_encode() wrote; texts are slices of `bytes`, arrays are in `arena`. False:
 * not an envelope (damaged or of an unknown version), or no memory; `e` is then untouched. */
NODISCARD bool envelope_decode(struct str bytes, struct arena *arena, struct envelope *e);
