/* mime.h: just enough of MIME (RFC 2045, RFC 2046 5.1) to walk through a message's parts. */
#pragma once

#include "core/mail/header.h"

enum { MIME_BOUNDARY_MAX = 70 }; /* RFC 2046 5.1.1 */

enum mime_encoding {
    ENCODING_NONE, /* not said: 7bit */
    ENCODING_7BIT,
    ENCODING_8BIT,
    ENCODING_BINARY,
    ENCODING_QUOTED_PRINTABLE,
    ENCODING_BASE64,
    ENCODING_UNKNOWN,
};

/* What a part's header says. Slices of the header. */
struct mime_part {
    struct str header; /* without the empty line */
    struct str body;
    bool has_version; /* MIME-Version */
    bool has_type;
    struct str type, subtype; /* "text", "plain" where nothing is said; empty where damaged */
    char boundary[MIME_BOUNDARY_MAX];
    size_t boundary_len; /* 0: none, or none that may be one */
    enum mime_encoding encoding;
};
void mime_part_read(struct str entity, struct mime_part *part);

/* The parts of a multipart's body, as text. `outside` of the first call is the preamble. */
struct mime_split {
    struct str rest;
    struct str boundary;
    bool closed; /* the closing delimiter was seen: `rest` is the epilogue */
};
/* What stands before the next delimiter line, without the line end that belongs to the delimiter.
 * False where no further delimiter comes; nothing is then taken. */
bool mime_split_next(struct mime_split *split, struct str *before);
