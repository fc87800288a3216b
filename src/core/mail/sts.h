/* sts.h: MTA-STS (RFC 8461): the record that says that a domain has a policy, the policy, and
 * whether a host is one that it names. Bytes of strangers: whatever is malformed is no policy. */
#pragma once

#include "core/base/arena.h"
#include "core/base/buf.h"

enum sts_mode { STS_NONE, STS_TESTING, STS_ENFORCE };

enum {
    STS_ID_MAX = 32,
    STS_POLICY_MAX = 65536, /* octets (RFC 8461 3.3) */
    STS_AGE_MAX = 31557600, /* seconds: a year; more is cut down to it */
};

struct sts_policy {
    enum sts_mode mode;
    struct str mx; /* patterns in lower case, separated by blanks */
    uint32_t max_age;
};

/* The text of a TXT record of _mta-sts.DOMAIN (3.1). False: none of version STSv1, or malformed. */
NODISCARD bool sts_record_parse(struct str text, struct str *id);
/* The file that the domain's server gave (3.2). Texts in the arena. False: no valid policy. */
NODISCARD bool sts_policy_parse(struct str text, struct arena *arena, struct sts_policy *policy);
/* The policy as such a file, its lines ending in LF: what is parsed from it is the same policy. */
void sts_policy_format(struct buf *out, const struct sts_policy *policy);
/* Whether one of the patterns names the host; "*.example" is any one label before ".example". */
bool sts_names_host(struct str patterns, struct str host);
/* "none", "testing", "enforce". */
struct str sts_mode_word(enum sts_mode mode);
