/* sts_file.h: a policy of MTA-STS as it is kept on disk, one file a domain. */
#pragma once

#include "core/base/buf.h"
#include "core/base/instant.h"
#include "core/mail/sts.h"

enum { STS_FILE_MAX = STS_POLICY_MAX + 128 };

struct sts_kept {
    struct sts_policy policy;
    struct str id;          /* of the record it was fetched for */
    struct instant fetched; /* whole seconds */
};

/* "postrider-sts 1 SECONDS ID", then the policy in the form of RFC 8461. */
void sts_file_write(struct buf *out, const struct sts_kept *kept);
/* False: damaged, or of another version. Texts in the arena. */
NODISCARD bool sts_file_read(struct str text, struct arena *arena, struct sts_kept *kept);
