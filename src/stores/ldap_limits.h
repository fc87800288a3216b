/* ldap_limits.h: what libldap does not promise by itself. A connection ends when the question's
 * time is over, also in the midst of a TLS handshake, and when the server has said more than a
 * judgement needs. */
#pragma once

#include "stores/store.h"

#include <ldap.h>

enum { LDAP_HEARD_MAX = 1 << 20 }; /* octets, TLS's included */

struct ldap_limits {
    const struct store_question *question;
    size_t heard;
    struct ldap_conncb callback;
};

/* For all connections of `ld`; `limits` must outlive it. False: no memory. */
NODISCARD bool ldap_limits_set(LDAP *ld, struct ldap_limits *limits,
                               const struct store_question *question);
