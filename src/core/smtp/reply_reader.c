#include "core/smtp/reply_reader.h"

#include "core/mail/status.h"

#include <string.h>

/* Length of the well-formed UTF-8 sequence at the start of `s` (RFC 3629 section 4); 0: none. */
static size_t utf8_length(const unsigned char *s, size_t len)
{
    static const struct {
        unsigned char first, last, low, high;
        size_t length;
    } forms[] = {
        {0x00, 0x7f, 0, 0, 1},       {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
        {0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
        {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
    };
    for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
        if (s[0] < forms[i].first || s[0] > forms[i].last || len < forms[i].length) {
            continue;
        }
        bool fits = forms[i].length == 1 || (s[1] >= forms[i].low && s[1] <= forms[i].high);
        for (size_t k = 2; fits && k < forms[i].length; k++) {
            fits = s[k] >= 0x80 && s[k] <= 0xbf;
        }
        return fits ? forms[i].length : 0;
    }
    return 0;
}

static void append_text(struct reply_reader *r, struct str line)
{
    if (r->text_len > 0 && r->text_len < REPLY_TEXT_MAX) {
        r->text[r->text_len++] = ' ';
    }
    const unsigned char *s = (const unsigned char *)line.ptr;
    for (size_t i = 0; i < line.len;) {
        size_t n = utf8_length(s + i, line.len - i);
        bool shown = n > 1 || (n == 1 && s[i] >= 0x20 && s[i] != 0x7f);
        size_t room = shown ? n : 1;
        if (r->text_len + room > REPLY_TEXT_MAX) {
            return;
        }
        if (shown) {
            memcpy(r->text + r->text_len, s + i, n);
        } else {
            r->text[r->text_len] = s[i] == '\t' ? ' ' : '?';
        }
        r->text_len += room;
        i += room;
    }
}

/* An enhanced status code counts only where its class is that of the reply (RFC 2034 section 4). */
static void read_status(struct reply_reader *r)
{
    struct status_code status;
    struct str rest = r->line_text;
    if (status_parse(str_split(&rest, ' '), &status) && status.class == r->code / 100) {
        r->status = status;
    }
}

static enum reply_event fail(struct reply_reader *r)
{
    r->bad = true;
    return REPLY_BAD;
}

static enum reply_event read_line(struct reply_reader *r)
{
    size_t kept = r->line_len < REPLY_LINE_KEPT ? r->line_len : REPLY_LINE_KEPT;
    if (r->line_len == kept && kept > 0 && r->line[kept - 1] == '\r') {
        kept--;
    }
    const char *l = r->line;
    if (kept < 3 || l[0] < '2' || l[0] > '5' || !ascii_is_digit(l[1]) || !ascii_is_digit(l[2]) ||
        (kept > 3 && l[3] != ' ' && l[3] != '-') || r->lines == REPLY_LINES_MAX) {
        return fail(r);
    }
    uint16_t code = (uint16_t)((l[0] - '0') * 100 + (l[1] - '0') * 10 + (l[2] - '0'));
    if (r->lines > 0 && code != r->code) {
        return fail(r);
    }
    r->code = code;
    r->lines++;
    r->line_text = str_from(l + (kept > 3 ? 4 : 3), kept > 3 ? kept - 4 : 0);
    r->line_len = 0;
    read_status(r);
    append_text(r, str_from(l, kept));
    r->done = !(kept > 3 && l[3] == '-');
    return r->done ? REPLY_DONE : REPLY_LINE;
}

enum reply_event reply_read(struct reply_reader *r, struct str *bytes)
{
    if (r->bad) {
        return REPLY_BAD;
    }
    if (r->done) {
        r->done = false;
        r->lines = 0;
        r->text_len = 0;
        r->status = (struct status_code){0};
    }
    for (size_t i = 0; i < bytes->len; i++) {
        char c = bytes->ptr[i];
        if (c == '\n') {
            *bytes = str_tail(*bytes, i + 1);
            return read_line(r);
        }
        if (r->line_len + 2 > REPLY_LINE_MAX) {
            return fail(r);
        }
        if (r->line_len < REPLY_LINE_KEPT) {
            r->line[r->line_len] = c;
        }
        r->line_len++;
    }
    *bytes = str_tail(*bytes, bytes->len);
    return REPLY_MORE;
}

struct str reply_text(const struct reply_reader *r)
{
    return str_from(r->text, r->text_len);
}
