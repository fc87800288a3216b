/* ledger.h: what was promised, and what came of it. Clients write down each message that they
 * offer; mailboxes and other servers what arrives. It is the judge: nothing may arrive that was not
 * offered, or otherwise than it was offered; no message may be reported about that must not be;
 * what was acknowledged must arrive or be reported in the end. */
#pragma once

#include "core/base/buf.h"
#include "core/base/str.h"

enum { PROMISE_RCPTS = 4, PROMISES = 400 };

struct promise_rcpt {
    char address[48];
    bool accepted;     /* RCPT was answered 250 */
    bool lies;         /* goes to a server that says 250 and takes nothing */
    unsigned arrived;  /* copies */
    unsigned reported; /* failure reports that came to the sender */
};

struct promise {
    char sender[48];     /* empty: the null reverse-path */
    bool sender_reached; /* a report to it must arrive */
    struct promise_rcpt rcpts[PROMISE_RCPTS];
    unsigned rcpt_count;
    size_t size;  /* octets of the message */
    bool offered; /* its end was sent, so it may have been taken */
    bool acknowledged;
    unsigned counted; /* the number the ledger gave it */
};

struct ledger {
    struct promise promises[PROMISES];
    unsigned count;
    unsigned excuses;  /* troubles after which a message may have been sent twice */
    bool only_looking; /* what arrives is judged, and not counted: it will be, in the end */
    unsigned arrivals, reports, acknowledged;
};

/* Null: it is full. The message's number is its place from 1. */
struct promise *ledger_new(struct ledger *l, size_t size);
/* The message as it is to be sent, CRLF ended, dots not doubled. */
void ledger_text(struct buf *out, const struct promise *p);
/* A copy for `rcpt` arrived. Line ends may be LF alone. Judged at once. */
void ledger_arrived(struct ledger *l, const char *rcpt, struct str message);
/* Everything has come to rest. */
void ledger_settle(const struct ledger *l);
