/* lines.h: the lines of a text file that say something, with their numbers. */
#pragma once

#include "core/base/str.h"

struct lines {
    struct str rest;
    uint32_t number; /* of the line that lines_next() gave, from 1 */
};

struct lines lines_begin(struct str text); /* borrows; a UTF-8 byte order mark is skipped */
/* The next line without its end (LF or CR LF), and without blanks at its end. Blank lines and those
 * whose first visible character is "#" are passed over. False: no more. */
bool lines_next(struct lines *lines, struct str *line);
