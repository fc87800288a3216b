#include "core/mailauth/tags.h"

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* tag-name: a letter, then letters, digits and underscores. */
static bool is_name(struct str name)
{
    for (size_t i = 0; i < name.len; i++) {
        if (!ascii_is_alnum(name.ptr[i]) && name.ptr[i] != '_') {
            return false;
        }
    }
    return name.len > 0 && ascii_is_alpha(name.ptr[0]);
}

/* tag-value: printable and blank; what is beyond ASCII may stand there since RFC 8616. */
static bool is_value(struct str value)
{
    for (size_t i = 0; i < value.len; i++) {
        unsigned char c = (unsigned char)value.ptr[i];
        if ((c < 0x20 && !is_blank(value.ptr[i])) || c == 0x7f) {
            return false;
        }
    }
    return true;
}

bool tags_parse(struct str text, struct tags *tags)
{
    tags->count = 0;
    while (text.len > 0) {
        struct str raw = str_split(&text, ';');
        if (str_trim(raw).len == 0 && text.len == 0 && tags->count > 0) {
            break; /* the semicolon that may end the list */
        }
        size_t equals = str_find(raw, '=');
        struct str name = str_trim(str_head(raw, equals == STR_NONE ? 0 : equals));
        if (tags->count == TAGS_MAX || !is_name(name) || tags_find(tags, name)) {
            return false;
        }
        raw = str_tail(raw, equals + 1);
        if (!is_value(raw)) {
            return false;
        }
        tags->list[tags->count++] = (struct tag){name, str_trim(raw), raw};
    }
    return tags->count > 0;
}

const struct tag *tags_find(const struct tags *tags, struct str name)
{
    for (size_t i = 0; i < tags->count; i++) {
        if (str_eq(tags->list[i].name, name)) {
            return &tags->list[i];
        }
    }
    return NULL;
}

struct str tags_value(const struct tags *tags, struct str name)
{
    const struct tag *tag = tags_find(tags, name);
    return tag ? tag->value : (struct str){0};
}

void tags_squeeze(struct buf *out, struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (!is_blank(text.ptr[i])) {
            buf_add_char(out, text.ptr[i]);
        }
    }
}

bool tags_next_part(struct str *rest, struct str *part)
{
    if (rest->len == 0) {
        return false;
    }
    *part = str_trim(str_split(rest, ':'));
    return true;
}
