/* policy.h: who may send what to whom (RFC 5321 3.6, 7). Judgements over the configuration and what
 * was found out about the client; no DNS is asked here. */
#pragma once

#include "config/config.h"
#include "core/dns/hostcheck.h"
#include "core/smtp/command.h"
#include "core/smtp/reply.h"

/* What is known of a client. Texts are borrowed. */
struct policy_client {
    const struct config *config;
    struct ip ip; /* IP_NONE: a local socket, which counts as an own network */
    enum listen_mode mode;
    enum hostcheck_reverse_finding reverse;
    enum hostcheck_helo_finding helo;
    struct str user; /* who has logged in; empty: nobody */
};

/* From one of `networks`: may relay, and what it sends counts as submitted. */
bool policy_is_own(const struct policy_client *client);
/* May this client send mail, and from this reverse-path? ANSWER_OK or the refusal. */
NODISCARD enum answer policy_mail(const struct policy_client *client, struct str reverse_path);
/* May the user who has logged in write as this address? Always, where nobody has. */
NODISCARD bool policy_may_write_as(const struct policy_client *client, struct str address);

/* Whether what it sends is made whole (RFC 6409 4.2), and with what: the user's own domain where it
 * is one of ours, else the configuration's. */
bool policy_completes(const struct policy_client *client);
struct completion policy_completion(const struct policy_client *client);

/* A recipient: ANSWER_RCPT_OK or the refusal; `*address` becomes the envelope's form of it, in
 * `arena` (ANSWER_NO_MEMORY where that failed). <postmaster> without a domain becomes the first own
 * domain's. */
NODISCARD enum answer policy_rcpt(const struct policy_client *client, const struct path *path,
                                  struct arena *arena, struct str *address);

/* The replies to VRFY and EXPN (RFC 5321 3.5); texts in `arena`. `utf8`: the client said SMTPUTF8.
 */
struct smtp_reply policy_vrfy(const struct policy_client *client, struct str what, bool utf8,
                              struct arena *arena);
struct smtp_reply policy_expn(const struct policy_client *client, struct str what, bool utf8,
                              struct arena *arena);
