/* login.h: finding out who a user is, by SASL (RFC 4422, RFC 4954). A step may wait for a password
 * hash or for another server, so each is an asynchronous operation. Null in struct ports: nobody
 * can log in. */
#pragma once

#include "core/base/buf.h"
#include "core/base/ip.h"

enum login_result {
    LOGIN_MORE,      /* `challenge` goes to the client, whose response is the next step */
    LOGIN_YES,       /* `user` is who it is */
    LOGIN_NO,        /* 535: wrong; it never says whether the name or the password was */
    LOGIN_MALFORMED, /* 501: not what the mechanism or base64 allows */
    LOGIN_LATER,     /* 454: no answer can be had now (no memory, no users' file) */
    LOGIN_BLOCKED,   /* 454: too many failures from this address or for this name */
};

/* What a mechanism may rest on. Texts are borrowed for the call. */
struct login_facts {
    struct ip peer;
    struct str hostname;  /* ours */
    bool encrypted;       /* TLS: mechanisms that show the password are offered */
    struct str exporter;  /* the connection's tls-exporter (RFC 9266), 32 bytes; empty: none */
    struct str mechanism; /* any case */
};

struct login {
    void (*stepped)(struct login *login); /* after each step, never from inside it */
    enum login_result result;
    struct buf challenge; /* base64; the implementer's, good until the next step or end */
    struct str user;      /* YES: the name; likewise */
    void *impl;
};

struct logins {
    /* Appends the mechanisms, with a blank before each. */
    void (*mechanisms)(struct logins *logins, const struct login_facts *facts, struct buf *out);
    /* 0, -ENOTSUP: no such mechanism, or not without TLS; -ENOMEM. */
    int (*begin)(struct logins *logins, struct login *login, const struct login_facts *facts);
    /* `response`: base64 as the client sent it, copied. One step at a time. */
    void (*step)(struct logins *logins, struct login *login, struct str response);
    /* The exchange is over, or is given up; `stepped` does not run any more. Fine twice. */
    void (*end)(struct logins *logins, struct login *login);
};
