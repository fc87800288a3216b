#include "core/smtp/data_decode.h"

#include <string.h>

enum { TEXT_LINE_MAX = 1000 };

enum state {
    AT_LINE, /* a line begins: after CR LF, or at the start */
    IN_LINE,
    AFTER_CR, /* a CR is held back: LF may follow */
    AFTER_DOT,
    AFTER_DOT_CR,
};

struct data_decoder data_decoder_begin(enum data_mode mode, bool normalise)
{
    return (struct data_decoder){.mode = (uint8_t)mode, .state = AT_LINE, .normalise = normalise};
}

static bool has_eight_bit(struct str s)
{
    size_t i = 0;
    uint64_t all = 0;
    for (; i + 8 <= s.len; i += 8) {
        uint64_t word;
        memcpy(&word, s.ptr + i, 8);
        all |= word;
    }
    for (; i < s.len; i++) {
        all |= (unsigned char)s.ptr[i];
    }
    return (all & UINT64_C(0x8080808080808080)) != 0;
}

static bool come_out(struct data_decoder *d, struct str out, struct str *piece)
{
    d->size += out.len;
    *piece = out;
    return true;
}

static void count_line(struct data_decoder *d, size_t octets)
{
    size_t len = d->line_len + octets;
    d->line_len = len > TEXT_LINE_MAX ? TEXT_LINE_MAX + 1 : (uint32_t)len;
    d->long_line = d->long_line || len > TEXT_LINE_MAX;
}

/* A CR or LF that stands alone. Never the begin of a line in the sense of the protocol. */
static bool bare(struct data_decoder *d, struct str as_it_is, struct str *piece)
{
    d->bare_line_end = true;
    d->state = IN_LINE;
    count_line(d, 2);
    if (!d->normalise) {
        return come_out(d, as_it_is, piece);
    }
    d->line_len = 0;
    return come_out(d, STR("\r\n"), piece);
}

/* What was held back, now that the next octet is there. True: something comes out. */
static bool resolve(struct data_decoder *d, struct str *bytes, struct str *piece)
{
    char next = bytes->ptr[0];
    switch ((enum state)d->state) {
    case AFTER_DOT:
        /* The dot was stuffed: it is dropped, whatever follows but CR. */
        d->state = next == '\r' ? AFTER_DOT_CR : IN_LINE;
        if (next == '\r') {
            *bytes = str_tail(*bytes, 1);
        }
        return false;
    case AFTER_DOT_CR:
        if (next == '\n') {
            *bytes = str_tail(*bytes, 1);
            d->ended = true;
            return false;
        }
        return bare(d, STR("\r"), piece);
    case AFTER_CR:
        if (next != '\n') {
            return bare(d, STR("\r"), piece);
        }
        *bytes = str_tail(*bytes, 1);
        d->state = AT_LINE;
        count_line(d, 2);
        d->line_len = 0;
        return come_out(d, STR("\r\n"), piece);
    case AT_LINE:
    case IN_LINE:
        break;
    }
    return false;
}

/* How far the text goes that can come out as it stands, from octet `at` on, lines and all; sets the
 * state for what follows. */
static size_t run(struct data_decoder *d, struct str s)
{
    size_t at = 0;
    while (at < s.len) {
        if (d->state == AT_LINE && s.ptr[at] == '.' && d->mode == DATA_DOTS) {
            return at;
        }
        const char *lf = memchr(s.ptr + at, '\n', s.len - at);
        size_t end = lf ? (size_t)(lf - s.ptr) : s.len;
        const char *cr = memchr(s.ptr + at, '\r', end - at);
        if (cr && cr == s.ptr + end - 1 && lf) {
            count_line(d, end + 1 - at);
            d->line_len = 0;
            d->state = AT_LINE;
            at = end + 1;
            continue;
        }
        size_t stop = cr ? (size_t)(cr - s.ptr) : end;
        if (stop > at) {
            count_line(d, stop - at);
        }
        d->state = IN_LINE;
        return stop;
    }
    return at;
}

bool data_decode(struct data_decoder *d, struct str *bytes, struct str *piece)
{
    while (bytes->len > 0 && !d->ended) {
        if (d->mode == DATA_BINARY) {
            struct str all = *bytes;
            *bytes = str_tail(all, all.len);
            return come_out(d, all, piece);
        }
        if (d->state >= AFTER_CR) {
            if (resolve(d, bytes, piece)) {
                return true;
            }
            continue;
        }
        struct str text = str_head(*bytes, run(d, *bytes));
        *bytes = str_tail(*bytes, text.len);
        if (text.len > 0) {
            d->eight_bit = d->eight_bit || has_eight_bit(text);
            return come_out(d, text, piece);
        }
        char next = bytes->ptr[0];
        *bytes = str_tail(*bytes, 1);
        if (next == '\n') {
            return bare(d, STR("\n"), piece);
        }
        d->state = next == '\r' ? AFTER_CR : AFTER_DOT;
    }
    return false;
}

bool data_decode_end(struct data_decoder *d, struct str *piece)
{
    return d->state == AFTER_CR && bare(d, STR("\r"), piece);
}
