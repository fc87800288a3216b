#include "core/base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_CAPACITY = 64 };

void buf_done(struct buf *b)
{
    if (!b->lent) {
        free(b->ptr);
    }
    *b = (struct buf){0};
}

void buf_clear(struct buf *b)
{
    b->len = 0;
    b->failed = false;
}

struct str buf_str(const struct buf *b)
{
    return (struct str){b->ptr, b->len};
}

bool buf_reserve(struct buf *b, size_t more)
{
    if (b->failed) {
        return false;
    }
    if (b->cap - b->len >= more) {
        return true;
    }
    size_t cap = b->cap ? b->cap : FIRST_CAPACITY;
    while (cap - b->len < more) {
        if (cap > SIZE_MAX / 2) {
            b->failed = true;
            return false;
        }
        cap *= 2;
    }
    char *grown = realloc(b->lent ? NULL : b->ptr, cap);
    if (!grown) {
        b->failed = true;
        return false;
    }
    if (b->lent && b->len > 0) {
        memcpy(grown, b->ptr, b->len);
    }
    b->lent = false;
    b->ptr = grown;
    b->cap = cap;
    return true;
}

void buf_add(struct buf *b, struct str s)
{
    if (s.len == 0 || !buf_reserve(b, s.len)) {
        return;
    }
    memcpy(b->ptr + b->len, s.ptr, s.len);
    b->len += s.len;
}

void buf_add_all(struct buf *b, const struct str *parts, size_t count)
{
    size_t len = 0;
    for (size_t i = 0; i < count; i++) {
        len += parts[i].len;
    }
    for (size_t i = 0; i < count && buf_reserve(b, len); i++) {
        buf_add(b, parts[i]);
    }
}

void buf_add_char(struct buf *b, char c)
{
    if (b->len < b->cap && !b->failed) {
        b->ptr[b->len++] = c;
    } else {
        buf_add(b, str_from(&c, 1));
    }
}

void buf_add_u64(struct buf *b, uint64_t value)
{
    buf_add_digits(b, value, 1);
}

void buf_add_digits(struct buf *b, uint64_t value, size_t least)
{
    char digits[20];
    size_t at = sizeof digits;
    size_t end = at - (least < at ? least : at);
    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0 || at > end);
    buf_add(b, str_from(digits + at, sizeof digits - at));
}

/* Written in place where it fits; where not, once more with room. vsnprintf insists on a byte for a
 * NUL, which is not kept. */
void buf_add_format(struct buf *b, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    va_list again;
    va_copy(again, args);
    if (buf_reserve(b, 1)) {
        size_t room = b->cap - b->len;
        int len = vsnprintf(b->ptr + b->len, room, format, args);
        if (len < 0) {
            b->failed = true;
        } else if ((size_t)len < room) {
            b->len += (size_t)len;
        } else if (buf_reserve(b, (size_t)len + 1)) {
            (void)vsnprintf(b->ptr + b->len, (size_t)len + 1, format, again);
            b->len += (size_t)len;
        }
    }
    va_end(again);
    va_end(args);
}

void buf_drop(struct buf *b, size_t n)
{
    if (n >= b->len) {
        b->len = 0;
        return;
    }
    if (n > 0) {
        memmove(b->ptr, b->ptr + n, b->len - n);
        b->len -= n;
    }
}

static void put_little_endian(struct buf *b, uint64_t v, size_t bytes)
{
    char out[8];
    for (size_t i = 0; i < bytes; i++) {
        out[i] = (char)(v >> (8 * i));
    }
    buf_add(b, str_from(out, bytes));
}

void buf_put_u8(struct buf *b, uint8_t v)
{
    put_little_endian(b, v, 1);
}

void buf_put_u16(struct buf *b, uint16_t v)
{
    put_little_endian(b, v, 2);
}

void buf_put_u32(struct buf *b, uint32_t v)
{
    put_little_endian(b, v, 4);
}

void buf_put_u64(struct buf *b, uint64_t v)
{
    put_little_endian(b, v, 8);
}

void buf_put_str(struct buf *b, struct str s)
{
    if (s.len > UINT32_MAX) {
        b->failed = true;
        return;
    }
    buf_put_u32(b, (uint32_t)s.len);
    buf_add(b, s);
}
