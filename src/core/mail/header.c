#include "core/mail/header.h"

/* The line at the front, its end included. */
static struct str first_line(struct str text)
{
    size_t lf = str_find(text, '\n');
    return lf == STR_NONE ? text : str_head(text, lf + 1);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* The octets of a field's name at the front (RFC 5322 2.2: printable but the colon; what RFC 6532
 * adds is for values), or 0 where the colon does not follow it. */
static size_t name_length(struct str line)
{
    size_t n = 0;
    while (n < line.len && line.ptr[n] > 32 && line.ptr[n] < 127 && line.ptr[n] != ':') {
        n++;
    }
    size_t colon = n;
    while (colon < line.len && is_blank(line.ptr[colon])) {
        colon++; /* RFC 5322 4.5 let blanks stand there */
    }
    return colon < line.len && line.ptr[colon] == ':' ? n : 0;
}

struct header_iter header_begin(struct str message)
{
    return (struct header_iter){message};
}

bool header_next(struct header_iter *it, struct header_field *field)
{
    struct str rest = it->rest;
    struct str line = first_line(rest);
    size_t name = name_length(line);
    if (name == 0) {
        return false;
    }
    size_t length = line.len;
    while (length < rest.len && is_blank(rest.ptr[length])) {
        length += first_line(str_tail(rest, length)).len;
    }
    field->whole = str_head(rest, length);
    field->name = str_head(rest, name);
    field->value = str_tail(field->whole, str_find(field->whole, ':') + 1);
    while (field->value.len > 0 && (field->value.ptr[field->value.len - 1] == '\n' ||
                                    field->value.ptr[field->value.len - 1] == '\r')) {
        field->value.len--;
    }
    it->rest = str_tail(rest, length);
    return true;
}

struct str header_body(const struct header_iter *it)
{
    if (str_starts(it->rest, STR("\r\n"))) {
        return str_tail(it->rest, 2);
    }
    return str_starts(it->rest, STR("\n")) ? str_tail(it->rest, 1) : it->rest;
}
