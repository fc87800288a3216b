#include "core/mailauth/spf_macro.h"

#include "core/base/scan.h"

enum { PARTS_MAX = 256 };

/* A run of literal text, or one macro. */
struct token {
    struct str literal;
    bool is_macro;
    char letter; /* in lower case */
    bool escape; /* it was in upper case: the value is URL-escaped */
    size_t keep; /* how many parts from the right; 0: all */
    bool reverse;
    struct str delimiters;
};

static bool is_delimiter(char c)
{
    return c == '.' || c == '-' || c == '+' || c == ',' || c == '/' || c == '_' || c == '=';
}

static bool is_literal(char c)
{
    return c >= 0x20 && c <= 0x7e && c != '%';
}

static void scan_braces(struct scan *sc, struct token *t)
{
    struct str letter = scan_take(sc, 1);
    t->is_macro = true;
    if (letter.len == 0 || str_find(STR("slodiphcrtv"), ascii_lower(letter.ptr[0])) == STR_NONE) {
        scan_fail(sc);
        return;
    }
    t->letter = ascii_lower(letter.ptr[0]);
    t->escape = t->letter != letter.ptr[0];
    if (ascii_is_digit(scan_peek(sc))) {
        t->keep = scan_u64(sc, 1000000);
        if (t->keep == 0) {
            scan_fail(sc); /* "the DIGIT transformer MUST be nonzero" */
        }
    }
    t->reverse = scan_try_word(sc, STR("r"));
    t->delimiters = scan_while(sc, is_delimiter);
    scan_char(sc, '}');
}

/* False at the end and at what is malformed: the scan has then failed. */
static bool next_token(struct scan *sc, struct token *t)
{
    *t = (struct token){0};
    if (!scan_ok(sc) || scan_at_end(sc)) {
        return false;
    }
    if (!scan_try_char(sc, '%')) {
        t->literal = scan_while1(sc, is_literal);
    } else if (scan_try_char(sc, '{')) {
        scan_braces(sc, t);
    } else if (scan_try_char(sc, '%')) {
        t->literal = STR("%");
    } else if (scan_try_char(sc, '_')) {
        t->literal = STR(" ");
    } else {
        scan_char(sc, '-');
        t->literal = STR("%20");
    }
    return scan_ok(sc);
}

/* toplabel: letters, digits and hyphens, no hyphen at its ends, not digits alone. */
static bool is_top_label(struct str label)
{
    bool only_digits = true;
    for (size_t i = 0; i < label.len; i++) {
        if (!ascii_is_alnum(label.ptr[i]) && label.ptr[i] != '-') {
            return false;
        }
        only_digits = only_digits && ascii_is_digit(label.ptr[i]);
    }
    return label.len > 0 && !only_digits && label.ptr[0] != '-' && label.ptr[label.len - 1] != '-';
}

/* domain-end: behind the last macro stands nothing, or text that ends in "." and a top label. */
static bool ends_like_domain(struct str spec)
{
    struct scan sc = {.rest = spec};
    struct str tail = {0};
    bool plain = true;
    for (struct token t;;) {
        plain = scan_peek(&sc) != '%';
        if (!next_token(&sc, &t)) {
            break;
        }
        tail = plain ? t.literal : (struct str){0};
    }
    if (tail.len == 0) {
        return spec.len > 0;
    }
    if (tail.ptr[tail.len - 1] == '.') {
        tail.len--;
    }
    size_t dot = str_rfind(tail, '.');
    return dot != STR_NONE && is_top_label(str_tail(tail, dot + 1));
}

/* Whether one of the letters stands in it; what is malformed ends the search. */
static bool uses(struct str text, struct str letters)
{
    struct scan sc = {.rest = text};
    for (struct token t; next_token(&sc, &t);) {
        if (t.is_macro && str_find(letters, t.letter) != STR_NONE) {
            return true;
        }
    }
    return false;
}

bool spf_macro_is_domain(struct str spec)
{
    return spf_macro_is_text(spec) && !uses(spec, STR("crt")) && ends_like_domain(spec);
}

bool spf_macro_is_text(struct str text)
{
    struct scan sc = {.rest = text};
    for (struct token t; next_token(&sc, &t);) {}
    return scan_ok(&sc);
}

bool spf_macro_wants_name(struct str text)
{
    return uses(text, STR("p"));
}

/* "i": an IPv6 address as its 32 nibbles with dots between. */
static void add_nibbles(struct buf *out, struct ip ip)
{
    for (size_t i = 0; i < sizeof ip.bytes; i++) {
        buf_add_format(out, "%s%X.%X", i > 0 ? "." : "", ip.bytes[i] >> 4, ip.bytes[i] & 0xfU);
    }
}

/* The value of a letter; what must be made is made in `scratch`. */
static struct str value_of(char letter, const struct spf_values *v, struct buf *scratch)
{
    switch (letter) {
    case 's':
        return v->sender;
    case 'l':
        return v->local;
    case 'o':
        return v->sender_domain;
    case 'd':
        return v->domain;
    case 'p':
        return v->name;
    case 'h':
        return v->helo;
    case 'r':
        return v->receiver;
    case 'v':
        return v->ip.family == IP_V6 ? STR("ip6") : STR("in-addr");
    case 't':
        buf_add_u64(scratch, v->now > 0 ? (uint64_t)v->now : 0);
        break;
    default: /* c, i */
        if (letter == 'i' && v->ip.family == IP_V6) {
            add_nibbles(scratch, v->ip);
        } else {
            ip_format(scratch, v->ip);
        }
        break;
    }
    return buf_str(scratch);
}

static void add_escaped(struct buf *out, struct str text, bool escape)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (!escape || ascii_is_alnum(c) || str_find(STR("-._~"), c) != STR_NONE) {
            buf_add_char(out, c);
        } else {
            buf_add_format(out, "%%%02X", (unsigned)(unsigned char)c);
        }
    }
}

/* Cuts at each of the delimiters. STR_NONE: more parts than there may be. */
static size_t cut(struct str value, struct str delimiters, struct str parts[PARTS_MAX])
{
    size_t count = 0;
    size_t start = 0;
    for (size_t i = 0; i <= value.len; i++) {
        if (i < value.len && str_find(delimiters, value.ptr[i]) == STR_NONE) {
            continue;
        }
        if (count == PARTS_MAX) {
            return STR_NONE;
        }
        parts[count++] = str_head(str_tail(value, start), i - start);
        start = i + 1;
    }
    return count;
}

static bool add_macro(struct buf *out, const struct token *t, const struct spf_values *values)
{
    struct str parts[PARTS_MAX];
    struct buf scratch = {0};
    struct str value = value_of(t->letter, values, &scratch);
    size_t count = STR_NONE;
    if (!scratch.failed && value.len <= SPF_VALUE_MAX) {
        count = cut(value, t->delimiters.len ? t->delimiters : STR("."), parts);
    }
    if (count != STR_NONE) {
        size_t keep = t->keep > 0 && t->keep < count ? t->keep : count;
        for (size_t i = 0; i < keep; i++) {
            size_t at = t->reverse ? keep - 1 - i : count - keep + i;
            add_escaped(out, i > 0 ? STR(".") : STR(""), false);
            add_escaped(out, parts[at], t->escape);
        }
    }
    buf_done(&scratch);
    return count != STR_NONE;
}

bool spf_macro_expand(struct buf *out, struct str text, const struct spf_values *values)
{
    struct scan sc = {.rest = text};
    size_t before = out->len;
    for (struct token t; next_token(&sc, &t);) {
        if (t.is_macro && !add_macro(out, &t, values)) {
            return false;
        }
        buf_add(out, t.literal);
        if (out->failed || out->len - before > SPF_EXPANDED_MAX) {
            return false;
        }
    }
    return scan_ok(&sc);
}
