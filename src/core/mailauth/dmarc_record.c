#include "core/mailauth/dmarc_record.h"

#include "core/mailauth/tags.h"

static const struct str policies[] = {
    [DMARC_POLICY_NONE] = STR_INIT("none"),
    [DMARC_POLICY_QUARANTINE] = STR_INIT("quarantine"),
    [DMARC_POLICY_REJECT] = STR_INIT("reject"),
};

const char *dmarc_policy_name(enum dmarc_policy policy)
{
    return policies[policy].ptr;
}

static bool read_policy(struct str value, enum dmarc_policy *policy)
{
    for (size_t i = 0; i < ARRAY_LEN(policies); i++) {
        if (str_eq_nocase(policies[i], value)) {
            *policy = (enum dmarc_policy)i;
            return true;
        }
    }
    return false;
}

static bool is_strict(const struct tags *tags, struct str name)
{
    return str_eq_nocase(tags_value(tags, name), STR("s"));
}

/* Section 6.6.3: a policy that cannot be read counts as "none" where reports are wanted, so that
 * the domain hears of it; otherwise the record counts as absent. */
static bool read_policies(const struct tags *tags, struct dmarc_record *record)
{
    const struct tag *subdomains = tags_find(tags, STR("sp"));
    bool good = read_policy(tags_value(tags, STR("p")), &record->policy);
    record->subdomain_policy = record->policy;
    if (good && (!subdomains || read_policy(subdomains->value, &record->subdomain_policy))) {
        return true;
    }
    record->policy = record->subdomain_policy = DMARC_POLICY_NONE;
    return record->reports.len > 0;
}

enum dmarc_record_finding dmarc_record_parse(struct str text, struct dmarc_record *record)
{
    struct tags tags;
    struct str rest = text;
    struct str first = str_split(&rest, ';');
    uint64_t percent = 100;
    /* The version must stand first, and as it is: else it is another protocol's record. */
    if (!tags_parse(first, &tags) || !str_eq(tags_value(&tags, STR("v")), STR("DMARC1"))) {
        return DMARC_RECORD_OTHER;
    }
    if (!tags_parse(text, &tags)) {
        return DMARC_RECORD_BROKEN;
    }
    *record = (struct dmarc_record){.strict_dkim = is_strict(&tags, STR("adkim")),
                                    .strict_spf = is_strict(&tags, STR("aspf")),
                                    .reports = tags_value(&tags, STR("rua"))};
    if (!str_to_u64(tags_value(&tags, STR("pct")), 100, &percent)) {
        percent = 100;
    }
    record->percent = (unsigned)percent;
    return read_policies(&tags, record) ? DMARC_RECORD_GOOD : DMARC_RECORD_BROKEN;
}
