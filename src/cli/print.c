#include "cli/print.h"

#include "core/base/utf8.h"

/* C1 controls, and the characters that mark, embed, override or isolate directions or end lines. */
static bool steers(struct str c)
{
    return (c.len == 2 && c.ptr[0] == '\xc2' && (unsigned char)c.ptr[1] < 0xa0) ||
           str_starts(c, STR("\xd8\x9c")) || str_starts(c, STR("\xe2\x80\x8e")) ||
           str_starts(c, STR("\xe2\x80\x8f")) || str_starts(c, STR("\xe2\x80\xa8")) ||
           str_starts(c, STR("\xe2\x80\xa9")) ||
           (str_starts(c, STR("\xe2\x80")) && (unsigned char)c.ptr[2] >= 0xaa &&
            (unsigned char)c.ptr[2] <= 0xae) ||
           (str_starts(c, STR("\xe2\x81")) && (unsigned char)c.ptr[2] >= 0xa6 &&
            (unsigned char)c.ptr[2] <= 0xa9);
}

void print_clean(struct buf *out, struct str text, bool lines)
{
    while (text.len > 0) {
        char c = text.ptr[0];
        size_t wide = utf8_beyond_ascii(text);
        struct str whole = str_head(text, wide ? wide : 1);
        if (wide && !steers(whole)) {
            buf_add(out, whole);
        } else if (c == '\n' || c == '\r' || c == '\t') {
            buf_add_char(out, lines && c == '\n' ? c : ' ');
        } else {
            buf_add_char(out, ascii_is_print(c) ? c : '?');
        }
        text = str_tail(text, whole.len);
    }
}

void print_text(FILE *to, struct str text, bool lines)
{
    struct buf clean = {0};
    print_clean(&clean, text, lines);
    if (clean.len > 0) {
        (void)fwrite(clean.ptr, 1, clean.len, to);
    }
    buf_done(&clean);
}

void print_facts(const json_t *object)
{
    (void)json_dumpf(object, stdout, JSON_INDENT(2));
    (void)printf("\n");
}
