/* Properties: taking one ">" off gives the message back, but for the LF that a last line lacks; no
 * line of what is written begins a message; it is the same however the message was cut. */
#include "path/deliver/mbox_quote.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void quote(struct str message, size_t step, struct buf *out)
{
    struct mbox_quoter q = {0};
    for (; message.len > 0; message = str_tail(message, step)) {
        mbox_quote(&q, str_head(message, step), out);
    }
    mbox_quote_end(&q, out);
}

/* As a reader of mboxrd does it. */
static void unquote(struct str text, struct buf *out)
{
    while (text.len > 0) {
        size_t lf = str_find(text, '\n');
        struct str line = str_head(text, lf == STR_NONE ? text.len : lf + 1);
        struct str bare = line;
        while (str_starts(bare, STR(">"))) {
            bare = str_tail(bare, 1);
        }
        bool separator = str_starts(bare, STR("From "));
        if (lf == STR_NONE || (separator && bare.len == line.len)) {
            abort();
        }
        buf_add(out, separator ? str_tail(line, 1) : line);
        text = str_tail(text, line.len);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str message = str_from((const char *)data, size);
    struct buf whole = {0}, back = {0}, expected = {0};
    quote(message, size + 1, &whole);
    for (size_t step = 1; step <= 6; step++) {
        struct buf cut = {0};
        quote(message, step, &cut);
        if (!str_eq(buf_str(&cut), buf_str(&whole))) {
            abort();
        }
        buf_done(&cut);
    }
    unquote(buf_str(&whole), &back);
    buf_add(&expected, message);
    if (size > 0 && data[size - 1] != '\n') {
        buf_add_char(&expected, '\n');
    }
    if (!str_eq(buf_str(&back), buf_str(&expected))) {
        abort();
    }
    buf_done(&whole);
    buf_done(&back);
    buf_done(&expected);
    return 0;
}
