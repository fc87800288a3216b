#include "core/mailauth/signature.h"

#include "core/base/encode.h"
#include "core/base/utf8.h"
#include "core/dns/idn.h"
#include "core/dns/name.h"
#include "core/mailauth/tags.h"

#include <string.h>

static const struct str algorithms[] = {
    [ALGORITHM_NONE] = STR_INIT(""),
    [ALGORITHM_RSA_SHA1] = STR_INIT("rsa-sha1"),
    [ALGORITHM_RSA_SHA256] = STR_INIT("rsa-sha256"),
    [ALGORITHM_ED25519_SHA256] = STR_INIT("ed25519-sha256"),
};

const char *signature_algorithm_name(enum signature_algorithm algorithm)
{
    return algorithms[algorithm].ptr;
}

/* One tag: who must have it, and what reads it. The readers tell what is wrong, or null. */
struct reader {
    struct str name;
    bool required[3]; /* by kind */
    bool read[3];
    const char *(*take)(struct signature *s, struct arena *arena, struct str value);
};

static const char *take_version(struct signature *s, struct arena *arena, struct str value)
{
    (void)s;
    (void)arena;
    return str_eq(value, STR("1")) ? NULL : "its version (v=) is not 1";
}

static const char *take_algorithm(struct signature *s, struct arena *arena, struct str value)
{
    (void)arena;
    for (size_t i = ALGORITHM_RSA_SHA1; i < ARRAY_LEN(algorithms); i++) {
        if (str_eq_nocase(algorithms[i], value)) {
            s->algorithm = (enum signature_algorithm)i;
            return NULL;
        }
    }
    return "its algorithm (a=) is not known";
}

/* Base64 with folds in it, at most `max` octets. Empty: it is not that. */
static struct str decode(struct arena *arena, struct str value, size_t max)
{
    struct buf text = {0};
    struct buf octets = {0};
    struct str made = {0};
    tags_squeeze(&text, value);
    if (!text.failed && base64_decode(&octets, buf_str(&text)) && octets.len <= max) {
        made = arena_copy(arena, buf_str(&octets));
    }
    buf_done(&text);
    buf_done(&octets);
    return made;
}

static const char *take_octets(struct signature *s, struct arena *arena, struct str value)
{
    s->octets = decode(arena, value, SIGNATURE_OCTETS_MAX);
    return s->octets.len > 0 ? NULL : "its signature (b=) is not base64, or too long";
}

static const char *take_body_hash(struct signature *s, struct arena *arena, struct str value)
{
    s->body_hash = decode(arena, value, SIGNATURE_HASH_SIZE);
    return s->body_hash.len > 0 ? NULL : "its body hash (bh=) is not base64, or too long";
}

static const char *take_canonicalization(struct signature *s, struct arena *arena, struct str value)
{
    struct str rest = value;
    struct str header = str_split(&rest, '/');
    bool has_body = header.len < value.len;
    struct str body = has_body ? rest : STR("simple");
    (void)arena;
    s->header_relaxed = str_eq_nocase(header, STR("relaxed"));
    s->body_relaxed = str_eq_nocase(body, STR("relaxed"));
    bool known = (s->header_relaxed || str_eq_nocase(header, STR("simple"))) &&
                 (s->body_relaxed || str_eq_nocase(body, STR("simple")));
    return known ? NULL : "its canonicalisation (c=) is not known";
}

static const char *take_domain(struct signature *s, struct arena *arena, struct str value)
{
    struct dns_name name;
    (void)arena;
    s->domain = value;
    return dns_name_parse(value, &name) ? NULL : "its domain (d=) is none";
}

static const char *take_selector(struct signature *s, struct arena *arena, struct str value)
{
    struct dns_name name;
    (void)arena;
    s->selector = value;
    return dns_name_parse(value, &name) ? NULL : "its selector (s=) is none";
}

static const char *take_fields(struct signature *s, struct arena *arena, struct str value)
{
    struct str rest = value;
    bool from = false;
    bool seal = false;
    size_t count = 0;
    (void)arena;
    s->fields = value;
    for (struct str name; tags_next_part(&rest, &name);) {
        from = from || str_eq_nocase(name, STR("From"));
        seal = seal || str_eq_nocase(name, STR("ARC-Seal"));
        if (++count > SIGNATURE_NAMES_MAX) {
            return "it names too many header fields (h=)";
        }
    }
    if (s->kind == SIGNATURE_ARC) {
        return seal ? "it signs seals (h=), which it must not" : NULL;
    }
    return from ? NULL : "it does not sign From (h=)";
}

static const char *take_identity(struct signature *s, struct arena *arena, struct str value)
{
    uint64_t instance = 0;
    (void)arena;
    if (s->kind == SIGNATURE_DKIM) {
        s->identity = value;
        return str_find(value, '@') == STR_NONE ? "its identity (i=) is no address" : NULL;
    }
    if (!str_to_u64(value, ARC_SETS_MAX, &instance) || instance == 0) {
        return "its instance (i=) is no number from 1 to 50";
    }
    s->instance = (unsigned)instance;
    return NULL;
}

static const char *take_length(struct signature *s, struct arena *arena, struct str value)
{
    (void)arena;
    s->has_length = true;
    return str_to_u64(value, INT64_MAX, &s->length) ? NULL : "its length (l=) is no number";
}

static const char *take_query(struct signature *s, struct arena *arena, struct str value)
{
    (void)s;
    (void)arena;
    for (struct str part; tags_next_part(&value, &part);) {
        if (str_eq_nocase(part, STR("dns/txt"))) {
            return NULL;
        }
    }
    return "its key is to be had in no way that is known (q=)";
}

static bool read_time(struct str value, int64_t *time)
{
    uint64_t seconds = 0;
    bool good = str_to_u64(value, INT64_MAX, &seconds);
    *time = (int64_t)seconds;
    return good;
}

static const char *take_time(struct signature *s, struct arena *arena, struct str value)
{
    (void)arena;
    s->has_time = true;
    return read_time(value, &s->time) ? NULL : "its time (t=) is no number";
}

static const char *take_end(struct signature *s, struct arena *arena, struct str value)
{
    (void)arena;
    s->has_end = true;
    return read_time(value, &s->end) ? NULL : "its end (x=) is no number";
}

static const char *take_chain(struct signature *s, struct arena *arena, struct str value)
{
    (void)arena;
    s->chain = value;
    return NULL;
}

/* The order is that of the checks: who it is from is read first. Of a kind that does not read it, a
 * tag means nothing, but that a seal must not have h= (RFC 8617 4.1.3). */
static const struct reader readers[] = {
    {STR_INIT("d"), {1, 1, 1}, {1, 1, 1}, take_domain},
    {STR_INIT("s"), {1, 1, 1}, {1, 1, 1}, take_selector},
    {STR_INIT("i"), {0, 1, 1}, {1, 1, 1}, take_identity},
    {STR_INIT("v"), {1, 0, 0}, {1, 0, 0}, take_version},
    {STR_INIT("a"), {1, 1, 1}, {1, 1, 1}, take_algorithm},
    {STR_INIT("c"), {0, 0, 0}, {1, 1, 0}, take_canonicalization},
    {STR_INIT("q"), {0, 0, 0}, {1, 1, 0}, take_query},
    {STR_INIT("h"), {1, 1, 0}, {1, 1, 0}, take_fields},
    {STR_INIT("l"), {0, 0, 0}, {1, 1, 0}, take_length},
    {STR_INIT("t"), {0, 0, 0}, {1, 1, 1}, take_time},
    {STR_INIT("x"), {0, 0, 0}, {1, 1, 0}, take_end},
    {STR_INIT("bh"), {1, 1, 0}, {1, 1, 0}, take_body_hash},
    {STR_INIT("cv"), {0, 0, 1}, {0, 0, 1}, take_chain},
    {STR_INIT("b"), {1, 1, 1}, {1, 1, 1}, take_octets},
};

/* U-labels as the DNS has them. False: no name. */
static bool to_ascii(struct str *name, struct arena *arena)
{
    struct buf ascii = {0};
    bool good = true;
    if (str_has_high_octet(*name)) {
        good = idn_to_ascii(&ascii, *name);
        *name = good ? arena_copy(arena, buf_str(&ascii)) : *name;
    }
    buf_done(&ascii);
    return good;
}

/* What one tag says about another. */
static const char *check_together(struct signature *s, struct arena *arena)
{
    if (s->kind == SIGNATURE_DKIM && s->identity.len == 0) {
        s->identity = arena_format(arena, "@%.*s", STR_ARG(s->domain));
    } else if (s->kind == SIGNATURE_DKIM) {
        struct str host = str_tail(s->identity, str_rfind(s->identity, '@') + 1);
        s->identity_below = !str_eq_nocase(host, s->domain);
        if (!dns_text_within(host, s->domain)) {
            return "its identity (i=) is not within its domain (d=)";
        }
    }
    if (s->has_time && s->has_end && s->end < s->time) {
        return "it ends (x=) before it begins (t=)";
    }
    if (!to_ascii(&s->domain, arena) || !to_ascii(&s->selector, arena)) {
        return "its domain (d=) or selector (s=) is none";
    }
    return NULL;
}

const char *signature_parse(struct signature *s, struct arena *arena, enum signature_kind kind,
                            const struct header_field *field)
{
    static const char *const missing = "a tag that it must have is missing";
    struct tags tags;
    const char *fault = NULL;
    memset(s, 0, sizeof *s);
    s->kind = kind;
    s->field = *field;
    s->header_relaxed = kind == SIGNATURE_SEAL;
    if (!tags_parse(field->value, &tags)) {
        return "it is no list of tags";
    }
    for (size_t i = 0; i < ARRAY_LEN(readers); i++) {
        const struct reader *r = &readers[i];
        const struct tag *tag = tags_find(&tags, r->name);
        const char *wrong = NULL;
        if (tag && r->read[kind]) {
            wrong = r->take(s, arena, tag->value);
        } else if (r->required[kind]) {
            wrong = missing;
        }
        fault = fault ? fault : wrong;
    }
    if (kind == SIGNATURE_SEAL && tags_find(&tags, STR("h"))) {
        fault = fault ? fault : "it has h=, which a seal must not";
    }
    const struct tag *octets = tags_find(&tags, STR("b"));
    s->raw_value = octets ? octets->raw : (struct str){0};
    return fault ? fault : check_together(s, arena);
}
