#include "core/base/utf8.h"

static bool is_tail(char c)
{
    return ((unsigned char)c & 0xc0) == 0x80;
}

/* The second octet's range is what excludes overlong forms, surrogates and the far end. */
static bool second_in_range(unsigned char first, unsigned char second)
{
    unsigned char low = 0x80, high = 0xbf;
    switch (first) {
    case 0xe0:
        low = 0xa0;
        break;
    case 0xed:
        high = 0x9f;
        break;
    case 0xf0:
        low = 0x90;
        break;
    case 0xf4:
        high = 0x8f;
        break;
    default:
        break;
    }
    return second >= low && second <= high;
}

size_t utf8_beyond_ascii(struct str s)
{
    unsigned char first = s.len ? (unsigned char)s.ptr[0] : 0;
    size_t need = first >= 0xc2 && first <= 0xdf   ? 2
                  : first >= 0xe0 && first <= 0xef ? 3
                  : first >= 0xf0 && first <= 0xf4 ? 4
                                                   : 0;
    if (need == 0 || s.len < need || !second_in_range(first, (unsigned char)s.ptr[1])) {
        return 0;
    }
    for (size_t i = 2; i < need; i++) {
        if (!is_tail(s.ptr[i])) {
            return 0;
        }
    }
    return need;
}

bool str_has_high_octet(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        if ((unsigned char)s.ptr[i] > 0x7f) {
            return true;
        }
    }
    return false;
}

bool utf8_valid(struct str s)
{
    while (s.len > 0) {
        size_t n = (unsigned char)s.ptr[0] < 0x80 ? 1 : utf8_beyond_ascii(s);
        if (n == 0) {
            return false;
        }
        s = str_tail(s, n);
    }
    return true;
}
