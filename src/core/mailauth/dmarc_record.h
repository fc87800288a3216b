/* dmarc_record.h: what a domain wants done with mail in its name that nobody vouches for (RFC 7489
 * section 6.3). */
#pragma once

#include "core/base/str.h"

enum dmarc_policy { DMARC_POLICY_NONE, DMARC_POLICY_QUARANTINE, DMARC_POLICY_REJECT };

struct dmarc_record {
    enum dmarc_policy policy;           /* p= */
    enum dmarc_policy subdomain_policy; /* sp=, or else p= */
    bool strict_dkim, strict_spf; /* adkim=s, aspf=s: the very domain, not its organisation's */
    unsigned percent;             /* pct= */
    struct str reports;           /* rua=: where aggregate reports go; as it stands */
};

enum dmarc_record_finding {
    DMARC_RECORD_GOOD,
    DMARC_RECORD_OTHER,  /* some other TXT record */
    DMARC_RECORD_BROKEN, /* means nothing, as if it were not there (6.6.3) */
};

/* `text`: the TXT record's strings, joined. */
NODISCARD enum dmarc_record_finding dmarc_record_parse(struct str text,
                                                       struct dmarc_record *record);
const char *dmarc_policy_name(enum dmarc_policy policy); /* "none", "quarantine", "reject" */
