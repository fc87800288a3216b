/* sasl.h: the SASL mechanisms that users may log in by, as one table (RFC 4422, RFC 4616, RFC 5802,
 * RFC 7628, RFC 7677). Pure: what is said inside an exchange is elsewhere. */
#pragma once

#include "core/base/str.h"

/* In the order in which they are offered: many clients take the first that they know. */
enum sasl_kind {
    SASL_SCRAM_SHA_256_PLUS,
    SASL_SCRAM_SHA_256,
    SASL_SCRAM_SHA_1_PLUS,
    SASL_SCRAM_SHA_1,
    SASL_OAUTHBEARER,
    SASL_XOAUTH2,
    SASL_PLAIN,
    SASL_LOGIN,
    SASL_KINDS
};

/* A set of them: a bit for each, 1 << kind. */
typedef uint32_t sasl_set;
#define SASL_ONE(kind) ((sasl_set)1 << (kind))
#define SASL_ALL (((sasl_set)1 << SASL_KINDS) - 1)

struct sasl_mechanism {
    struct str name;
    bool shows_secret; /* to the server, so only under TLS */
    bool binds;        /* to the TLS connection */
    bool server_first; /* asks before it is told, also where the client was quick */
};

extern const struct sasl_mechanism sasl_mechanisms[SASL_KINDS];

/* By name, in any case; SASL_KINDS: none. */
enum sasl_kind sasl_find(struct str name);

/* Of `set` those that may be used on a connection: `encrypted` by TLS, and `bindable`. */
sasl_set sasl_usable(sasl_set set, bool encrypted, bool bindable);
