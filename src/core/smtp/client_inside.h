/* client_inside.h: the steps of the client machine, shared by its files. */
#pragma once

#include "core/smtp/client.h"

/* The reply that is awaited, and once the body's turn has come, what is being sent. */
enum client_step {
    STEP_GREETING,
    STEP_EHLO,
    STEP_HELO,
    STEP_STARTTLS,
    STEP_SECURING, /* none: TLS begins */
    STEP_READY,
    STEP_MAIL,
    STEP_RCPT,
    STEP_DATA,  /* the reply to DATA */
    STEP_BODY,  /* none: the message is being sent after DATA */
    STEP_CHUNK, /* replies to BDAT; chunks are being sent */
    STEP_END,   /* the reply to the final dot or the last chunk; for LMTP, one a recipient */
    STEP_EMPTY, /* the reply to a lone dot: all recipients were refused, yet DATA was not */
    STEP_RSET,
    STEP_QUIT,
    STEP_CLOSED,
    STEP_COUNT,
};

/* Sends MAIL, and as much more as the server lets us send together. */
void client_send_mail(struct smtp_client *c);
/* Sends RCPT for recipient c->rcpt on: one, or without waiting all. */
void client_send_rcpt(struct smtp_client *c);
/* After the last RCPT's reply: DATA, or straight to the chunks. */
void client_send_data(struct smtp_client *c);
bool client_uses_chunks(const struct smtp_client *c);
/* The first recipient from `i` on that is still open. */
size_t client_next_open(const struct client_transaction *t, size_t i);
/* Control characters have no place in an address: one would end the command. */
bool client_text_is_safe(struct str text);
bool client_text_is_ascii(struct str text);

/* A result from the reply just read (its text copied), or without one. */
struct client_result client_result_of_reply(struct smtp_client *c, enum client_verdict verdict);
struct client_result client_result_of(struct smtp_client *c, enum client_verdict verdict,
                                      enum client_cause cause);
/* Gives the result to every recipient that is still open. */
void client_settle(struct smtp_client *c, struct client_result result);
/* Ends the session: what is open gets the result, temporary unless it is a plain refusal. */
void client_close(struct smtp_client *c, struct client_result result);
/* Ends the transaction; `step` is what comes next. */
void client_end_transaction(struct smtp_client *c, enum client_step step);
