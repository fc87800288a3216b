/* allowances.h: how much the users who have logged in may still send, on all loops together
 * (core/mail/allowance.h). Null in struct ports: nobody counts, and nobody is limited. All may be
 * called on any loop; names are borrowed for the call. */
#pragma once

#include "core/mail/allowance.h"

struct allowances {
    struct allowance_answer (*reserve)(struct allowances *all, const struct allowance_ask *ask);
    void (*settle)(struct allowances *all, struct str user, struct allowance reserved,
                   struct allowance taken);
    /* `user` empty: all. */
    struct allowance_state *(*list)(struct allowances *all, struct str user, struct arena *arena,
                                    size_t *count);
    bool (*reset)(struct allowances *all, struct str user);
};
