#include "core/dns/name.h"

#include <string.h>

/* One octet of a label from text: itself, "\X" or "\DDD". -1: not of that form. */
static int text_octet(struct str *rest)
{
    unsigned char c = (unsigned char)rest->ptr[0];
    *rest = str_tail(*rest, 1);
    if (c != '\\') {
        return c;
    }
    if (rest->len == 0) {
        return -1;
    }
    if (!ascii_is_digit(rest->ptr[0])) {
        c = (unsigned char)rest->ptr[0];
        *rest = str_tail(*rest, 1);
        return c;
    }
    uint64_t value = 0;
    if (rest->len < 3 || !str_to_u64(str_head(*rest, 3), 255, &value)) {
        return -1;
    }
    *rest = str_tail(*rest, 3);
    return (int)value;
}

bool dns_name_parse(struct str text, struct dns_name *name)
{
    struct dns_name made = {0};
    size_t label_at = 0; /* where the length of the label being read stands */
    size_t len = 1;
    if (text.len == 0) {
        return false;
    }
    if (str_eq(text, STR("."))) {
        text.len = 0;
    }
    for (struct str rest = text; rest.len > 0;) {
        if (rest.ptr[0] == '.') {
            rest = str_tail(rest, 1);
            if (len == label_at + 1) {
                return false; /* an empty label */
            }
            label_at = len++;
            continue;
        }
        int octet = text_octet(&rest);
        /* One octet must stay free for the root label. */
        if (octet < 0 || len - label_at > DNS_LABEL_MAX || len >= DNS_NAME_MAX - 1) {
            return false;
        }
        made.wire[len++] = (uint8_t)octet;
        made.wire[label_at]++;
    }
    /* Without a final dot the last label is closed by a root label, which is still missing. */
    if (made.wire[label_at] != 0) {
        len++;
    }
    if (len > DNS_NAME_MAX) {
        return false;
    }
    made.len = (uint8_t)len;
    *name = made;
    return true;
}

void dns_name_format(struct buf *out, const struct dns_name *name)
{
    if (name->len <= 1) {
        buf_add_char(out, '.');
        return;
    }
    for (size_t at = 0; at < name->len && name->wire[at] != 0;) {
        size_t end = at + 1 + name->wire[at];
        if (at > 0) {
            buf_add_char(out, '.');
        }
        for (at++; at < end; at++) {
            char c = (char)name->wire[at];
            if (c == '.' || c == '\\') {
                buf_add_char(out, '\\');
                buf_add_char(out, c);
            } else if (c > 0x20 && c < 0x7f) {
                buf_add_char(out, c);
            } else {
                buf_add_format(out, "\\%03u", (unsigned)name->wire[at]);
            }
        }
    }
}

struct str dns_name_text(const struct dns_name *name, struct arena *arena)
{
    struct buf text = {0};
    dns_name_format(&text, name);
    struct str copy = text.failed ? (struct str){0} : arena_copy(arena, buf_str(&text));
    buf_done(&text);
    return copy;
}

bool dns_name_eq(const struct dns_name *a, const struct dns_name *b)
{
    /* A label's length is below 64, so it is no letter, and the whole compares as text. */
    return str_eq_nocase(str_from((const char *)a->wire, a->len),
                         str_from((const char *)b->wire, b->len));
}

bool dns_name_is_root(const struct dns_name *name)
{
    return name->len == 1;
}

bool dns_text_within(struct str name, struct str domain)
{
    if (name.len == domain.len) {
        return str_eq_nocase(name, domain);
    }
    return name.len > domain.len && str_ends_nocase(name, domain) &&
           name.ptr[name.len - domain.len - 1] == '.';
}
