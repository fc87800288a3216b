#include "stores/ldap_text.h"

#include "core/base/encode.h"
#include "stores/store.h"

static void escape(struct buf *out, char c)
{
    buf_add_char(out, '\\');
    hex_encode(out, (struct str){&c, 1});
}

static void add_filter_value(struct buf *out, struct str value)
{
    for (size_t i = 0; i < value.len; i++) {
        if (str_find(STR("*()\\\0"), value.ptr[i]) != STR_NONE) {
            escape(out, value.ptr[i]);
        } else {
            buf_add_char(out, value.ptr[i]);
        }
    }
}

/* A blank or `#` counts at an end only; escaped, it is right everywhere. */
static void add_dn_value(struct buf *out, struct str value)
{
    for (size_t i = 0; i < value.len; i++) {
        if (str_find(STR("\"+,;<=>\\ #\0"), value.ptr[i]) != STR_NONE) {
            escape(out, value.ptr[i]);
        } else {
            buf_add_char(out, value.ptr[i]);
        }
    }
}

static void fill_in(struct buf *out, struct str template, struct str name,
                    void (*add)(struct buf *out, struct str value))
{
    struct str local, domain;
    store_name_parts(name, &local, &domain);
    const struct {
        struct str hole, value;
    } parts[] = {{STR("{user}"), name}, {STR("{local}"), local}, {STR("{domain}"), domain}};
    while (template.len > 0) {
        size_t i = 0;
        while (i < ARRAY_LEN(parts) && !str_starts(template, parts[i].hole)) {
            i++;
        }
        if (i < ARRAY_LEN(parts)) {
            add(out, parts[i].value);
            template = str_tail(template, parts[i].hole.len);
        } else {
            buf_add_char(out, template.ptr[0]);
            template = str_tail(template, 1);
        }
    }
}

void ldap_filter(struct buf *out, struct str template, struct str name)
{
    fill_in(out, template, name, add_filter_value);
}

void ldap_dn(struct buf *out, struct str template, struct str name)
{
    fill_in(out, template, name, add_dn_value);
}
