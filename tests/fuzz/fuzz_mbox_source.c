/* Property: messages (the input, parted at 0xff) that were written into an mbox come out of it as
 * they were, whatever lines stand in them. */
#include "cli/trace/source.h"

#include <stdlib.h>

enum { MESSAGES_MAX = 100, KEEP = 1 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* As mboxrd has it: a line of ">…>From " gets one more ">". */
static void write_message(struct str message, struct buf *out)
{
    buf_add(out, STR("From a@b.example Tue Nov 24 08:00:00 2026\n"));
    while (message.len > 0) {
        size_t lf = str_find(message, '\n');
        struct str line = str_head(message, lf == STR_NONE ? message.len : lf + 1);
        struct str bare = line;
        while (str_starts(bare, STR(">"))) {
            bare = str_tail(bare, 1);
        }
        buf_add(out, str_starts(bare, STR("From ")) ? STR(">") : STR(""));
        buf_add(out, line);
        message = str_tail(message, line.len);
    }
    buf_add(out, STR("\n\n"));
}

static void read_back(FILE *mbox, const struct str *messages, size_t count)
{
    struct source *s = calloc(1, sizeof *s);
    if (!s) {
        return;
    }
    s->all = true;
    s->keep = KEEP;
    s->file = mbox;
    for (size_t i = 0; i < count; i++) {
        if (source_next(s) != 1 || !str_starts(buf_str(&s->message), messages[i]) ||
            !str_eq(str_tail(buf_str(&s->message), messages[i].len), STR("\n\n"))) {
            abort();
        }
    }
    if (source_next(s) != 0) {
        abort();
    }
    source_close(s);
    free(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str messages[MESSAGES_MAX];
    struct str rest = str_from((const char *)data, size < KEEP - 2 ? size : KEEP - 2);
    struct buf text = {0};
    size_t count = 0;
    do {
        messages[count] = str_split(&rest, '\xff');
        write_message(messages[count++], &text);
    } while (rest.len > 0 && count < MESSAGES_MAX);
    FILE *mbox = text.failed ? NULL : fmemopen(text.ptr, text.len, "rb");
    if (mbox) {
        read_back(mbox, messages, count);
    }
    buf_done(&text);
    return 0;
}
