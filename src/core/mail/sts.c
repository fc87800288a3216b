#include "core/mail/sts.h"

#include "core/mail/domain.h"
#include "core/mail/txt_fields.h"

enum { AGE_DIGITS_MAX = 10 };

static const struct str modes[] = {
    [STS_NONE] = STR_INIT("none"),
    [STS_TESTING] = STR_INIT("testing"),
    [STS_ENFORCE] = STR_INIT("enforce"),
};

struct str sts_mode_word(enum sts_mode mode)
{
    return modes[mode];
}

static bool is_id(struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (!ascii_is_alnum(text.ptr[i])) {
            return false;
        }
    }
    return text.len > 0 && text.len <= STS_ID_MAX;
}

bool sts_record_parse(struct str text, struct str *id)
{
    struct txt_fields fields;
    struct str name, value, found = {0};
    if (!txt_fields_begin(&fields, text, STR("STSv1"))) {
        return false;
    }
    while (txt_fields_next(&fields, &name, &value)) {
        if (str_find(value, '=') != STR_NONE) {
            return false;
        }
        if (str_eq(name, STR("id")) && found.len == 0) {
            found = value;
        }
    }
    if (!txt_fields_good(&fields) || !is_id(found)) {
        return false;
    }
    *id = found;
    return true;
}

/* The policy as far as it was read. */
struct reading {
    struct sts_policy policy;
    struct buf mx;
    bool version, mode, max_age;
};

static bool take_version(struct reading *r, struct str value)
{
    bool first = !r->version;
    r->version = true;
    return !first || str_eq(value, STR("STSv1"));
}

static bool take_mode(struct reading *r, struct str value)
{
    if (r->mode) {
        return true;
    }
    for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
        if (str_eq(value, modes[i])) {
            r->policy.mode = (enum sts_mode)i;
            r->mode = true;
        }
    }
    return r->mode;
}

static bool take_max_age(struct reading *r, struct str value)
{
    uint64_t age = 0;
    if (r->max_age) {
        return true;
    }
    r->max_age = value.len <= AGE_DIGITS_MAX && str_to_u64(value, UINT64_MAX, &age);
    r->policy.max_age = age < STS_AGE_MAX ? (uint32_t)age : STS_AGE_MAX;
    return r->max_age;
}

static bool take_mx(struct reading *r, struct str value)
{
    struct domain domain;
    struct str name = str_tail(value, str_starts(value, STR("*.")) ? 2 : 0);
    if (!domain_parse(name, &domain) || domain.kind != DOMAIN_NAME || domain.utf8) {
        return false;
    }
    buf_add(&r->mx, r->mx.len > 0 ? STR(" ") : STR(""));
    buf_add(&r->mx, value);
    return !r->mx.failed;
}

static const struct {
    struct str name;
    bool (*take)(struct reading *r, struct str value);
} fields[] = {
    {STR_INIT("version"), take_version},
    {STR_INIT("mode"), take_mode},
    {STR_INIT("max_age"), take_max_age},
    {STR_INIT("mx"), take_mx},
};

/* One line: of every field but mx the first one counts; unknown ones are extensions. */
static bool take_line(struct reading *r, struct str line)
{
    struct scan sc = {.rest = line};
    struct str name = scan_field_name(&sc);
    scan_spaces(&sc);
    scan_char(&sc, ':');
    struct str value = str_trim(sc.rest);
    if (!scan_ok(&sc) || value.len == 0 || str_has_control(value)) {
        return false;
    }
    for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
        if (str_eq(fields[i].name, name)) {
            return fields[i].take(r, value);
        }
    }
    return true;
}

bool sts_policy_parse(struct str text, struct arena *arena, struct sts_policy *policy)
{
    struct reading r = {0};
    bool good = text.len <= STS_POLICY_MAX;
    while (good && text.len > 0) {
        struct str line = str_split(&text, '\n');
        line = str_head(line, line.len - (str_ends(line, STR("\r")) ? 1 : 0));
        good = take_line(&r, line);
    }
    good = good && r.version && r.mode && r.max_age &&
           (r.mx.len > 0 || r.policy.mode == STS_NONE) && !r.mx.failed;
    if (good) {
        *policy = r.policy;
        policy->mx = arena_lower(arena, buf_str(&r.mx));
        good = policy->mx.ptr != NULL;
    }
    buf_done(&r.mx);
    return good;
}

void sts_policy_format(struct buf *out, const struct sts_policy *policy)
{
    struct str mode = sts_mode_word(policy->mode);
    struct str patterns = policy->mx;
    buf_add_format(out, "version: STSv1\nmode: %.*s\n", STR_ARG(mode));
    while (patterns.len > 0) {
        struct str pattern = str_split(&patterns, ' ');
        buf_add_format(out, "mx: %.*s\n", STR_ARG(pattern));
    }
    buf_add_format(out, "max_age: %u\n", (unsigned)policy->max_age);
}

static bool matches(struct str pattern, struct str host)
{
    if (!str_starts(pattern, STR("*."))) {
        return str_eq_nocase(pattern, host);
    }
    size_t dot = str_find(host, '.');
    return dot != STR_NONE && dot > 0 && str_eq_nocase(str_tail(host, dot), str_tail(pattern, 1));
}

bool sts_names_host(struct str patterns, struct str host)
{
    if (str_ends(host, STR("."))) {
        host = str_head(host, host.len - 1);
    }
    while (patterns.len > 0) {
        if (matches(str_split(&patterns, ' '), host)) {
            return true;
        }
    }
    return false;
}
