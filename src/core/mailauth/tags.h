/* tags.h: lists of "name=value" as DKIM, ARC and DMARC write them (RFC 6376 section 3.2): a list
 * with a mistake, or with a name twice, means nothing at all. Slices of the text; nothing is
 * allocated. */
#pragma once

#include "core/base/buf.h"

enum { TAGS_MAX = 32 }; /* more in one list are a mistake; nobody writes half of them */

struct tag {
    struct str name;
    struct str value; /* without blanks at its ends; folds inside */
    struct str raw;   /* all that stands between "=" and ";" or the end */
};

struct tags {
    struct tag list[TAGS_MAX];
    size_t count;
};

NODISCARD bool tags_parse(struct str text, struct tags *tags);
/* Null: it is not there. Names are compared as they are (section 3.2). */
const struct tag *tags_find(const struct tags *tags, struct str name);
/* Its value; empty where it is not there. */
struct str tags_value(const struct tags *tags, struct str name);
/* Appends `text` without spaces, tabs and line ends. */
void tags_squeeze(struct buf *out, struct str text);
/* Takes the next part of a list with colons, "a : b:c", without blanks. False: there is none. */
bool tags_next_part(struct str *rest, struct str *part);
