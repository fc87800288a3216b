#include "control/line_feed.h"

bool line_feed_add(struct line_feed *f, struct str bytes)
{
    buf_drop(&f->held, f->taken);
    f->taken = 0;
    buf_add(&f->held, bytes);
    return !f->held.failed;
}

enum line_feed_result line_feed_next(struct line_feed *f, struct str *line)
{
    struct str rest = str_tail(buf_str(&f->held), f->taken);
    size_t end = str_find(str_head(rest, f->limit + 2), '\n');
    if (end == STR_NONE) {
        return rest.len > f->limit + 1 ? LINE_FEED_TOO_LONG : LINE_FEED_MORE;
    }
    struct str found = str_head(rest, end);
    if (str_ends(found, STR("\r"))) {
        found.len--;
    }
    if (found.len > f->limit) {
        return LINE_FEED_TOO_LONG;
    }
    f->taken += end + 1;
    *line = found;
    return LINE_FEED_LINE;
}

size_t line_feed_waiting(const struct line_feed *f)
{
    return f->held.len - f->taken;
}

void line_feed_done(struct line_feed *f)
{
    buf_done(&f->held);
    f->taken = 0;
}
