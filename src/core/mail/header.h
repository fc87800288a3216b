/* header.h: the fields of a message's header, one after the other (RFC 5322 2.2, RFC 6532). Lines
 * may end with CRLF or LF. Nothing is copied, nothing is unfolded. */
#pragma once

#include "core/base/str.h"

struct header_field {
    struct str name;  /* before the colon, without blanks */
    struct str value; /* after the colon, as it stands: folds inside, no line end at its end */
    struct str whole; /* all of it with its line end */
};

struct header_iter {
    struct str rest; /* what no field was taken from yet */
};

struct header_iter header_begin(struct str message);
/* False at the empty line, at the end, and at a line that is no field. */
bool header_next(struct header_iter *it, struct header_field *field);
/* What follows the fields that header_next() took: the body, without the empty line before it. */
struct str header_body(const struct header_iter *it);
