/* arc.h: is the chain of a message's handlers whole? (RFC 8617 section 5.2): on top of a struct
 * dkim, which checks the signatures. arc_start() after dkim_start(), arc_conclude() after
 * dkim_done(). */
#pragma once

#include "core/mailauth/dkim.h"

enum arc_result {
    ARC_NONE, /* no ARC fields */
    ARC_PASS,
    ARC_FAIL,
};

/* What one handler added. Indexes are of the machine's checks. */
struct arc_set {
    const struct canon_entry *results; /* ARC-Authentication-Results */
    const struct canon_entry *message; /* ARC-Message-Signature */
    const struct canon_entry *seal;    /* ARC-Seal */
    struct str domain;                 /* the seal's */
    const struct dkim_check *check;    /* of the seal */
};

struct arc {
    enum arc_result result;
    struct str reason;
    bool temporary; /* FAIL because the DNS does not answer */
    size_t count;   /* sets; the last is the newest */
    struct arc_set sets[ARC_SETS_MAX];

    /* Its own: */
    const struct dkim_check *newest; /* of the newest ARC-Message-Signature */
    const char *fault;               /* of the structure */
};

/* Reads the sets out of the machine's header and gives it their signatures to check. */
void arc_start(struct arc *a, struct dkim *d);
void arc_conclude(struct arc *a, struct dkim *d);
const char *arc_result_name(enum arc_result result);
