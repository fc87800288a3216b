#include "core/smtp/data_encode.h"

struct data_encoder data_encoder_begin(bool dots)
{
    return (struct data_encoder){.dots = dots};
}

static void end_line(struct data_encoder *e, struct buf *out)
{
    buf_add(out, STR("\r\n"));
    e->in_line = false;
    e->pending_cr = false;
}

static void add_run(struct data_encoder *e, struct str run, struct buf *out)
{
    if (run.len == 0) {
        return;
    }
    if (e->dots && !e->in_line && run.ptr[0] == '.') {
        buf_add_char(out, '.');
    }
    buf_add(out, run);
    e->in_line = true;
}

void data_encode(struct data_encoder *e, struct str piece, struct buf *out)
{
    size_t start = 0;
    for (size_t i = 0; i < piece.len; i++) {
        char c = piece.ptr[i];
        if (e->pending_cr) {
            end_line(e, out);
            start = c == '\n' ? i + 1 : i;
            if (c == '\n') {
                continue;
            }
        }
        if (c == '\r' || c == '\n') {
            add_run(e, str_from(piece.ptr + start, i - start), out);
            start = i + 1;
            if (c == '\r') {
                e->pending_cr = true;
            } else {
                end_line(e, out);
            }
        }
    }
    if (start < piece.len) {
        add_run(e, str_from(piece.ptr + start, piece.len - start), out);
    }
}

void data_encode_end(struct data_encoder *e, struct buf *out)
{
    if (e->pending_cr || (e->dots && e->in_line)) {
        end_line(e, out);
    }
    if (e->dots) {
        buf_add(out, STR(".\r\n"));
    }
}
