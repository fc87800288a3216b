/* client.h: the client's side of an SMTP or LMTP session (RFC 5321, RFC 2033), as a machine without
 * I/O. It is fed what the server sends and appends what is to be sent to `out`; after every call
 * the caller sends and clears that, and looks at smtp_client_state(). Over one session go any
 * number of transactions; each ends with a result for every recipient.
 *
 * A reply that is no SMTP, a 421 at any time, and a reply where none may come end the session; what
 * is still open then has failed temporarily. Memory: this struct, what is in `out` (a group of
 * commands, or an encoded piece of body), and the texts of results in the transaction's arena. */
#pragma once

#include "core/base/arena.h"
#include "core/base/buf.h"
#include "core/mail/envelope.h"
#include "core/smtp/data_encode.h"
#include "core/smtp/peer.h"
#include "core/smtp/reply_reader.h"

/* What is being waited for: each has its own time-out (RFC 5321 4.5.3.2). */
enum client_phase {
    PHASE_GREETING,
    PHASE_HELO,
    PHASE_STARTTLS,
    PHASE_MAIL,
    PHASE_RCPT,
    PHASE_DATA_INIT,
    PHASE_DATA_BLOCK, /* sending the message; also a reply to a chunk of BDAT */
    PHASE_DATA_DONE,  /* the message is out whole */
    PHASE_RSET,
    PHASE_QUIT,
    PHASE_READY, /* for nothing: between transactions */
};

enum client_state {
    CLIENT_TALKING, /* replies are awaited */
    CLIENT_SECURE,  /* STARTTLS was accepted: the handshake, then smtp_client_secured() */
    CLIENT_READY,   /* smtp_client_start() or smtp_client_quit() */
    CLIENT_BODY,    /* the next piece of the message: smtp_client_body() */
    CLIENT_CLOSED,  /* over: close the connection */
};

enum client_verdict { VERDICT_OPEN, VERDICT_ACCEPTED, VERDICT_TEMPORARY, VERDICT_PERMANENT };

/* Why: the words for all but a reply are the caller's. */
enum client_cause {
    CAUSE_REPLY,      /* `code` and `text` are the server's */
    CAUSE_LOST,       /* the connection ended, as the caller told */
    CAUSE_NO_SMTP,    /* what came is no SMTP */
    CAUSE_UNEXPECTED, /* SMTP, but a reply that makes no sense here: `text` */
    CAUSE_SELF,       /* the server bears our own name: a loop */
    CAUSE_TOO_BIG,    /* larger than the SIZE that the server takes */
    CAUSE_8BIT, /* the server lacks 8BITMIME, BINARYMIME, SMTPUTF8, and the message needs it */
    CAUSE_BINARY,
    CAUSE_UTF8,
    CAUSE_NO_TLS, /* TLS is required and not to be had: the reply to STARTTLS, or empty: not offered
                   */
    CAUSE_NO_REQUIRETLS, /* the message demands a server that keeps it private further on */
    CAUSE_NO_DELIVERBY,  /* mode R of RFC 2852, and the server does not know it, */
    CAUSE_BY_TOO_SOON,   /* or takes no mail with so little time left; */
    CAUSE_BY_OVER,       /* no whole second is left; LMTP: nothing is */
    CAUSE_SYNTAX,        /* an address holds what no command may */
    CAUSE_MEMORY,
};

struct client_result {
    enum client_verdict verdict;
    enum client_cause cause;
    enum client_phase phase; /* in which it came about */
    uint16_t code;           /* CAUSE_REPLY */
    struct status_code status;
    struct str text; /* the full reply */
    bool passed_on;  /* ACCEPTED: the server does DSN itself */
    bool by_unheard; /* ACCEPTED: there was a time to deliver by, of which the server knows nothing
                      */
    bool other_host; /* TEMPORARY: nothing was said of the recipient, and the server cannot have
                        taken the message: another host may be tried at once */
    bool again;      /* TEMPORARY: too many recipients for one transaction: may go with the next */
};

struct client_rcpt {
    struct str address;
    struct str orcpt; /* as in struct envelope_rcpt */
    uint8_t notify;
    bool taken; /* the machine's: RCPT was accepted */
    struct client_result result;
};

/* All is borrowed until the transaction is over. Results' texts are put into `arena`. */
struct client_transaction {
    struct arena *arena;
    struct str sender;
    enum envelope_body body;
    bool require_tls;     /* SMTP only: no server without REQUIRETLS gets it */
    bool smtputf8;        /* ask for it; without it no address may need it (5.6.7) */
    int8_t priority;      /* told to servers with MT-PRIORITY, unless it is 0 */
    struct deliver_by by; /* what is left of it now; mode R: only to servers with DELIVERBY */
    uint64_t size;        /* octets, line ends as CRLF */
    enum dsn_ret ret;
    struct str envid;
    struct client_rcpt *rcpts;
    size_t rcpt_count;
    bool heard; /* a reply came: before that, a connection used before may just have been stale */
    bool ended; /* the whole message was sent: the server may have it, whatever the results say */
};

enum { CLIENT_NAME_MAX = 255 };

struct smtp_client {
    struct buf out; /* to be sent; the caller clears it */
    struct smtp_peer peer;
    struct client_transaction *transaction; /* under way; null: none */
    uint32_t turns;                         /* whole replies taken so far: signs of life */
    uint32_t transactions;                  /* begun with MAIL in this session */
    struct client_result failure; /* CLOSED before it was ever READY: why; else verdict OPEN */

    /* Set after init: STARTTLS is used where it is offered; without it no mail goes (RFC 3207). */
    bool tls_wanted, tls_required;
    bool secured; /* TLS is in use: set it at once where it is implicit */

    /* The machine's own. */
    bool lmtp;
    uint8_t step;
    bool greeted_as_self;
    bool mail_refused;
    bool last_sent;          /* the last chunk of BDAT */
    uint32_t chunks_waiting; /* chunks but the last, without a reply yet */
    size_t rcpt;             /* whose reply is awaited */
    size_t accepted;
    struct client_result mail_result; /* with mail_refused: what all recipients get */
    struct data_encoder encoder;
    struct buf chunk;
    struct buf failure_text;
    struct reply_reader reader;
    size_t name_len;
    char name[CLIENT_NAME_MAX + 1];
};

/* `name` is ours, for EHLO; copied. The first thing is to wait for the greeting. */
void smtp_client_init(struct smtp_client *c, bool lmtp, struct str name);
void smtp_client_done(struct smtp_client *c);

enum client_state smtp_client_state(const struct smtp_client *c);
enum client_phase smtp_client_phase(const struct smtp_client *c);

/* Bytes from the server, cut up however. */
void smtp_client_feed(struct smtp_client *c, struct str bytes);
/* SECURE only: what the server said before is forgotten, EHLO is sent anew (RFC 3207 4.2). */
void smtp_client_secured(struct smtp_client *c);
/* The connection ended or is given up: it is closed without a final dot, if that has not gone. */
void smtp_client_lost(struct smtp_client *c);

/* READY only. Where the transaction cannot be had from this server it is over at once, without a
 * byte sent, and the client is READY still. Recipients whose result is not OPEN are passed over. */
void smtp_client_start(struct smtp_client *c, struct client_transaction *t);
/* The next piece of header and body, in BODY only; at most 64 KiB, so that chunks stay small. The
 * `last` may be empty. */
void smtp_client_body(struct smtp_client *c, struct str piece, bool last);

/* READY only. CLOSED follows when the server has answered. */
void smtp_client_quit(struct smtp_client *c);
