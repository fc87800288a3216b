/* results_filter.h: takes out of a message's header the Authentication-Results fields that bear our
 * name: they come from outside, and whoever reads the message would take them for ours (RFC 8601
 * section 5). So are those taken out whose name cannot be told. All else passes untouched; the body
 * begins after the empty line. Fixed memory; pieces may be cut anywhere. */
#pragma once

#include "core/base/str.h"

enum { RESULTS_KEPT = 768 }; /* octets of a field within which it must name itself */

struct results_filter {
    struct str hostname; /* ours */
    uint32_t removed;    /* so far */

    /* Its own: */
    bool in_body;
    bool at_line; /* a line begins: does the field go on? */
    uint8_t mode;
    size_t held_len;
    char held[RESULTS_KEPT];
};

/* Zeroed memory but for `hostname` is a filter at the start. Takes bytes off `*bytes`; `*piece` is
 * what goes on, good until the next call. False: all were used, nothing goes on. */
NODISCARD bool results_filter_take(struct results_filter *f, struct str *bytes, struct str *piece);
/* The message is over: what was held back. */
NODISCARD bool results_filter_end(struct results_filter *f, struct str *piece);
