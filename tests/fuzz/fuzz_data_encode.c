/* What leaves has no bare CR or LF and, in DATA's form, ends at its one lone dot; it is the same
 * however the body is cut, and not longer than promised. */
#include "core/smtp/data_encode.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void encode(struct buf *out, struct str body, bool dots, size_t step)
{
    struct data_encoder e = data_encoder_begin(dots);
    for (; body.len > 0; body = str_tail(body, step)) {
        data_encode(&e, str_head(body, step), out);
    }
    data_encode_end(&e, out);
}

static void check(struct str out, bool dots)
{
    for (size_t i = 0; i < out.len; i++) {
        char next = i + 1 < out.len ? out.ptr[i + 1] : '\0';
        char last = i > 0 ? out.ptr[i - 1] : '\0';
        if ((out.ptr[i] == '\r' && next != '\n') || (out.ptr[i] == '\n' && last != '\r')) {
            abort();
        }
    }
    struct str lone = STR("\r\n.\r\n");
    size_t at = str_find_str(out, lone);
    if (dots && !(str_eq(out, STR(".\r\n")) || at + lone.len == out.len)) {
        abort();
    }
    if (dots && out.len > 3 && str_starts(out, STR(".\r\n"))) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str body = str_from((const char *)data, size);
    for (int dots = 0; dots < 2; dots++) {
        struct buf whole = {0};
        encode(&whole, body, dots, size ? size : 1);
        check(buf_str(&whole), dots);
        if (whole.len > 2 * size + 5) {
            abort();
        }
        for (size_t step = 1; step <= 3; step++) {
            struct buf cut = {0};
            encode(&cut, body, dots, step);
            if (!str_eq(buf_str(&cut), buf_str(&whole))) {
                abort();
            }
            buf_done(&cut);
        }
        buf_done(&whole);
    }
    return 0;
}
