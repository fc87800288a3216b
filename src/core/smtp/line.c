#include "core/smtp/line.h"

#include <string.h>

void line_done(struct line_reader *r)
{
    buf_done(&r->kept);
    *r = (struct line_reader){0};
}

static size_t limit(const struct line_reader *r)
{
    return r->may_be_long ? LINE_LONG_OCTETS : LINE_MAX_OCTETS;
}

bool line_idle(const struct line_reader *r)
{
    return (r->kept.len == 0 || r->used) && !r->cr && !r->bare && !r->overlong && !r->no_memory;
}

/* Looks for bare CRs in a stretch that ends with its only LF, if it has one. */
static void look(struct line_reader *r, struct str stretch)
{
    bool cr = r->cr;
    for (size_t i = 0; i < stretch.len; i++) {
        char c = stretch.ptr[i];
        if (cr != (c == '\n')) {
            r->bare = true;
            /* A CR before this octet, or this LF alone. */
        }
        cr = c == '\r';
    }
    r->cr = cr;
}

static void keep(struct line_reader *r, struct str stretch)
{
    if (r->bare || r->overlong || r->no_memory) {
        buf_done(&r->kept);
    } else if (r->kept.len + stretch.len > limit(r)) {
        r->overlong = true;
        buf_done(&r->kept);
    } else {
        buf_add(&r->kept, stretch);
        r->no_memory = r->kept.failed;
    }
}

static bool is_endless(struct line_reader *r, struct str stretch)
{
    bool spoilt = r->overlong || r->bare || r->no_memory;
    r->passed +=
        spoilt ? (uint32_t)(stretch.len < LINE_ENDLESS_OCTETS ? stretch.len : LINE_ENDLESS_OCTETS)
               : 0;
    return r->passed >= LINE_ENDLESS_OCTETS;
}

enum line_result line_take(struct line_reader *r, struct str *bytes, struct str *line)
{
    if (r->used) {
        buf_done(&r->kept);
        r->used = false;
    }
    if (bytes->len == 0) {
        return LINE_MORE;
    }
    const char *lf = memchr(bytes->ptr, '\n', bytes->len);
    struct str stretch = lf ? str_head(*bytes, (size_t)(lf - bytes->ptr) + 1) : *bytes;
    *bytes = str_tail(*bytes, stretch.len);
    bool ended_before = r->cr;
    look(r, stretch);
    if (!lf) {
        keep(r, stretch);
        return is_endless(r, stretch) ? LINE_ENDLESS : LINE_MORE;
    }
    bool crlf = stretch.len >= 2 ? stretch.ptr[stretch.len - 2] == '\r' : ended_before;
    struct str whole = stretch;
    if (r->kept.len > 0 || r->overlong || r->no_memory) {
        keep(r, stretch);
        whole = buf_str(&r->kept);
    } else if (stretch.len > limit(r)) {
        r->overlong = true;
    }
    enum line_result result = r->bare        ? LINE_BARE
                              : r->overlong  ? LINE_OVERLONG
                              : r->no_memory ? LINE_MEMORY
                                             : LINE_WHOLE;
    r->passed = 0;
    if (crlf) {
        r->bare = false;
        r->overlong = false;
        r->no_memory = false;
    }
    if (result == LINE_WHOLE) {
        *line = str_head(whole, whole.len - 2);
        r->used = r->kept.len > 0;
    } else {
        buf_done(&r->kept);
    }
    return result;
}
