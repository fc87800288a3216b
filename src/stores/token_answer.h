/* token_answer.h: what a server says of a token (RFC 7662 section 2.2), judged. Pure. */
#pragma once

#include "config/config.h"
#include "core/base/buf.h"

enum token_verdict {
    TOKEN_GOOD,
    TOKEN_BAD,      /* not active, not for us, or over */
    TOKEN_NONSENSE, /* no such answer */
};

/* `now`: seconds since 1970. GOOD: the user's name is appended to `user`, and `*until` is when the
 * token ends (INT64_MAX: it is not said). */
NODISCARD enum token_verdict token_judge(struct str json, const struct config_store *rules,
                                         int64_t now, struct buf *user, int64_t *until);
