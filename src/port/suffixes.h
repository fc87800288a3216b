/* suffixes.h: under which names anybody may register (the Public Suffix List), so that one can tell
 * whose a name is. Any thread. */
#pragma once

#include "core/base/str.h"

struct suffixes {
    /* The organisational domain of `domain` (RFC 7489 section 3.2): "example.co.uk" of
     * "a.b.example.co.uk". A slice of it; all of it where it is a public suffix itself. In lower
     * case and A-labels. */
    struct str (*organisation)(struct suffixes *suffixes, struct str domain);
};
