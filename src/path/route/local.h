/* local.h: what the configuration alone says of an address: whose it is, whether the mailbox
 * exists, what it stands for. No DNS. Used by routing and by what a session may answer (RCPT, VRFY,
 * EXPN). */
#pragma once

#include "config/config.h"
#include "core/base/arena.h"
#include "core/mail/next_hop.h"

enum local_verdict {
    LOCAL_NOT_OURS, /* the domain is another's */
    LOCAL_UNKNOWN,  /* ours, and no such local part: 5.1.1 */
    LOCAL_MAILBOX,  /* a mailbox: `user` */
    LOCAL_ALIAS,    /* an alias, list or catch-all: `alias` or `single` */
};

struct local_answer {
    enum local_verdict verdict;
    const struct config_domain *domain;
    const struct config_user *user; /* null: any user is one (users: ["*"]) */
    const struct alias *alias;
    struct str single; /* LOCAL_ALIAS without an alias: the one address it stands for */
    struct str local;  /* the local part as the mailbox's name, unquoted, tag removed, lower case */
    struct str tag;    /* what followed the separator; empty: none */
    bool no_memory;    /* the verdict is not to be relied on: try later */
    struct str owner;  /* of an alias: "owner-NAME@domain" where that exists: the reverse-path for
                          its members */
};

/* `address` as core/mail/mailbox.h prints it. "postmaster" always exists in every domain of ours
 * (RFC 5321 4.5.1), and as <postmaster> of our host name: where no user or alias is of that name,
 * an alias to the bounce postmaster, else to the domain's first user, else to the first domain's
 * that has one. "\local@domain", which expansions bring, is that mailbox whatever aliases say. */
void local_find(const struct config *config, struct str address, struct arena *arena,
                struct local_answer *answer);

/* The members of an alias, one level, in order, duplicates removed; targets without a domain get
 * the alias's domain. Files and pipes come as "/path" and "|command": for people to read, for
 * "/path@domain" and "|command@domain" are also mailboxes that any client may name. Null on no
 * memory. */
struct str *local_members(const struct local_answer *answer, struct arena *arena, size_t *count);

/* The same as recipients for route_start(): what only an alias may bring begins with a backslash,
 * as no mailbox does: "\/path", "\|command", "\local@domain" (that mailbox itself). */
struct str *local_targets(const struct local_answer *answer, struct arena *arena, size_t *count);
