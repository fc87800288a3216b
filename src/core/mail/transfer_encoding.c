#include "core/mail/transfer_encoding.h"

#include "core/base/encode.h"

enum { LINE_MAX_CHARS = 76, BASE64_LINE_BYTES = 57 };

static const char hex[] = "0123456789ABCDEF";

/* At the front of `rest` stands the end of a line, or of everything. */
static bool at_line_end(struct str rest)
{
    return rest.len == 0 || str_starts(rest, STR("\r\n"));
}

void quoted_printable_encode(struct buf *out, struct str bytes)
{
    size_t column = 0;
    while (bytes.len > 0) {
        if (str_starts(bytes, STR("\r\n"))) {
            buf_add(out, STR("\r\n"));
            bytes = str_tail(bytes, 2);
            column = 0;
            continue;
        }
        unsigned char c = (unsigned char)bytes.ptr[0];
        bytes = str_tail(bytes, 1);
        bool blank = c == ' ' || c == '\t';
        bool plain = blank ? !at_line_end(bytes) : c > 32 && c < 127 && c != '=';
        size_t width = plain ? 1 : 3;
        size_t room = LINE_MAX_CHARS - (at_line_end(bytes) ? 0 : 1); /* for a soft line break */
        if (column + width > room) {
            buf_add(out, STR("=\r\n"));
            column = 0;
        }
        if (plain) {
            buf_add_char(out, (char)c);
        } else {
            char code[3] = {'=', hex[c >> 4], hex[c & 15]};
            buf_add(out, str_from(code, sizeof code));
        }
        column += width;
    }
}

void base64_lines_encode(struct buf *out, struct str bytes)
{
    while (bytes.len > 0) {
        base64_encode(out, str_head(bytes, BASE64_LINE_BYTES));
        buf_add(out, STR("\r\n"));
        bytes = str_tail(bytes, BASE64_LINE_BYTES);
    }
}

static int hex_value(char c)
{
    size_t at = str_find(str_from(hex, 16), ascii_upper(c));
    return at == STR_NONE ? -1 : (int)at;
}

bool quoted_printable_decode(struct buf *out, struct str text)
{
    while (text.len > 0) {
        if (text.ptr[0] != '=') {
            buf_add_char(out, text.ptr[0]);
            text = str_tail(text, 1);
            continue;
        }
        if (str_starts(text, STR("=\r\n"))) {
            text = str_tail(text, 3);
            continue;
        }
        int high = text.len > 2 ? hex_value(text.ptr[1]) : -1;
        int low = text.len > 2 ? hex_value(text.ptr[2]) : -1;
        if (high < 0 || low < 0) {
            return false;
        }
        buf_add_char(out, (char)(high * 16 + low));
        text = str_tail(text, 3);
    }
    return true;
}
