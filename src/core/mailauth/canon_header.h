/* canon_header.h: header fields as a signature sees them (RFC 6376 section 3.4.1, 3.4.2), and which
 * ones it means (5.4.2). Lines may end in CRLF or LF; the canonical ones end in CRLF. */
#pragma once

#include "core/base/arena.h"
#include "core/base/buf.h"
#include "core/mail/header.h"

enum { CANON_FIELDS_MAX = 10000 }; /* a header of more has no signatures that are looked at */

/* Appends the field without its line end. `hole`: a part of its value that counts as empty. */
void canon_field(struct buf *out, const struct header_field *field, bool relaxed, struct str hole);

/* The fields of a header by name, to be used up from the bottom. */
struct canon_index {
    struct canon_entry *entries; /* sorted by name; of one name, the lowest first */
    size_t count;
    bool too_many;
};

struct canon_entry {
    struct header_field field;
    size_t position; /* from the top, 0 first */
    size_t used;     /* of the first of a name: how many of it were taken */
};

/* False: no memory. */
NODISCARD bool canon_index_make(struct canon_index *index, struct arena *arena, struct str header);
/* How many fields have that name. */
size_t canon_count(const struct canon_index *index, struct str name);
/* Appends the fields that a list of names with colons means, canonical, each with CRLF: for each
 * name the lowest field of it that was not taken yet, or nothing. */
void canon_fields(struct buf *out, struct canon_index *index, struct str names, bool relaxed);
