/* Properties: whatever the cuts, the octets that come out, the findings and the place of the end
 * are the same; the end is right behind a CR LF . CR LF; normalised text has no bare CR or LF; and
 * what the encoder makes of a clean text comes back as it was. */
#include "core/base/buf.h"
#include "core/smtp/data_decode.h"
#include "core/smtp/data_encode.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct result {
    struct buf text;
    struct data_decoder d;
    size_t used;
};

static void decode(struct result *r, struct str in, size_t step)
{
    struct str piece;
    size_t all = in.len;
    while (in.len > 0 && !r->d.ended) {
        struct str part = str_head(in, step);
        size_t given = part.len;
        while (data_decode(&r->d, &part, &piece)) {
            buf_add(&r->text, piece);
        }
        in = str_tail(in, given - part.len);
    }
    r->used = all - in.len;
    if (r->d.mode != DATA_DOTS && data_decode_end(&r->d, &piece)) {
        buf_add(&r->text, piece);
    }
}

static void must(bool fine)
{
    if (!fine) {
        abort();
    }
}

static bool is_clean(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        bool lf_after_cr = s.ptr[i] == '\n' && i > 0 && s.ptr[i - 1] == '\r';
        bool cr_before_lf = s.ptr[i] == '\r' && i + 1 < s.len && s.ptr[i + 1] == '\n';
        if ((s.ptr[i] == '\n' && !lf_after_cr) || (s.ptr[i] == '\r' && !cr_before_lf)) {
            return false;
        }
    }
    return true;
}

static void round_trip(struct str text)
{
    struct buf sent = {0};
    struct data_encoder e = data_encoder_begin(true);
    data_encode(&e, text, &sent);
    data_encode_end(&e, &sent);
    struct result r = {.d = data_decoder_begin(DATA_DOTS, false)};
    decode(&r, buf_str(&sent), 7);
    must(r.d.ended && !r.d.bare_line_end && r.used == sent.len);
    must(str_starts(buf_str(&r.text), text));
    buf_done(&r.text);
    buf_done(&sent);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2) {
        return 0;
    }
    enum data_mode mode = data[0] % 2 == 0 ? DATA_DOTS : DATA_LINES;
    bool normalise = (data[0] & 2) != 0;
    struct str in = str_from((const char *)data + 2, size - 2);
    struct result whole = {.d = data_decoder_begin(mode, normalise)};
    struct result cut = {.d = data_decoder_begin(mode, normalise)};
    decode(&whole, in, in.len);
    decode(&cut, in, (size_t)data[1] % 16 + 1);
    must(str_eq(buf_str(&whole.text), buf_str(&cut.text)) && whole.used == cut.used);
    must(whole.d.ended == cut.d.ended && whole.d.bare_line_end == cut.d.bare_line_end);
    must(whole.d.long_line == cut.d.long_line && whole.d.eight_bit == cut.d.eight_bit);
    must(whole.d.size == whole.text.len);
    if (whole.d.ended) {
        struct str taken = str_head(in, whole.used);
        must(str_ends(taken, STR("\r\n.\r\n")) || str_eq(taken, STR(".\r\n")));
    }
    if (!whole.d.bare_line_end || normalise) {
        must(is_clean(buf_str(&whole.text)) || mode == DATA_DOTS);
    }
    if (is_clean(in)) {
        round_trip(in);
    }
    buf_done(&whole.text);
    buf_done(&cut.text);
    return 0;
}
