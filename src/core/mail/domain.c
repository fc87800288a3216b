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

/* What stands between the brackets. */
static bool classify_literal(struct str content, struct domain *domain)
{
    struct str tagged = content;
    struct str tag = str_split(&tagged, ':');
    if (ip_parse_v4(content, &domain->ip)) {
        domain->kind = DOMAIN_LITERAL_V4;
        return true;
    }
    if (str_eq_nocase(tag, STR("IPv6"))) {
        domain->kind = DOMAIN_LITERAL_V6;
        return ip_parse_v6(tagged, &domain->ip);
    }
    domain->kind = DOMAIN_LITERAL_OTHER;
    struct scan sc = {.rest = tag};
    scan_while1(&sc, is_ldh);
    return scan_done(&sc) && tag.ptr[tag.len - 1] != '-' && tagged.len > 0;
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
