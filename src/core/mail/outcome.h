/* outcome.h: what came of one attempt to get a message to one recipient. Outcomes are what the
 * queue makes durable after every attempt; all of a message's outcomes in order, laid over its
 * envelope, are its present state and its story. */
#pragma once

#include "core/mail/envelope.h"

enum outcome_kind {
    OUTCOME_DELIVERED = 1, /* final: in a mailbox here, or a program took it */
    OUTCOME_RELAYED = 2,   /* final: the next hop took responsibility */
    OUTCOME_EXPANDED = 3,  /* final: an alias or list; its members are new recipients */
    OUTCOME_DEFERRED = 4,  /* to be tried again at `next` */
    OUTCOME_FAILED = 5,    /* final: a failure report is due */
    OUTCOME_EXPIRED = 6,   /* final: given up after too long; a failure report is due */
    OUTCOME_REMOVED = 7,   /* final: an operator removed it; nobody is told */
    OUTCOME_HELD = 8,      /* an operator holds it: not tried until released */
    OUTCOME_RELEASED = 9,  /* no longer held; due at once */
    OUTCOME_NOTIFIED = 10, /* a delay notice has gone to the sender */
    OUTCOME_REPORTED = 11, /* the failure or success report due has been made durable */
};

/* RFC 3463, "5.1.1". class 0: none known. */
struct status_code {
    uint8_t class;
    uint16_t subject;
    uint16_t detail;
};

/* A member that an expansion brought. */
struct outcome_child {
    struct str address;
    struct str sender; /* reverse-path for this recipient alone, from an owner- alias; empty: the
                          envelope's */
};

#define OUTCOME_ALL_RCPTS UINT32_MAX

struct outcome {
    uint32_t
        rcpt; /* index: the envelope's recipients, then expansions' children in order of record */
    enum outcome_kind kind;
    struct instant at;
    struct instant next;       /* DEFERRED: when it is tried again */
    struct status_code status; /* for reports */
    uint16_t reply_code;       /* the other side's, or 0 */
    bool passed_on;  /* RELAYED: the next hop does DSN itself; no "relayed" report is due */
    bool by_unheard; /* RELAYED: the next hop knows nothing of the time to deliver by (RFC 2852) */
    struct str host; /* the next hop's name; empty: none was reached */
    struct endpoint peer;
    struct str site;                /* the queue's name for where it goes; empty: not yet routed */
    struct str text;                /* the other side's full reply, or our reason, in words */
    struct outcome_child *children; /* EXPANDED */
    size_t child_count;
};

/* Self-delimiting, so that records may be joined end to end. */
void outcome_encode(struct buf *out, const struct outcome *o);
/* Takes the next outcome off `*bytes`; slices point into them. 1: got one; 0: no more; -1: damaged.
 */
NODISCARD int outcome_decode(struct str *bytes, struct arena *arena, struct outcome *o);
bool outcome_is_final(enum outcome_kind kind);
/* Whether they say the same of two recipients. Expansions never do. */
bool outcome_alike(const struct outcome *a, const struct outcome *b);
