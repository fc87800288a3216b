/* ldap_text.h: a user's name in an LDAP filter (RFC 4515 section 3) and in a distinguished name
 * (RFC 4514 section 2.4). Pure. */
#pragma once

#include "core/base/buf.h"

/* Append `template`, where {user}, {local} and {domain} stand for the name and its parts, escaped
 * so that they are values and nothing else. */
void ldap_filter(struct buf *out, struct str template, struct str name);
void ldap_dn(struct buf *out, struct str template, struct str name);
