/* answer.h: what the server answers on its control socket, as JSON objects, a line each. Pure.
 *
 * Each has a "type". A request is answered by any number of "message", "story" or "status" lines,
 * then by one "end", or by one "error" instead of all that would follow. Times are RFC 3339 in UTC,
 * spans are whole seconds. Bytes that are not UTF-8 (other servers say what they like) become
 * U+FFFD. Every function appends one line with its LF to `out`, or makes it fail. */
#pragma once

#include "core/base/buf.h"
#include "path/queue/queue_control.h"
#include "path/spool/spool.h"

enum { ANSWER_RCPTS_SHORT = 10 }; /* told of a message in a list; "recipient_count" tells all */

/* `all`: every recipient, the finished ones too; else the first few that are not done. */
void answer_message(struct buf *out, const struct queue_item *item, bool all);
/* With the same in words as "text", as it stands at `now`. */
void answer_story(struct buf *out, const struct story *story, struct instant now);

struct answer_status {
    struct str version;
    struct str hostname;
    struct queue_counts counts;
    struct spool_usage usage;
    size_t clients; /* of the control socket */
};
void answer_status(struct buf *out, const struct answer_status *status);

struct answer_end {
    size_t matched;
    size_t changed;
    bool more;  /* there were more than the limit, or than can be told */
    int result; /* 0, or -errno: some could not be read or changed */
};
void answer_end(struct buf *out, const struct answer_end *end);

/* `code`, for programs: "request", "too-long", "busy", "stopping". `text`, for people. */
void answer_error(struct buf *out, const char *code, struct str text);
