/* allowance.h: a user's hourly limits, kept to by his sessions (port/allowances.h).
 *
 * What is refused gets 450 4.7.1, as Postfix's rate limits do: 452 to RCPT would mean that the rest
 * may follow at once in another transaction (RFC 5321 4.5.3.1.10). */
#pragma once

#include "core/mail/allowance.h"
#include "core/smtp/reply.h"

struct session;

/* Reserves for the message that is coming in. False: `*refusal` is to be said; its text lives as
 * long as the transaction. Always, where nobody has logged in. */
NODISCARD bool allowance_grants(struct session *s, struct allowance amount,
                                struct smtp_reply *refusal);
/* The message is taken, or (nothing) is not: what is reserved for it is given back but for that. */
void allowance_settle_mail(struct session *s, struct allowance taken);
