#include "path/deliver/mbox_quote.h"

static const struct str separator = STR_INIT("From ");

/* What was held back is no "From ". */
static void let_go(struct mbox_quoter *q, struct buf *out)
{
    buf_add(out, str_head(separator, q->matched));
    q->matched = 0;
    q->in_line = true;
}

/* One octet near a line's start. A ">" before "From " passes: where in their row one more is put
 * makes no difference. */
static void at_start(struct mbox_quoter *q, char c, struct buf *out)
{
    if (c == separator.ptr[q->matched]) {
        q->matched++;
        if (q->matched == separator.len) {
            buf_add_char(out, '>');
            let_go(q, out);
        }
        return;
    }
    bool quoted = c == '>' && q->matched == 0;
    if (!quoted) {
        let_go(q, out);
    }
    buf_add_char(out, c);
    q->in_line = !quoted && c != '\n';
}

void mbox_quote(struct mbox_quoter *q, struct str text, struct buf *out)
{
    if (text.len > 0) {
        q->open = text.ptr[text.len - 1] != '\n';
    }
    while (text.len > 0) {
        if (!q->in_line) {
            at_start(q, text.ptr[0], out);
            text = str_tail(text, 1);
            continue;
        }
        size_t end = str_find(text, '\n');
        size_t taken = end == STR_NONE ? text.len : end + 1;
        buf_add(out, str_head(text, taken));
        text = str_tail(text, taken);
        q->in_line = end == STR_NONE;
    }
}

void mbox_quote_end(struct mbox_quoter *q, struct buf *out)
{
    buf_add(out, str_head(separator, q->matched));
    buf_add(out, q->open ? STR("\n") : STR(""));
    *q = (struct mbox_quoter){0};
}
