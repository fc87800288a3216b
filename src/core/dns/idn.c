#include "core/dns/idn.h"

#include <idn2.h>
#include <string.h>

/* A name of 255 octets in A-labels has far fewer than this in UTF-8, and libidn2 is spared more. */
enum { INPUT_MAX = 1024 };

static bool is_ascii(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        if ((unsigned char)s.ptr[i] >= 0x80) {
            return false;
        }
    }
    return true;
}

static void add_lower(struct buf *out, struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        buf_add_char(out, ascii_lower(s.ptr[i]));
    }
}

bool idn_to_ascii(struct buf *out, struct str domain)
{
    if (domain.len == 0 || domain.len > INPUT_MAX || memchr(domain.ptr, 0, domain.len)) {
        return false;
    }
    if (is_ascii(domain)) {
        add_lower(out, domain);
        return !out->failed;
    }
    char text[INPUT_MAX + 1];
    memcpy(text, domain.ptr, domain.len);
    text[domain.len] = '\0';
    uint8_t *made = NULL;
    int result =
        idn2_lookup_u8((const uint8_t *)text, &made, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
    if (result != IDN2_OK) {
        return false;
    }
    add_lower(out, str_from_cstr((const char *)made));
    idn2_free(made);
    return !out->failed;
}
