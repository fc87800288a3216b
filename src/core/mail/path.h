/* path.h: the angle-bracketed paths of MAIL and RCPT (RFC 5321 4.1.2). A source route is read and
 * dropped, as RFC 5321 appendix C asks. */
#pragma once

#include "core/mail/mailbox.h"

struct path {
    bool null;        /* "<>" */
    bool unqualified; /* a local part alone: mailbox.domain is empty */
    bool postmaster;  /* "<postmaster>", in any case, without a domain: mailbox.domain is empty */
    struct mailbox mailbox;
};

/* The path at the cursor, "<" to ">"; what follows stays. `path` is written only where the result
 * is MAILBOX_OK. A reverse-path may be null, a forward-path may be the bare postmaster. */
NODISCARD enum mailbox_error reverse_path_scan(struct scan *sc, struct path *path);
NODISCARD enum mailbox_error forward_path_scan(struct scan *sc, struct path *path);
/* "<local>", as those who submit mail may write it; of either path. */
NODISCARD enum mailbox_error unqualified_path_scan(struct scan *sc, struct path *path);
