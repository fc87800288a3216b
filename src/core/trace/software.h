/* software.h: whose form a Received field has. */
#pragma once

#include "core/base/str.h"

struct software_guess {
    struct str name; /* "Postfix", "Exim", …; empty: unknown */
    int certainty;   /* percent */
};

struct received;

/* From what the field says of itself, then from its form. `value` is the whole field's. */
struct software_guess software_of(const struct received *r, struct str value);
