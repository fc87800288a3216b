/* Every way of cutting up the bytes gives the same replies, and what is kept stays within bounds.
 */
#include "core/base/crc32c.h"
#include "core/smtp/reply_reader.h"

#include <stdlib.h>

struct summary {
    uint32_t crc;
    size_t replies;
    bool bad;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void take(struct summary *s, const struct reply_reader *r, enum reply_event event)
{
    struct str text = reply_text(r);
    if (text.len > REPLY_TEXT_MAX || r->line_text.len > REPLY_LINE_KEPT || r->code < 200 ||
        r->code > 599 || (r->status.class != 0 && r->status.class != r->code / 100)) {
        abort();
    }
    s->crc = crc32c(s->crc, text);
    s->crc = crc32c(s->crc, r->line_text);
    s->replies += event == REPLY_DONE;
}

static struct summary run(struct str bytes, size_t step)
{
    struct summary s = {0};
    struct reply_reader r = {0};
    while (bytes.len > 0 && !s.bad) {
        struct str piece = str_head(bytes, step);
        bytes = str_tail(bytes, step);
        while (piece.len > 0 && !s.bad) {
            enum reply_event event = reply_read(&r, &piece);
            s.bad = event == REPLY_BAD;
            if (event == REPLY_LINE || event == REPLY_DONE) {
                take(&s, &r, event);
            }
        }
    }
    return s;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str bytes = str_from((const char *)data, size);
    struct summary whole = run(bytes, size ? size : 1);
    for (size_t step = 1; step <= 7; step++) {
        struct summary cut = run(bytes, step);
        if (cut.crc != whole.crc || cut.replies != whole.replies || cut.bad != whole.bad) {
            abort();
        }
    }
    return 0;
}
