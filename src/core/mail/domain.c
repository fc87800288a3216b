#include "core/mail/domain.h"

#include "core/base/utf8.h"

enum { LABEL_LEN_MAX = 63 }; /* RFC 1035 2.3.4; a U-label's own limit is that of its A-label */

static bool is_ldh(char c)
{
    return ascii_is_alnum(c) || c == '-';
}

/* dcontent of RFC 5321 4.1.3: printable, without brackets and backslash. */
static bool is_dcontent(char c)
{
    return c >= 33 && c <= 126 && c != '[' && c != '\\' && c != ']';
}

/* sub-domain = Let-dig [Ldh-str] / U-label */
static void scan_label(struct scan *sc, bool *utf8)
{
    struct str start = sc->rest;
    bool beyond = false;
    for (;;) {
        size_t n = utf8_beyond_ascii(sc->rest);
        beyond = beyond || n > 0;
        n = n == 0 && is_ldh(scan_peek(sc)) ? 1 : n;
        if (n == 0) {
            break;
        }
        sc->rest = str_tail(sc->rest, n);
    }
    struct str label = str_head(start, start.len - sc->rest.len);
    if (label.len == 0 || label.ptr[0] == '-' || label.ptr[label.len - 1] == '-' ||
        (!beyond && label.len > LABEL_LEN_MAX)) {
        scan_fail(sc);
    }
    *utf8 = *utf8 || beyond;
}

/* "::" stands for two groups or more here (RFC 5321 4.1.3): of colons, "::" and what an IPv4 tail
 * saves counted, there are seven in an address written out. */
static bool hides_two_groups(struct str v6)
{
    size_t colons = str_find(v6, '.') != STR_NONE;
    bool gap = false;
    for (size_t i = 0; i < v6.len; i++) {
        colons += v6.ptr[i] == ':';
        gap = gap || (i > 0 && v6.ptr[i] == ':' && v6.ptr[i - 1] == ':');
    }
    bool at_an_end = str_starts(v6, STR("::")) || str_ends(v6, STR("::"));
    return !gap || colons <= (at_an_end ? 7U : 6U);
}

/* What stands between the brackets. A tag "MUST be specified in a Standards-Track RFC and
 * registered with IANA" (RFC 5321 4.1.3), and IPv6 is the only one. */
static bool classify_literal(struct str content, struct domain *domain)
{
    struct str tagged = content;
    struct str tag = str_split(&tagged, ':');
    if (ip_parse_v4(content, &domain->ip)) {
        domain->kind = DOMAIN_LITERAL_V4;
        return true;
    }
    domain->kind = DOMAIN_LITERAL_V6;
    return str_eq_nocase(tag, STR("IPv6")) && ip_parse_v6(tagged, &domain->ip) &&
           hides_two_groups(tagged);
}

static void scan_literal(struct scan *sc, struct domain *domain)
{
    scan_char(sc, '[');
    struct str content = scan_while1(sc, is_dcontent);
    scan_char(sc, ']');
    if (scan_ok(sc) && !classify_literal(content, domain)) {
        scan_fail(sc);
    }
}

struct domain scan_domain(struct scan *sc)
{
    struct domain domain = {.kind = DOMAIN_NAME};
    struct str start = sc->rest;
    if (scan_peek(sc) == '[') {
        scan_literal(sc, &domain);
    } else {
        do {
            scan_label(sc, &domain.utf8);
        } while (scan_try_char(sc, '.'));
    }
    if (!scan_ok(sc)) {
        return (struct domain){0};
    }
    domain.text = str_head(start, start.len - sc->rest.len);
    return domain;
}

bool domain_parse(struct str text, struct domain *domain)
{
    struct scan sc = {.rest = text};
    struct domain parsed = scan_domain(&sc);
    if (!scan_done(&sc) || text.len > DOMAIN_LEN_MAX) {
        return false;
    }
    *domain = parsed;
    return true;
}

void domain_format(struct buf *out, const struct domain *domain)
{
    if (domain->kind == DOMAIN_LITERAL_V4 || domain->kind == DOMAIN_LITERAL_V6) {
        buf_add(out, domain->kind == DOMAIN_LITERAL_V6 ? STR("[IPv6:") : STR("["));
        ip_format(out, domain->ip);
        buf_add_char(out, ']');
        return;
    }
    for (size_t i = 0; i < domain->text.len; i++) {
        buf_add_char(out, ascii_lower(domain->text.ptr[i]));
    }
}
