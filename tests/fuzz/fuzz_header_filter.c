/* Properties: what comes out, and what is found out, is the same however the message was cut; a
 * second filter changes nothing more; the body is untouched; of what is not submitted nothing is
 * dropped. */
#include "path/session/header_filter.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct completion completion = {.domain = STR_INIT("o.example"), .hosts = true};
static struct envelope_rcpt rcpts[] = {{.address = STR_INIT("a@b")}};
static const struct envelope envelope = {.rcpts = rcpts, .rcpt_count = 1};

static struct header_filter filter(struct str message, size_t step, bool submitted, struct buf *out)
{
    struct header_filter f = {.envelope = &envelope,
                              .submitted = submitted,
                              .completer = {.completion = submitted ? &completion : NULL}};
    struct str piece;
    for (; message.len > 0; message = str_tail(message, step)) {
        struct str part = str_head(message, step);
        while (header_filter_take(&f, &part, &piece)) {
            buf_add(out, piece);
        }
        if (part.len > 0) {
            abort();
        }
    }
    if (header_filter_end(&f, &piece)) {
        buf_add(out, piece);
    }
    return f;
}

static void must(bool holds)
{
    if (!holds) {
        abort();
    }
}

static void compare(const struct header_filter *a, const struct header_filter *b)
{
    must(a->received == b->received && a->delivered_here == b->delivered_here);
    must(a->has_date == b->has_date && a->has_message_id == b->has_message_id);
    must(a->tls_optional == b->tls_optional && a->in_body == b->in_body);
    must(a->authors.count == b->authors.count && a->authors.cut == b->authors.cut);
    for (size_t i = 0; i < a->authors.count; i++) {
        must(a->authors.fields[i].author == b->authors.fields[i].author);
        must(str_eq(header_author_value(&a->authors, i), header_author_value(&b->authors, i)));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str message = str_from((const char *)data, size);
    struct buf whole = {0}, again = {0}, plain = {0};
    if (size > COMPLETER_INSERTED_MAX / sizeof "@o.example") {
        return 0; /* where no more is inserted, a second time goes on */
    }
    struct header_filter f = filter(message, size + 1, true, &whole);
    for (size_t step = 1; step <= 5; step++) {
        struct buf cut = {0};
        struct header_filter g = filter(message, step, true, &cut);
        must(str_eq(buf_str(&cut), buf_str(&whole)));
        compare(&f, &g);
        buf_done(&cut);
    }
    struct header_filter second = filter(buf_str(&whole), size + 1, true, &again);
    must(str_eq(buf_str(&again), buf_str(&whole)));
    compare(&f, &second);
    (void)filter(message, size + 1, false, &plain);
    must(str_eq(buf_str(&plain), message));
    buf_done(&whole);
    buf_done(&again);
    buf_done(&plain);
    return 0;
}
