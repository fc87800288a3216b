/* written.h: an address as people write it in files: "local", where the domain goes without saying,
 * or "local@domain". */
#pragma once

#include "core/base/arena.h"

struct written_address {
    struct str text;   /* as core/mail/mailbox.h prints it; without domain where none was given */
    struct str local;  /* unquoted, in lower case: what users and aliases are found by */
    struct str domain; /* lower case, A-labels; empty: none was given */
};

/* False, and `*reason` a fixed text, where it is no address; null where memory failed. */
NODISCARD bool written_address_parse(struct str text, struct arena *arena,
                                     struct written_address *address, const char **reason);
