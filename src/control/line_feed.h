/* line_feed.h: lines out of a stream of bytes, however it was cut. Pure. Zeroed but for `limit`, it
 * is empty. */
#pragma once

#include "core/base/buf.h"

struct line_feed {
    size_t limit; /* octets of a line, its end not counted */
    struct buf held;
    size_t taken; /* of `held`: lines given out */
};

enum line_feed_result {
    LINE_FEED_LINE,
    LINE_FEED_MORE,     /* no whole line is there yet */
    LINE_FEED_TOO_LONG, /* there will be none: the line has no end within the limit */
};

NODISCARD bool line_feed_add(struct line_feed *f, struct str bytes); /* false: no memory */
/* The next line without its LF or CRLF, borrowed until the next call of line_feed_add(). */
enum line_feed_result line_feed_next(struct line_feed *f, struct str *line);
size_t line_feed_waiting(const struct line_feed *f); /* octets not yet given out */
void line_feed_done(struct line_feed *f);
