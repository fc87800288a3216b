/* verify_tell.h: what `postrider verify` found out, told to people or to programs. */
#pragma once

#include "core/mailauth/results.h"

struct spf_verdict {
    const struct spf *spf;
    const char *property; /* "smtp.mailfrom" or "smtp.helo" (RFC 8601) */
    struct str value;
};

struct verdicts {
    struct str server; /* who says so, in the Authentication-Results field */
    struct spf_verdict spf[2];
    size_t spf_count;
    const struct dkim *dkim;
    const struct arc *arc;
    const struct dmarc *dmarc;
};

/* Prints them; the exit code that they mean. */
int verify_tell(const struct verdicts *v, bool json);
