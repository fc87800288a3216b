/* address_list.h: the addresses in a To, Cc or Bcc field (RFC 5322 3.4, with groups, comments and
 * the obsolete forms of 4.4). */
#pragma once

#include "core/base/buf.h"

struct address_list {
    struct str rest;
    bool damaged; /* an unclosed quote, comment or bracket, a second "<" or a ":" after "<…>", a ">"
                     too many: what came after is lost */
};

/* The next address, as RFC 5321 writes it but not yet judged: "local@domain", or "local" alone.
 * `address` is cleared first. False: no more, or damaged, or no memory (address->failed). */
NODISCARD bool address_list_next(struct address_list *list, struct buf *address);
