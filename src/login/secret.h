/* secret.h: what the salts of users that are not there are derived from. Kept in the server's own
 * folder, so that such a salt is the same after a restart, as a real one is. */
#pragma once

#include "core/base/map.h"

struct login_secret {
    struct hash_seed seeds[2];
};

/* Reads `folder`/login-secret, or makes it (mode 0600). 0 or -errno. Blocks. */
NODISCARD int login_secret_get(struct str folder, struct login_secret *secret);
