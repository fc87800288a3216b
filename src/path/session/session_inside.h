/* session_inside.h: a session, shared by the files that make it up. */
#pragma once

#include "core/mail/allowance.h"
#include "core/mail/envelope.h"
#include "path/policy/policy.h"
#include "path/session/header_filter.h"
#include "path/session/lookup.h"
#include "path/session/results_filter.h"
#include "path/session/session.h"
#include "path/session/tracing.h"

/* A message being received, from MAIL on. */
struct transaction {
    struct arena arena;
    struct envelope envelope; /* its array of recipients is of the heap, to grow in place */
    struct queue_id_text id_text;
    size_t rcpt_cap;
    struct draft *draft;
    bool outside; /* it comes from a host that is not ours */
    struct results_filter results;
    struct header_filter header;
    bool traced; /* its way is judged */
    struct tracing tracing;
    struct completion completion;
    bool lacks_sender; /* several wrote it, and no field tells which of them sent it */
    struct buf additions;
    uint32_t replies;          /* LMTP: one a recipient, duplicates too */
    struct allowance reserved; /* of the user's */
};

struct session {
    struct session_office *office;
    struct session_terms *terms; /* held */
    const struct config *config; /* of these terms */
    struct stream *stream;       /* null: the client is gone */
    struct list link;
    struct list turn;      /* of the office's yielders */
    struct list handshake; /* of the office's, until something has come by TLS */
    int64_t shaking_since_us;
    struct timer timer;
    int64_t moved_us; /* monotonic: when it last said a command or a piece of a message */
    uint32_t dripped; /* octets of a message since then */
    struct smtp_server server;
    struct policy_client client; /* what is known of it */
    struct arena arena;          /* names; small */
    struct str name;             /* verified; empty: not */
    struct str claimed;          /* by PTR, not verified */
    struct str helo;             /* "": none yet */
    struct lookup *reverse;      /* under way */
    struct lookup *helo_check;
    struct transaction *mail;    /* from MAIL on, else null */
    struct session_login *login; /* during AUTH, else null */
    struct buf unread;           /* came while an answer was open, or beyond a turn */
    uint32_t unread_from;        /* what stands before that in it has been read since */
    uint32_t messages;
    struct listen_kind kind;
    bool own;
    bool secure;     /* TLS, perhaps still in its handshake */
    bool pumping;    /* inside session_pump(): its end does what is due */
    bool blocked;    /* the draft takes no more for now */
    bool committing; /* the session must live until the commit's end */
    bool mail_waits; /* MAIL waits for the lookups */
    bool closing;    /* farewell said, or the client is gone */
    bool broken;     /* send nothing more */
    bool yielding;   /* it has more to say, when others have had their turn */
    bool thrown_out; /* by us, for what it did */
    bool said_quit;
    bool helo_unchecked; /* not the first name it gave: checked if mail comes under it */
    bool paused;
    bool ended;      /* the client will send no more, and may still wait for an answer */
    bool half_line;  /* a part of a command has come: more of it does not win time */
    const char *how; /* why it ended, for the log */
};

/* What a session offers depends on how private it is. */
enum terms_kind { TERMS_PLAIN, TERMS_STARTTLS, TERMS_PRIVATE, TERMS_COUNT };

/* …and on whose it is: a stranger's, of a client whose mail counts as submitted, or of one whose
 * addresses are made whole too. */
enum client_kind { CLIENT_STRANGER, CLIENT_SUBMITS, CLIENT_COMPLETED, CLIENTS };

/* What a configuration means for sessions: they share it. */
struct session_terms {
    const struct config *config; /* held */
    uint32_t holders;
    struct smtp_server_options options[CLIENTS][TERMS_COUNT];
};

/* Those of the office's configuration, held; null: no memory. */
struct session_terms *session_terms_take(struct session_office *office);
void session_terms_drop(struct session_terms *terms); /* null is fine */

/* From a network of ours, or to a listener for submission: there who may not send is refused. */
bool session_submits(const struct session *s);
/* What is offered to such a client, but for AUTH. */
const struct smtp_server_options *session_options(const struct session *s, enum terms_kind kind);

/* Sends what the machine said, feeds it what is unread, arms the timer, ends what is to be ended:
 * call it last, after anything that may let the session go on. The session may be gone afterwards.
 */
void session_go_on(struct session *s);
/* Goes on when it is this session's turn again. */
void session_yield(struct session *s);
/* Sends what the machine said. */
void session_flush(struct session *s);
const struct stream_events *session_events(void);
/* Ends the session at the end of the present pump. */
void session_close(struct session *s, const char *how);

/* The machine's events of a transaction. */
void transaction_on_mail(struct session *s, const struct command *c);
/* Asks the DNS whether the name of HELO is the client's; `helo_check` until that is known. */
void session_check_helo(struct session *s);
/* The lookups are done, or are not waited for: MAIL is answered. */
void transaction_answer_mail(struct session *s);
void transaction_on_rcpt(struct session *s, const struct command *c);
void transaction_on_data(struct session *s, bool asked);
void transaction_on_body(struct session *s, struct str body);
void transaction_on_end(struct session *s, const struct server_event *event);
/* It is over without a message; `reply`, if any, is said to the client by the machine. */
void transaction_on_abort(struct session *s, const struct smtp_reply *reply);
void transaction_free(struct session *s);

/* authors.c: is the message the client's own, by the fields that say whose it is? Yes where nobody
 * has logged in. False: `*refusal`, whose text is in the transaction's arena. Also finds out
 * whether it lacks a Sender. */
NODISCARD bool authors_judge(struct session *s, struct smtp_reply *refusal);
/* To a reverse-path that is not the user's. */
struct smtp_reply authors_sender_refusal(struct session *s);

/* The header lines put on top: what was found out of it, Received, and what a submitted message
 * lacks. */
void additions_format(struct buf *out, struct session *s);
