/* config.h: the configuration as the program uses it: every value checked, every default filled in,
 * units in the names or types. One is loaded whole, never changed after, and shared by all loops: a
 * reload makes a new one. Holders count themselves; the last one frees it. */
#pragma once

#include "core/base/arena.h"
#include "core/base/instant.h"
#include "core/base/ip.h"
#include "core/mail/allowance.h"
#include "core/mail/completion.h"
#include "core/mail/tls_policy.h"
#include "core/smtp/sasl.h"

#include <stdatomic.h>

enum listen_mode { LISTEN_MX, LISTEN_SUBMISSION, LISTEN_LMTP };
enum config_asker { ASK_NEVER, ASK_NETWORKS, ASK_ANYONE }; /* who may VRFY and EXPN */
enum complete_what { COMPLETE_HOSTS, COMPLETE_NAMES, COMPLETE_NOTHING };
enum complete_whose { COMPLETE_SUBMISSION, COMPLETE_NETWORKS };
enum helo_policy { HELO_NOTE, HELO_REJECT };
/* Whether the way of an inbound message is judged, and where that is told: in the log, or in an
 * Authentication-Results field too. */
enum submitter_policy { SUBMITTERS_SHOWN, SUBMITTERS_HIDDEN };
enum trace_policy { TRACE_POLICY_OFF, TRACE_POLICY_NOTE, TRACE_POLICY_HEADER };
enum line_endings { LINES_STRICT, LINES_NORMALISE };
enum long_lines { LONG_KEEP, LONG_REFUSE };
enum log_format { LOG_FORMAT_AUTO, LOG_FORMAT_TEXT, LOG_FORMAT_JSON };
enum tls_keys { TLS_KEYS_APART, TLS_KEYS_WORKER }; /* where private keys are held */
enum relay_rule { RELAY_NETWORKS, RELAY_OPEN };    /* `relay: open-relay-i-know` is RELAY_OPEN */

enum listen_tls { LISTEN_TLS_OFFERED, LISTEN_TLS_IMPLICIT, LISTEN_TLS_NONE };

/* What a connection that comes in is for. */
struct listen_kind {
    enum listen_mode mode;
    enum listen_tls tls;
};

struct config_listen {
    struct endpoint at;
    struct str local_path; /* instead: a local socket (lmtp) */
    struct listen_kind kind;
};

/* A certificate chain and its key, as files in PEM. */
struct config_certificate {
    struct str chain, key;
};

/* A private key that signs mail from a domain (RFC 6376). */
struct config_dkim_key {
    struct str domain, selector; /* in lower case and A-labels */
    struct str file;
    enum { DKIM_BELOW_SIGN, DKIM_BELOW_NEVER } subdomains; /* that have no key of their own */
    enum { DKIM_USE_MAIL, DKIM_USE_TLS_REPORTS } use;
    struct span expire; /* after which a signature counts no more; 0: it never ends */
    struct str fields;  /* names with colons; empty: the usual ones (core/mailauth/sign.h) */
};

/* How a mailbox is reached, from "maildir:PATH", "mbox:PATH", "lmtp:HOST:PORT", "lmtp:unix:PATH",
 * "pipe:PROGRAM ARG ...", "discard:", "system" or "system:PATH". In paths and arguments {domain},
 * {local}, {user}, {tag}, {sender} stand for parts of the address. */
enum mailbox_kind {
    MAILBOX_MAILDIR,
    MAILBOX_MBOX,
    MAILBOX_LMTP,
    MAILBOX_PIPE,
    MAILBOX_DISCARD,
    MAILBOX_SYSTEM, /* of users of this host, delivered as each of them (postman/postman.h) */
};
struct config_mailboxes {
    enum mailbox_kind kind;
    /* template: maildir, mbox, local socket of lmtp. system: an mbox, or a Maildir where "/" ends
     * it; "~/" begins what is in the user's home, {user} is the name */
    struct str path;
    struct str host; /* lmtp: a name or an address in text */
    uint16_t port;
    struct str *argv; /* pipe: templates */
    size_t argc;
};

/* One entry of an alias file (aliases(5)), its targets read: :include: files are laid in. */
enum alias_target_kind { ALIAS_ADDRESS, ALIAS_FILE, ALIAS_PIPE };
struct alias_target {
    enum alias_target_kind kind;
    struct str text; /* address ("local" or "local@domain"), path, or command line */
};
struct alias {
    struct str name; /* the left side in lower case: "local", or "local@domain" */
    struct alias_target *targets;
    size_t target_count;
};

struct config_user {
    struct str local;     /* in lower case */
    struct str full_name; /* for VRFY; empty: unknown */
};

struct config_domain {
    struct str name; /* in lower case, A-labels */
    struct config_mailboxes mailboxes;
    bool any_user;             /* users: ["*"] */
    struct config_user *users; /* sorted by local */
    size_t user_count;
    struct alias *aliases; /* sorted by name */
    size_t alias_count;
    struct config_file *alias_files; /* that its alias file includes */
    struct str catch_all;            /* address that takes unknown local parts; empty: none */
    char tag_separator;              /* sub-addressing; '\0': none. Default '+' */
};

/* A way that is not MX by DNS. The first match wins. `match`: a domain, ".domain" for its
 * subdomains, or "*". */
enum transport_kind {
    TRANSPORT_SMTP,
    TRANSPORT_LMTP,
    TRANSPORT_LMTP_LOCAL,
    TRANSPORT_MX,
    TRANSPORT_DISCARD,
    TRANSPORT_ERROR
};
struct config_transport {
    struct str match;
    enum transport_kind kind;
    struct str
        host; /* a name, or an address in text; MX: whose MX records are used; ERROR: the text */
    uint16_t port;     /* 0: the default */
    struct str path;   /* LMTP_LOCAL */
    bool implicit_tls; /* smtps:// */
};

/* Reports to other domains about TLS towards them (RFC 8460). */
struct config_tls_reports {
    enum { TLS_REPORTS_SEND, TLS_REPORTS_NEVER } use;
    struct str from;   /* an address; empty: postmaster at our host name */
    struct span every; /* a day, but for tests */
};

enum mta_sts_use { MTA_STS_USE, MTA_STS_NEVER };

/* How mail to these domains must travel; the first match wins. `match` as in a transport. */
struct config_tls_rule {
    struct str match;
    struct tls_policy policy;
};

/* Where users who may log in are kept. What a kind does not use is empty. */
enum store_kinds {
    STORE_FILE,
    STORE_SQLITE,
    STORE_POSTGRESQL,
    STORE_LDAP,
    STORE_PAM,
    STORE_DOVECOT,
    STORE_INTROSPECTION, /* of tokens; the others are of passwords */
    STORE_KINDS
};
enum { CONFIG_STORES_MAX = 17 }; /* `file`, and 16 of the list */
struct config_store {
    enum store_kinds kind;
    struct str name;  /* for people: "sqlite:/srv/users.db" */
    struct str place; /* a path (file, sqlite, dovecot), a connection (postgresql), a URL (ldap,
                       * introspection), a service's name (pam) */
    struct str query; /* sqlite, postgresql */
    struct str base, filter;            /* ldap: where and how a user is found… */
    struct str bind_dn, password_file;  /* …and as whom */
    struct str dn;                      /* ldap: instead, the user's own name there */
    struct str authorities;             /* ldap, introspection: a file; empty: the system's */
    struct str client_id;               /* introspection: as whom we ask, with `password_file` */
    struct str claim;                   /* introspection: the member that has the user's name */
    struct str scope, audience, issuer; /* introspection: what a token must have; empty: any */
    struct str discovery;               /* introspection: the URL that clients are told */
    struct span cache; /* introspection: how long a good token is not asked for again; 1 min */
    enum { STORE_TLS_NO, STORE_TLS_START } tls; /* ldap: StartTLS */
    struct span timeout;                        /* of one question; 5 s */
};

/* What a user who logs in may write as. Patterns: an address, "@domain", "*". */
struct config_send_as {
    struct str user; /* in lower case */
    struct str *patterns;
    size_t pattern_count;
};

/* What a user who has logged in may send. */
struct config_user_limits {
    struct str user;          /* as allowance_name() has it; empty: everybody else */
    struct allowance an_hour; /* messages and recipients; 0: any number */
    uint64_t size; /* octets of a message; 0: limits.message, which is the most for all */
};

/* What is done about a header that says of a user's message that it is another's. */
enum author_check { AUTHORS_CHECKED, AUTHORS_LOGGED, AUTHORS_FREE };

struct config_limits {
    uint64_t message;            /* octets; 50 MiB */
    uint32_t recipients;         /* per transaction; 1000 */
    uint32_t connections;        /* in all; 20000 */
    uint32_t client_connections; /* from one address that is not in `networks`; 50; 0: any number */
    uint32_t errors;             /* bad commands before 421; 20 */
    uint32_t empty_commands;     /* NOOP, RSET, VRFY… without a message before 421; 200 */
    struct span future_release; /* how long a sender may have mail held back; 30 d; 0: not at all */
    struct span deliver_by; /* the least time after which a sender may have it returned; 1 s; 0: no
                             * time may be set */
    uint32_t received;      /* Received lines before 5.4.6; 100 */
    struct span idle;       /* waiting for a command; 5 min (RFC 5321 4.5.3.2.7) */
    struct span data_idle;  /* waiting for the next piece of a message; 5 min */
};

struct config_queue {
    struct span *retry; /* after attempt n wait retry[n]; the last repeats */
    size_t retry_count;
    struct span expire;
    struct span delay_notice;     /* 0: none */
    struct span history;          /* how long finished messages' stories stay; 7 days */
    uint64_t history_size;        /* bytes; 256 MiB */
    uint32_t active;              /* messages being worked on at once; 10000 */
    uint32_t site_connections;    /* most connections to one site; 20 */
    uint32_t connection_messages; /* messages over one connection; 1000 */
    struct str bounce_postmaster; /* gets what cannot be bounced; empty: nobody */
};

/* RFC 5321 4.5.3.2, as a client. */
struct config_deliver {
    uint16_t port;              /* 25 */
    struct ip source4, source6; /* IP_NONE: the system's choice */
    bool no_ipv4, no_ipv6;
    struct span connect, greeting, helo, mail, rcpt, data_init, data_block, data_done, quit;
    uint32_t transaction_recipients; /* at most so many RCPTs in one transaction; 100 */
    struct span pipe;                /* a program's time; 5 min */
    uint32_t uid_min;                /* system users below it get no mail; 1000 */
    struct span connection_idle;     /* an unused connection is kept for so long; 5 s */
    uint16_t https_port;             /* of the web servers that have policies (MTA-STS) */
    struct span mta_sts;             /* how long a policy that is not known yet is waited for */
};

/* A file that the configuration names, or names by one of those. */
struct config_file {
    struct str path;
    struct config_file *next;
};

struct config {
    struct arena arena;  /* everything below */
    atomic_uint holders; /* its maker is the first; 0: not counted (somebody's own memory) */
    bool sandbox;        /* no file was given: any recipient, nothing leaves */

    struct config_file *files; /* in no order */

    struct str hostname;
    struct str user; /* "name" or "name:group" that root's workers become; empty: the usual one */
    struct str spool_path;
    uint64_t spool_reserve;
    struct str control_path;
    enum log_format log_format;
    int log_level;           /* enum log_level */
    struct str *dns_servers; /* "192.0.2.1@53"; none: the system's */
    size_t dns_server_count;
    struct str trust_anchor;
    uint32_t loops; /* 0: one per core */

    struct config_listen *listens;
    size_t listen_count;
    struct network *networks; /* who may relay */
    size_t network_count;
    struct config_domain *domains; /* sorted by name */
    size_t domain_count;
    struct config_transport *transports;
    size_t transport_count;
    struct config_certificate *certificates; /* none: one signed by itself is made */
    size_t certificate_count;
    enum tls_keys tls_keys;
    struct str authorities;            /* a file of those believed; empty: the system's */
    struct config_dkim_key *dkim_keys; /* none: nothing is signed */
    size_t dkim_key_count;
    enum mta_sts_use mta_sts;
    struct config_tls_reports tls_reports;
    struct config_tls_rule *tls_rules;
    size_t tls_rule_count;
    enum relay_rule relay;
    struct config_store *stores; /* who may log in; none: nobody */
    size_t store_count;
    struct str users_file;          /* the first store that is a file; empty: none */
    sasl_set mechanisms;            /* that they may log in by */
    bool send_as_any;               /* a user may write as anybody */
    struct config_send_as *send_as; /* sorted by user; beside the user's own addresses */
    size_t send_as_count;
    struct config_user_limits user_limits;    /* 500 messages to 2,000 recipients */
    struct config_user_limits *limited_users; /* who have others; sorted by user */
    size_t limited_user_count;
    enum author_check author_check; /* whether that holds for the header too */

    struct {
        enum complete_what what;
        enum complete_whose whose; /* beside that of users who log in */
        struct str domain;         /* empty: the usual one */
    } complete;
    struct completion completion; /* what follows from it, config_set_completion() */

    enum helo_policy helo;
    enum trace_policy trace;
    enum submitter_policy submitters;
    enum config_asker vrfy, expn;
    enum line_endings line_endings;
    enum long_lines long_lines;
    struct config_limits limits;
    struct config_queue queue;
    struct config_deliver deliver;
};

const struct config *config_hold(const struct config *config); /* from any loop */
void config_drop(const struct config *config);                 /* from any loop; null is fine */

/* The domain of that name (A-labels, any case), or null: it is not ours. In the sandbox every
 * domain is ours: its one entry is named "*". */
const struct config_domain *config_find_domain(const struct config *config, struct str name);
/* Of the user of that name (any case): his own, or those of everybody. */
const struct config_user_limits *config_find_user_limits(const struct config *config,
                                                         struct str user);
