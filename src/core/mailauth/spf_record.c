#include "core/mailauth/spf_record.h"

#include "core/mailauth/spf_macro.h"

enum { MAPPED_PREFIX = 96 }; /* bits of ::ffff:0:0 before the IPv4 address */

enum domain_need { DOMAIN_NEVER, DOMAIN_OPTIONAL, DOMAIN_REQUIRED };

/* Section 5: what may follow a mechanism's name. The networks of ip4 and ip6 are read apart. */
static const struct mechanism {
    struct str name;
    enum spf_kind kind;
    enum domain_need domain;
    bool prefixes;
} mechanisms[] = {
    {STR_INIT("all"), SPF_ALL, DOMAIN_NEVER, false},
    {STR_INIT("include"), SPF_INCLUDE, DOMAIN_REQUIRED, false},
    {STR_INIT("a"), SPF_A, DOMAIN_OPTIONAL, true},
    {STR_INIT("mx"), SPF_MX, DOMAIN_OPTIONAL, true},
    {STR_INIT("ptr"), SPF_PTR, DOMAIN_OPTIONAL, false},
    {STR_INIT("ip4"), SPF_IP4, DOMAIN_NEVER, false},
    {STR_INIT("ip6"), SPF_IP6, DOMAIN_NEVER, false},
    {STR_INIT("exists"), SPF_EXISTS, DOMAIN_REQUIRED, false},
};

static const struct str version = STR_INIT("v=spf1");

bool spf_is_record(struct str text)
{
    return str_starts_nocase(text, version) &&
           (text.len == version.len || text.ptr[version.len] == ' ');
}

struct spf_terms spf_terms_begin(struct str record)
{
    return (struct spf_terms){.rest = str_tail(record, version.len)};
}

/* Digits without a leading zero, `max` at most. */
static bool parse_prefix(struct str digits, uint8_t max, uint8_t *prefix)
{
    uint64_t value;
    if (!str_to_u64(digits, max, &value) || (digits.len > 1 && digits.ptr[0] == '0')) {
        return false;
    }
    *prefix = (uint8_t)value;
    return true;
}

/* The digits behind the last slash of `text`, and `text` without both; empty where there are none.
 */
static struct str cut_digits(struct str *text)
{
    size_t slash = str_rfind(*text, '/');
    if (slash == STR_NONE) {
        return (struct str){0};
    }
    struct str digits = str_tail(*text, slash + 1);
    for (size_t i = 0; i < digits.len; i++) {
        if (!ascii_is_digit(digits.ptr[i])) {
            return (struct str){0};
        }
    }
    if (digits.len > 0) {
        *text = str_head(*text, slash);
    }
    return digits;
}

/* dual-cidr-length: "/24", "//64", "/24//64" at the end of `text`, cut off. */
static bool cut_prefixes(struct str *text, struct spf_term *term)
{
    struct str digits = cut_digits(text);
    if (digits.len > 0 && text->len > 0 && text->ptr[text->len - 1] == '/') {
        text->len--;
        if (!parse_prefix(digits, 128, &term->prefix6)) {
            return false;
        }
        digits = cut_digits(text);
    }
    return digits.len == 0 || parse_prefix(digits, 32, &term->prefix4);
}

static bool parse_network(struct str text, struct spf_term *term)
{
    bool v4 = term->kind == SPF_IP4;
    term->network.prefix = v4 ? 32 : 128;
    size_t slash = str_find(text, '/');
    if (slash != STR_NONE &&
        !parse_prefix(str_tail(text, slash + 1), v4 ? 32 : 128, &term->network.prefix)) {
        return false;
    }
    struct str address = str_head(text, slash == STR_NONE ? text.len : slash);
    if (v4) {
        return ip_parse_v4(address, &term->network.ip);
    }
    if (!ip_parse_v6(address, &term->network.ip)) {
        return false;
    }
    /* Clients with mapped addresses count as IPv4 (section 5), so what is mapped here does, too. */
    struct ip unmapped = ip_unmap(term->network.ip);
    if (unmapped.family == IP_V4 && term->network.prefix >= MAPPED_PREFIX) {
        term->network.ip = unmapped;
        term->network.prefix = (uint8_t)(term->network.prefix - MAPPED_PREFIX);
    }
    return true;
}

static const struct mechanism *find_mechanism(struct str name)
{
    for (size_t i = 0; i < ARRAY_LEN(mechanisms); i++) {
        if (str_eq_nocase(mechanisms[i].name, name)) {
            return &mechanisms[i];
        }
    }
    return NULL;
}

static bool parse_mechanism(struct str text, struct spf_term *term)
{
    size_t end = 0;
    while (end < text.len && text.ptr[end] != ':' && text.ptr[end] != '/') {
        end++;
    }
    const struct mechanism *m = find_mechanism(str_head(text, end));
    struct str rest = str_tail(text, end);
    if (!m) {
        return false;
    }
    term->kind = m->kind;
    term->prefix4 = 32;
    term->prefix6 = 128;
    if (m->kind == SPF_IP4 || m->kind == SPF_IP6) {
        return str_starts(rest, STR(":")) && parse_network(str_tail(rest, 1), term);
    }
    if (m->prefixes && !cut_prefixes(&rest, term)) {
        return false;
    }
    if (rest.len == 0) {
        return m->domain != DOMAIN_REQUIRED;
    }
    term->domain = str_tail(rest, 1);
    return rest.ptr[0] == ':' && m->domain != DOMAIN_NEVER && spf_macro_is_domain(term->domain);
}

/* The length of a modifier's name that "=" follows, or 0. */
static size_t modifier_name(struct str text)
{
    size_t n = 0;
    while (n < text.len && (ascii_is_alpha(text.ptr[n]) ||
                            (n > 0 && (ascii_is_digit(text.ptr[n]) || text.ptr[n] == '-' ||
                                       text.ptr[n] == '_' || text.ptr[n] == '.')))) {
        n++;
    }
    return n < text.len && text.ptr[n] == '=' ? n : 0;
}

static bool parse_modifier(struct str text, size_t name, struct spf_term *term)
{
    term->domain = str_tail(text, name + 1);
    if (str_eq_nocase(str_head(text, name), STR("redirect"))) {
        term->kind = SPF_REDIRECT;
    } else if (str_eq_nocase(str_head(text, name), STR("exp"))) {
        term->kind = SPF_EXP;
    } else {
        term->kind = SPF_OTHER_MODIFIER;
        return spf_macro_is_text(term->domain);
    }
    return spf_macro_is_domain(term->domain);
}

static bool parse_term(struct str text, struct spf_term *term)
{
    size_t name = modifier_name(text);
    *term = (struct spf_term){.text = text, .qualifier = '+'};
    if (name > 0) {
        return parse_modifier(text, name, term);
    }
    if (str_find(STR("+-~?"), text.ptr[0]) != STR_NONE) {
        term->qualifier = text.ptr[0];
        text = str_tail(text, 1);
    }
    return parse_mechanism(text, term);
}

bool spf_term_next(struct spf_terms *it, struct spf_term *term)
{
    while (it->rest.len > 0 && it->rest.ptr[0] == ' ') {
        it->rest = str_tail(it->rest, 1);
    }
    if (it->rest.len == 0) {
        return false;
    }
    struct str text = str_split(&it->rest, ' ');
    if (!parse_term(text, term)) {
        it->wrong = text;
        it->rest = (struct str){0};
        return false;
    }
    return true;
}
