/* mailbox.h: a mailbox address, local-part "@" domain, exactly as RFC 5321 4.1.2 has it, with
 * UTF-8 as RFC 6531 3.3 adds. Comments and folding white space belong to header fields
 * (address_list.h), not here. Only this parser makes a struct mailbox. */
#pragma once

#include "core/base/arena.h"
#include "core/mail/domain.h"

/* RFC 5321 4.5.3.1.1 and 4.5.3.1.3; the path's 256 octets include its angle brackets. */
enum { LOCAL_LEN_MAX = 64, MAILBOX_LEN_MAX = 254 };

struct mailbox {
    struct str local; /* as written, quotes included; a slice of what was parsed */
    bool quoted;
    bool utf8; /* beyond ASCII, in either part; whether that is allowed is the caller's to say */
    struct domain domain;
};

enum mailbox_error {
    MAILBOX_OK,
    MAILBOX_SYNTAX,
    MAILBOX_LOCAL_TOO_LONG,
    MAILBOX_DOMAIN_TOO_LONG,
    MAILBOX_TOO_LONG,
};

/* The mailbox at the cursor; what follows it stays. `m` is written only where the result is
 * MAILBOX_OK; the cursor fails with MAILBOX_SYNTAX alone. */
NODISCARD enum mailbox_error scan_mailbox(struct scan *sc, struct mailbox *m);
/* A local part at the cursor; the domain stays empty. Written where the cursor has not failed. */
NODISCARD enum mailbox_error scan_local_part(struct scan *sc, struct mailbox *m);
/* The whole of `text`. */
NODISCARD enum mailbox_error mailbox_parse(struct str text, struct mailbox *m);

/* Canonical: quotes only where needed, the domain as domain_format() prints it. Two addresses that
 * mean the same mailbox are the same text, but for the case of the local part, which RFC 5321 2.4
 * leaves to the host that owns it. Never begins with a backslash. */
void mailbox_format(struct buf *out, const struct mailbox *m);
struct str mailbox_print(const struct mailbox *m,
                         struct arena *arena); /* null pointer: no memory */
/* The local part that is meant: without quotes and quoting backslashes. */
void mailbox_local_unquoted(struct buf *out, const struct mailbox *m);
/* A local part as it must be written in an address: `unquoted`, in quotes where it needs them. */
void local_part_format(struct buf *out, struct str unquoted);
