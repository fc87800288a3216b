#include "login/bearer.h"

#include "core/base/scan.h"

enum { SEPARATOR = 1 };

/* RFC 6750 section 2.1. */
static bool is_token(struct str token)
{
    size_t i = 0;
    while (i < token.len &&
           (ascii_is_alnum(token.ptr[i]) || str_find(STR("-._~+/"), token.ptr[i]) != STR_NONE)) {
        i++;
    }
    size_t characters = i;
    while (i < token.len && token.ptr[i] == '=') {
        i++;
    }
    return characters > 0 && i == token.len && token.len <= BEARER_TOKEN_MAX;
}

/* saslname of RFC 5801 section 4. */
static bool add_name(struct buf *out, struct str text)
{
    while (text.len > 0) {
        bool comma = str_starts(text, STR("=2C")), equals = str_starts(text, STR("=3D"));
        if (text.ptr[0] == '=' && !comma && !equals) {
            return false;
        }
        buf_add_char(out, comma ? ',' : text.ptr[0]);
        text = str_tail(text, comma || equals ? 3 : 1);
    }
    return true;
}

/* "n,a=user@example.com," : no binding to the connection, and perhaps a name. */
static bool take_header(struct scan *sc, struct buf *user)
{
    bool named = true;
    if (!scan_try_word(sc, STR("n,"))) {
        scan_word(sc, STR("y,"));
    }
    if (scan_try_word(sc, STR("a="))) {
        named = add_name(user, scan_until(sc, ','));
    }
    scan_char(sc, ',');
    return named && scan_ok(sc);
}

/* "key=value" and the separator, until a separator alone. */
static bool take_pairs(struct scan *sc, struct str *token)
{
    *token = STR("");
    while (scan_ok(sc) && !scan_try_char(sc, SEPARATOR)) {
        struct str value = scan_until(sc, SEPARATOR);
        struct str key = str_split(&value, '=');
        scan_char(sc, SEPARATOR);
        if (!str_eq_nocase(key, STR("auth"))) {
            continue;
        }
        struct scan credentials = {.rest = value};
        scan_word(&credentials, STR("Bearer "));
        scan_spaces(&credentials);
        if (!scan_ok(&credentials) || !is_token(credentials.rest) || token->len > 0) {
            return false;
        }
        *token = credentials.rest;
    }
    return scan_done(sc) && token->len > 0;
}

bool bearer_parse(struct str message, bool xoauth2, struct buf *user, struct str *token)
{
    struct scan sc = {.rest = message};
    if (xoauth2) {
        scan_word(&sc, STR("user="));
        buf_add(user, scan_until(&sc, SEPARATOR));
    } else if (!take_header(&sc, user)) {
        return false;
    }
    scan_char(&sc, SEPARATOR);
    return take_pairs(&sc, token) && !user->failed && !str_has_control(buf_str(user)) &&
           (user->len > 0 || !xoauth2);
}

static void add_member(struct buf *out, struct str name, struct str value)
{
    if (value.len == 0) {
        return;
    }
    buf_join(out, out->len > 1 ? STR(",\"") : STR("\""), name, STR("\":\""));
    for (size_t i = 0; i < value.len; i++) {
        if (value.ptr[i] == '"' || value.ptr[i] == '\\') {
            buf_add_char(out, '\\');
        }
        buf_add_char(out, value.ptr[i]);
    }
    buf_add_char(out, '"');
}

void bearer_refuse(struct buf *out, bool xoauth2, struct str scope, struct str discovery)
{
    buf_add_char(out, '{');
    add_member(out, STR("status"), xoauth2 ? STR("401") : STR("invalid_token"));
    add_member(out, STR("schemes"), STR("bearer"));
    add_member(out, STR("scope"), scope);
    add_member(out, STR("openid-configuration"), discovery);
    buf_add_char(out, '}');
}
