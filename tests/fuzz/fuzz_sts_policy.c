/* Property: a policy that is read, written again from what was read, is the same policy; a host
 * that stands in it is one it names; a record's id is short and has letters and digits only; a
 * place for reports is within the text. */
#include "core/mail/sts.h"

#include "core/base/buf.h"
#include "core/mail/tlsrpt_record.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds) {
        abort();
    }
}

static void require_names(const struct sts_policy *policy)
{
    struct str rest = policy->mx;
    while (rest.len > 0) {
        struct str pattern = str_split(&rest, ' ');
        require(str_starts(pattern, STR("*.")) || sts_names_host(policy->mx, pattern));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = str_from((const char *)data, size);
    struct str id;
    struct arena arena = {0};
    struct sts_policy policy, again;
    if (sts_policy_parse(text, &arena, &policy)) {
        struct buf written = {0};
        require_names(&policy);
        sts_policy_format(&written, &policy);
        require(written.len > STS_POLICY_MAX ||
                sts_policy_parse(buf_str(&written), &arena, &again));
        require(written.len > STS_POLICY_MAX ||
                (again.mode == policy.mode && again.max_age == policy.max_age &&
                 str_eq(again.mx, policy.mx)));
        buf_done(&written);
    }
    if (sts_record_parse(text, &id)) {
        require(id.len > 0 && id.len <= STS_ID_MAX && !str_has_control(id));
    }
    struct tlsrpt_record record;
    if (tlsrpt_record_parse(text, &record)) {
        require(record.count > 0 && record.count <= TLSRPT_PLACES_MAX);
        for (size_t i = 0; i < record.count; i++) {
            require(record.places[i].uri.len > 0 && record.places[i].uri.len < text.len);
            require(!str_has_control(record.places[i].uri));
        }
    }
    arena_done(&arena);
    return 0;
}
