/* Properties: what comes out is the same however the message was cut; it is a part of what went in,
 * in its order, and all of it where nothing was removed; a second filter finds nothing more. */
#include "core/base/buf.h"
#include "path/session/results_filter.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint32_t filter(struct str message, size_t step, struct buf *out)
{
    struct results_filter f = {.hostname = STR("mx.here.example")};
    struct str piece;
    for (; message.len > 0; message = str_tail(message, step)) {
        struct str part = str_head(message, step);
        while (results_filter_take(&f, &part, &piece)) {
            buf_add(out, piece);
        }
        if (part.len > 0) {
            abort();
        }
    }
    if (results_filter_end(&f, &piece)) {
        buf_add(out, piece);
    }
    return f.removed;
}

static bool is_part(struct str part, struct str whole)
{
    size_t at = 0;
    for (size_t i = 0; i < whole.len && at < part.len; i++) {
        at += whole.ptr[i] == part.ptr[at];
    }
    return at == part.len;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str message = str_from((const char *)data, size);
    struct buf whole = {0}, again = {0};
    uint32_t removed = filter(message, size + 1, &whole);
    for (size_t step = 1; step <= 5; step++) {
        struct buf cut = {0};
        if (filter(message, step, &cut) != removed || !str_eq(buf_str(&cut), buf_str(&whole))) {
            abort();
        }
        buf_done(&cut);
    }
    if (!is_part(buf_str(&whole), message) || (removed == 0 && whole.len != size) ||
        filter(buf_str(&whole), size + 1, &again) != 0) {
        abort();
    }
    buf_done(&whole);
    buf_done(&again);
    return 0;
}
