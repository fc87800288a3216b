#include "config/lines.h"

struct lines lines_begin(struct str text)
{
    struct str mark = STR("\xef\xbb\xbf");
    return (struct lines){.rest = str_starts(text, mark) ? str_tail(text, mark.len) : text};
}

bool lines_next(struct lines *lines, struct str *line)
{
    while (lines->rest.len > 0) {
        struct str whole = str_split(&lines->rest, '\n');
        struct str visible = str_trim(whole);
        lines->number += lines->number < UINT32_MAX;
        if (visible.len > 0 && visible.ptr[0] != '#') {
            *line = str_head(whole, (size_t)(visible.ptr - whole.ptr) + visible.len);
            return true;
        }
    }
    return false;
}
