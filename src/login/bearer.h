/* bearer.h: what a client says who shows a token: OAUTHBEARER (RFC 7628 section 3.1) and Google's
 * older XOAUTH2. Pure. */
#pragma once

#include "core/base/buf.h"

enum { BEARER_TOKEN_MAX = 8192 };

/* `message`, decoded from base64. `token` is a slice of it, `user` (appended to) whom the client
 * claims to be, empty where it does not say. False: malformed. */
NODISCARD bool bearer_parse(struct str message, bool xoauth2, struct buf *user, struct str *token);
/* Why a token is not taken, in the JSON that clients understand (RFC 7628 section 3.2.2). `scope`
 * and `discovery` empty: left out. They are of the configuration, in printable ASCII. */
void bearer_refuse(struct buf *out, bool xoauth2, struct str scope, struct str discovery);
