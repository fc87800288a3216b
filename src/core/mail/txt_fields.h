/* txt_fields.h: the fields of a TXT record like "v=STSv1; id=20160831085700Z;" (RFC 8461 3.1,
 * RFC 8460 3): a version, then name=value between semicolons. Borrows from the text. */
#pragma once

#include "core/base/scan.h"

struct txt_fields {
    struct scan scan;
};

/* False: the text is a record of another kind or version. */
NODISCARD bool txt_fields_begin(struct txt_fields *f, struct str text, struct str version);
/* False: the end, or something malformed: txt_fields_good(). A value is not empty, and has no blank
 * at its ends. */
bool txt_fields_next(struct txt_fields *f, struct str *name, struct str *value);
bool txt_fields_good(const struct txt_fields *f);
/* A field's name: a letter or digit, then up to 31 of those, "_", "-" and ".". */
struct str scan_field_name(struct scan *sc);
