#include "core/mail/mime.h"

#include "core/mail/cfws.h"

#include <string.h>

/* token of RFC 2045 5.1 */
static bool is_token(char c)
{
    return c > 32 && c < 127 && str_find(STR("()<>@,;:\\\"/[]?="), c) == STR_NONE;
}

/* A parameter's value, unquoted; longer ones are cut, and are then no boundary. */
static size_t scan_value(struct scan *sc, char out[MIME_BOUNDARY_MAX + 1])
{
    size_t n = 0;
    bool quoted = scan_try_char(sc, '"');
    while (!scan_at_end(sc) && scan_ok(sc)) {
        char c = scan_peek(sc);
        if (quoted ? c == '"' : !is_token(c)) {
            break;
        }
        scan_take(sc, 1);
        if (quoted && c == '\\') {
            c = scan_peek(sc);
            scan_take(sc, 1);
        }
        if (n <= MIME_BOUNDARY_MAX) {
            out[n++] = c;
        }
    }
    if (quoted) {
        scan_char(sc, '"');
    }
    return n;
}

static void read_type(struct str value, struct mime_part *part)
{
    struct scan sc = {.rest = value};
    char text[MIME_BOUNDARY_MAX + 1];
    part->has_type = true;
    scan_cfws(&sc);
    part->type = scan_while1(&sc, is_token);
    scan_cfws(&sc);
    scan_char(&sc, '/');
    scan_cfws(&sc);
    part->subtype = scan_while1(&sc, is_token);
    if (!scan_ok(&sc)) {
        part->type = part->subtype = (struct str){0};
    }
    while (scan_ok(&sc)) {
        scan_cfws(&sc);
        scan_char(&sc, ';');
        scan_cfws(&sc);
        struct str name = scan_while1(&sc, is_token);
        scan_cfws(&sc);
        scan_char(&sc, '=');
        scan_cfws(&sc);
        size_t n = scan_value(&sc, text);
        if (scan_ok(&sc) && n <= MIME_BOUNDARY_MAX && str_eq_nocase(name, STR("boundary"))) {
            memcpy(part->boundary, text, n);
            part->boundary_len = n;
        }
    }
}

static enum mime_encoding read_encoding(struct str value)
{
    static const struct {
        struct str name;
        enum mime_encoding encoding;
    } encodings[] = {
        {STR_INIT("7bit"), ENCODING_7BIT},
        {STR_INIT("8bit"), ENCODING_8BIT},
        {STR_INIT("binary"), ENCODING_BINARY},
        {STR_INIT("quoted-printable"), ENCODING_QUOTED_PRINTABLE},
        {STR_INIT("base64"), ENCODING_BASE64},
    };
    struct scan sc = {.rest = value};
    scan_cfws(&sc);
    struct str name = scan_while(&sc, is_token);
    for (size_t i = 0; i < ARRAY_LEN(encodings); i++) {
        if (str_eq_nocase(name, encodings[i].name)) {
            return encodings[i].encoding;
        }
    }
    return ENCODING_UNKNOWN;
}

void mime_part_read(struct str entity, struct mime_part *part)
{
    struct header_iter it = header_begin(entity);
    *part = (struct mime_part){.type = STR("text"), .subtype = STR("plain")};
    for (struct header_field f; header_next(&it, &f);) {
        if (str_eq_nocase(f.name, STR("MIME-Version"))) {
            part->has_version = true;
        } else if (str_eq_nocase(f.name, STR("Content-Type"))) {
            read_type(f.value, part);
        } else if (str_eq_nocase(f.name, STR("Content-Transfer-Encoding"))) {
            part->encoding = read_encoding(f.value);
        }
    }
    part->header = str_head(entity, entity.len - it.rest.len);
    part->body = header_body(&it);
}

/* The length of the delimiter line at the front of `text`, its end included, or 0; `*closing`
 * tells of which kind. */
static size_t delimiter_length(struct str text, struct str boundary, bool *closing)
{
    if (!str_starts(text, STR("--")) || !str_starts(str_tail(text, 2), boundary)) {
        return 0;
    }
    size_t n = 2 + boundary.len;
    *closing = str_starts(str_tail(text, n), STR("--"));
    n += *closing ? 2 : 0;
    while (n < text.len && (text.ptr[n] == ' ' || text.ptr[n] == '\t')) {
        n++;
    }
    if (str_starts(str_tail(text, n), STR("\r\n"))) {
        return n + 2;
    }
    return n == text.len ? n : 0;
}

bool mime_split_next(struct mime_split *split, struct str *before)
{
    size_t at = 0;
    while (!split->closed && at < split->rest.len) {
        bool closing = false;
        size_t n = delimiter_length(str_tail(split->rest, at), split->boundary, &closing);
        if (n > 0) {
            *before = str_head(split->rest, at > 1 ? at - 2 : 0);
            split->rest = str_tail(split->rest, at + n);
            split->closed = closing;
            return true;
        }
        size_t next = str_find_str(str_tail(split->rest, at), STR("\r\n--"));
        if (next == STR_NONE) {
            return false;
        }
        at += next + 2;
    }
    return false;
}
