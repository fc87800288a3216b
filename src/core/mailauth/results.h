/* results.h: an Authentication-Results field (RFC 8601), written. Whatever a message or the DNS put
 * into the values, the field stays one field: what is no token is quoted, controls are left out. */
#pragma once

#include "core/mailauth/arc.h"
#include "core/mailauth/dmarc.h"
#include "core/mailauth/spf.h"

struct results {
    struct buf *out; /* the value: lines end in CRLF, the last one in none */
    size_t count;
};

/* `server`: the authserv-id, who testifies. */
void results_begin(struct results *r, struct buf *out, struct str server);
/* `property`: "smtp.mailfrom" or "smtp.helo", and what it was. */
void results_spf(struct results *r, const struct spf *spf, const char *property, struct str value);
void results_dkim(struct results *r, const struct dkim_check *check);
void results_arc(struct results *r, const struct arc *arc);
void results_dmarc(struct results *r, const struct dmarc *dmarc);
void results_end(struct results *r); /* says "none" where there are no results */
