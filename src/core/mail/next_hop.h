/* next_hop.h: what routing decides for one recipient, as a value that the queue carries from the
 * route stage to the deliver stage. */
#pragma once

#include "core/base/ip.h"
#include "core/mail/outcome.h"
#include "core/mail/tls_policy.h"

enum hop_kind {
    HOP_SMTP,       /* to `hosts` in order */
    HOP_LMTP,       /* the same, by LMTP */
    HOP_LMTP_LOCAL, /* LMTP over the local socket `path` */
    HOP_MAILDIR,    /* into the Maildir `path` */
    HOP_MBOX,       /* onto the file `path` */
    HOP_PIPE,       /* to the program argv[0] */
    HOP_DISCARD,    /* nowhere, on purpose */
    HOP_SYSTEM,     /* to the system user argv[1], by the postman */
};

/* A host that may take the mail. Hosts come ordered: by preference, equals shuffled. */
struct hop_host {
    struct str name;   /* for the log and for TLS; the literal's text where `literal` is set */
    struct ip literal; /* IP_NONE: addresses of `name` are to be looked up */
    uint16_t preference;
};

struct next_hop {
    enum hop_kind kind;
    /* What the queue groups by: recipients with one site and one sender may share a transaction and
     * a connection. For SMTP "smtp:mx1.example,mx2.example:25" (hosts in order of preference and
     * then name), so domains that share their servers share a site; for mailboxes "maildir",
     * "mbox"… */
    struct str site;
    struct hop_host *hosts;
    size_t host_count;
    uint16_t port;
    struct tls_policy tls; /* SMTP */
    bool secure; /* the hosts' names are the configuration's, or DNSSEC validated them: unforged */
    struct str path;
    struct str *argv;
    size_t argc;
};

enum routing_verdict {
    ROUTING_HOP,    /* deliver to `hop` */
    ROUTING_EXPAND, /* an alias or list: `children` take its place (EXPANDED) */
    ROUTING_DEFER,  /* the DNS does not answer: try later */
    ROUTING_FAIL,   /* no such domain, no such user, null MX, loop… */
};

/* One step of the way, for `postrider route` and `why`. */
struct routing_step {
    struct str what; /* in words: "example.org has MX 10 mx1.example.org" */
};

struct routing {
    enum routing_verdict verdict;
    struct next_hop hop;
    struct outcome_child *children;
    size_t child_count;
    struct str
        address; /* the recipient as delivered to, where an alias rewrote it without expansion */
    struct status_code status; /* DEFER, FAIL */
    struct str text;           /* DEFER, FAIL: the reason in words */
    bool whole_domain;         /* so it is for every address of the domain */
    struct routing_step *steps;
    size_t step_count;
};
