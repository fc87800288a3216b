/* completion.h: addresses made whole (RFC 6409 4.2): "jim" becomes "jim@example.org" and, where
 * `hosts` says so, "jim@web" becomes "jim@web.example.org". Of an envelope here, of a header in
 * completer.h. */
#pragma once

#include "core/base/arena.h"
#include "core/mail/path.h"

/* With what. Zeroed: nothing is completed. Texts are borrowed. */
struct completion {
    struct str domain; /* without a dot in it, hosts' names are left alone */
    bool hosts;
    const struct str *standing; /* names of one label that are whole as they are, in any case */
    size_t standing_count;
};

/* Whether it makes a whole name of this one. */
bool completion_of_host(const struct completion *completion, struct str host);

/* The mailbox of a path that is neither null nor the bare postmaster, whole: then in `arena`, if it
 * was not. `*whole` is written only where the result is MAILBOX_OK; MAILBOX_SYNTAX: it lacks a
 * domain and none is known, or no memory. */
NODISCARD enum mailbox_error completion_mailbox(const struct completion *completion,
                                                const struct path *path, struct arena *arena,
                                                struct mailbox *whole);
