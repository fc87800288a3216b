#include "core/base/encode.h"

static const char base64_digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_encode(struct buf *out, struct str bytes)
{
    for (; bytes.len > 0; bytes = str_tail(bytes, 3)) {
        unsigned triple = 0;
        for (size_t i = 0; i < 3; i++) {
            triple = triple << 8 | (i < bytes.len ? (unsigned char)bytes.ptr[i] : 0U);
        }
        char quad[4];
        for (size_t i = 0; i < 4; i++) {
            quad[i] = i <= bytes.len ? base64_digits[triple >> (18 - 6 * i) & 63] : '=';
        }
        buf_add(out, str_from(quad, sizeof quad));
    }
}

static int base64_value(char c)
{
    if (c >= 'A' && c <= 'Z') {
        return c - 'A';
    }
    if (c >= 'a' && c <= 'z') {
        return c - 'a' + 26;
    }
    if (ascii_is_digit(c)) {
        return c - '0' + 52;
    }
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

bool base64_decode(struct buf *out, struct str text)
{
    if (text.len % 4 != 0) {
        return false;
    }
    for (; text.len > 0; text = str_tail(text, 4)) {
        size_t pad = text.len > 4 ? 0 : (text.ptr[3] == '=' ? (text.ptr[2] == '=' ? 2 : 1) : 0);
        unsigned triple = 0;
        for (size_t i = 0; i < 4; i++) {
            int value = i >= 4 - pad ? 0 : base64_value(text.ptr[i]);
            if (value < 0) {
                return false;
            }
            triple = triple << 6 | (unsigned)value;
        }
        for (size_t i = 0; i < 3 - pad; i++) {
            buf_add_char(out, (char)(triple >> (16 - 8 * i) & 255));
        }
        /* Bits that stand for nothing must be zero, or two texts would mean one value. */
        if ((pad == 1 && (triple & 0xff) != 0) || (pad == 2 && (triple & 0xffff) != 0)) {
            return false;
        }
    }
    return !out->failed;
}

static const char upper_hex[] = "0123456789ABCDEF";
static const char lower_hex[] = "0123456789abcdef";

static bool is_xchar(char c)
{
    return c >= '!' && c <= '~' && c != '+' && c != '=';
}

void xtext_encode(struct buf *out, struct str bytes)
{
    for (size_t i = 0; i < bytes.len; i++) {
        unsigned char c = (unsigned char)bytes.ptr[i];
        if (is_xchar(bytes.ptr[i])) {
            buf_add_char(out, bytes.ptr[i]);
        } else {
            char hex[3] = {'+', upper_hex[c >> 4], upper_hex[c & 15]};
            buf_add(out, str_from(hex, sizeof hex));
        }
    }
}

static int upper_hex_value(char c)
{
    if (ascii_is_digit(c)) {
        return c - '0';
    }
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool xtext_decode(struct buf *out, struct str text)
{
    while (text.len > 0) {
        if (text.ptr[0] != '+') {
            if (!is_xchar(text.ptr[0])) {
                return false;
            }
            buf_add_char(out, text.ptr[0]);
            text = str_tail(text, 1);
            continue;
        }
        int high = text.len >= 3 ? upper_hex_value(text.ptr[1]) : -1;
        int low = text.len >= 3 ? upper_hex_value(text.ptr[2]) : -1;
        if (high < 0 || low < 0) {
            return false;
        }
        buf_add_char(out, (char)(high << 4 | low));
        text = str_tail(text, 3);
    }
    return !out->failed;
}

void hex_encode(struct buf *out, struct str bytes)
{
    for (size_t i = 0; i < bytes.len; i++) {
        unsigned char c = (unsigned char)bytes.ptr[i];
        buf_add_char(out, lower_hex[c >> 4]);
        buf_add_char(out, lower_hex[c & 15]);
    }
}
