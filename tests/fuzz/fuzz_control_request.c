/* What comes in at the control socket. Properties: the lines are the same however the stream was
 * cut; a question is refused with a reason, or understood within its bounds: "why" asks for one
 * thing, a reset is of somebody, and a selector that has members selects by something. */
#include "control/line_feed.h"
#include "control/request.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { LIMIT = 4096 };

static void check_selector(const json_t *json, const struct queue_selector *s)
{
    bool selects = s->id.value != 0 || s->sender.len > 0 || s->recipient.len > 0 ||
                   s->domain.len > 0 || s->site.len > 0 || s->last_error.len > 0 ||
                   s->older_than.us > 0 || s->states != 0;
    bool has = json_object_size(json_object_get(json, "selector")) > 0;
    if (has != selects || s->older_than.us < 0) {
        abort();
    }
}

static void ask(struct str line)
{
    const char *reason = NULL;
    struct control_question q;
    json_error_t error;
    json_t *json = json_loadb(line.ptr, line.len, JSON_REJECT_DUPLICATES, &error);
    if (!json) {
        return;
    }
    if (!control_question_read(json, &q, &reason)) {
        if (!reason || strlen(reason) == 0) {
            abort();
        }
    } else if (q.limit >= 1000000 ||
               (q.verb == CONTROL_WHY && (q.id.value != 0) == (q.address.len > 0)) ||
               (q.verb == CONTROL_RESET && q.user.len == 0)) {
        abort();
    } else if (q.verb == CONTROL_QUEUE) {
        check_selector(json, &q.selector);
    }
    json_decref(json);
}

/* Every line and how the stream ended, as one text. */
static void lines_of(struct str stream, size_t step, struct buf *out)
{
    struct line_feed feed = {.limit = LIMIT};
    enum line_feed_result result = LINE_FEED_MORE;
    for (; stream.len > 0 && result == LINE_FEED_MORE; stream = str_tail(stream, step)) {
        if (!line_feed_add(&feed, str_head(stream, step))) {
            break;
        }
        for (struct str line; (result = line_feed_next(&feed, &line)) == LINE_FEED_LINE;) {
            buf_put_str(out, line);
            if (step > LIMIT) {
                ask(line);
            }
        }
    }
    buf_put_u8(out, (uint8_t)result);
    line_feed_done(&feed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str stream = str_from((const char *)data, size);
    struct buf whole = {0};
    lines_of(stream, LIMIT + size + 1, &whole);
    ask(stream);
    for (size_t step = 1; step < 5; step++) {
        struct buf cut = {0};
        lines_of(stream, step, &cut);
        if (!str_eq(buf_str(&cut), buf_str(&whole))) {
            abort();
        }
        buf_done(&cut);
    }
    buf_done(&whole);
    return 0;
}
