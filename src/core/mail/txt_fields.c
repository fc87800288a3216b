#include "core/mail/txt_fields.h"

enum { NAME_MAX_LEN = 32 };

static bool is_name(char c)
{
    return ascii_is_alnum(c) || c == '_' || c == '-' || c == '.';
}

static bool is_value(char c)
{
    return (ascii_is_print(c) && c != ';') || c == '\t';
}

struct str scan_field_name(struct scan *sc)
{
    struct str name = scan_while1(sc, is_name);
    if (name.len > NAME_MAX_LEN || (name.len > 0 && !ascii_is_alnum(name.ptr[0]))) {
        scan_fail(sc);
    }
    return name;
}

bool txt_fields_begin(struct txt_fields *f, struct str text, struct str version)
{
    f->scan = (struct scan){.rest = text};
    scan_char(&f->scan, 'v');
    scan_char(&f->scan, '=');
    if (!str_starts(f->scan.rest, version)) {
        scan_fail(&f->scan);
    }
    (void)scan_take(&f->scan, version.len);
    scan_spaces(&f->scan);
    return scan_ok(&f->scan) && (scan_at_end(&f->scan) || scan_peek(&f->scan) == ';');
}

bool txt_fields_next(struct txt_fields *f, struct str *name, struct str *value)
{
    struct scan *sc = &f->scan;
    if (!scan_ok(sc) || scan_at_end(sc)) {
        return false;
    }
    scan_char(sc, ';');
    scan_spaces(sc);
    if (scan_at_end(sc)) {
        return false;
    }
    *name = scan_field_name(sc);
    scan_char(sc, '=');
    *value = str_trim(scan_while1(sc, is_value));
    if (value->len == 0) {
        scan_fail(sc);
    }
    return scan_ok(sc);
}

bool txt_fields_good(const struct txt_fields *f)
{
    return scan_ok(&f->scan);
}
