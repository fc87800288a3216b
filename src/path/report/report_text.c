#include "path/report/report_inside.h"

enum { FOLD_AT = 76, FOLD_HARD = 900, WORDS_AT = 72 };

bool text_is_ascii(struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        if ((unsigned char)text.ptr[i] > 127) {
            return false;
        }
    }
    return true;
}

/* The length of the UTF-8 character at the front; 0: it is none. */
static size_t utf8_length(struct str s)
{
    unsigned char first = (unsigned char)s.ptr[0];
    size_t len = first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    if (first > 0xf4 || len > s.len) {
        return 0;
    }
    for (size_t i = 1; i < len; i++) {
        if (((unsigned char)s.ptr[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    return len;
}

void text_clean(struct buf *out, struct str text, bool utf8)
{
    bool space = true; /* none at the front, and never two */
    size_t start = out->len;
    for (size_t i = 0; i < text.len;) {
        size_t len = utf8_length(str_tail(text, i));
        unsigned char c = (unsigned char)text.ptr[i];
        if (c <= ' ' || c == 127) {
            if (!space) {
                buf_add_char(out, ' ');
            }
            space = true;
            i++;
            continue;
        }
        space = false;
        if (len == 1 || (len > 1 && utf8)) {
            buf_add(out, str_from(text.ptr + i, len));
        } else {
            buf_add_char(out, '?');
        }
        i += len ? len : 1;
    }
    if (space && out->len > start) {
        out->len--;
    }
}

/* Where a line of at most `soft` octets ends: at the last space before, or else the first one
 * after, or at `hard`; never inside a character. */
static size_t line_end(struct str text, size_t soft, size_t hard)
{
    if (text.len <= soft) {
        return text.len;
    }
    size_t at = str_rfind(str_head(text, soft + 1), ' ');
    if (at != STR_NONE && at > 0) {
        return at;
    }
    at = str_find(text, ' ');
    at = at == STR_NONE || at == 0 ? text.len : at;
    if (at > hard) {
        at = hard;
        while (at > 1 && ((unsigned char)text.ptr[at] & 0xc0) == 0x80) {
            at--;
        }
    }
    return at;
}

void text_add_field(struct buf *out, const struct text_field *field)
{
    struct buf whole = {0};
    if (field->type) {
        buf_add_format(&whole, "%s; ", field->type);
    }
    text_clean(&whole, field->text, field->utf8);
    if (whole.failed) {
        out->failed = true;
    }
    struct str rest = buf_str(&whole);
    struct str name = str_from_cstr(field->name);
    buf_add(out, name);
    buf_add(out, STR(": "));
    for (size_t used = name.len + 2; rest.len > 0; used = 1) {
        size_t len = line_end(rest, used < FOLD_AT ? FOLD_AT - used : 1, FOLD_HARD);
        buf_add(out, str_head(rest, len));
        rest = str_tail(rest, len);
        rest = rest.len > 0 && rest.ptr[0] == ' ' ? str_tail(rest, 1) : rest;
        if (rest.len > 0) {
            buf_add(out, STR("\r\n "));
        }
    }
    buf_add(out, STR("\r\n"));
    buf_done(&whole);
}

void text_add_indented(struct buf *out, const char *indent, struct str text, bool utf8)
{
    struct buf whole = {0};
    text_clean(&whole, text, utf8);
    if (whole.failed) {
        out->failed = true;
    }
    for (struct str rest = buf_str(&whole); rest.len > 0;) {
        size_t len = line_end(rest, WORDS_AT, FOLD_HARD);
        buf_add(out, str_from_cstr(indent));
        buf_add(out, str_head(rest, len));
        buf_add(out, STR("\r\n"));
        rest = str_tail(rest, len);
        rest = rest.len > 0 && rest.ptr[0] == ' ' ? str_tail(rest, 1) : rest;
    }
    buf_done(&whole);
}
