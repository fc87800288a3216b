/* data_decode.h: a message's body on its way in (RFC 5321 4.5.2, RFC 3030): transparency undone,
 * line ends judged, size counted. The end of DATA is CR LF . CR LF and nothing else: no bare CR or
 * LF begins a line, whatever is done about it. Pieces may be cut anywhere; the octets that come out
 * and the findings are the same. */
#pragma once

#include "core/base/str.h"

enum data_mode {
    DATA_DOTS,   /* DATA: dots are stuffed, a dot alone ends it */
    DATA_LINES,  /* BDAT with text: the caller knows the end */
    DATA_BINARY, /* BDAT with BODY=BINARYMIME: anything goes */
};

struct data_decoder {
    uint64_t size;      /* octets that came out */
    uint32_t line_len;  /* octets of the present line */
    uint8_t mode;       /* enum data_mode */
    uint8_t state;      /* its own */
    bool normalise;     /* bare CR and LF become CR LF; otherwise they are only found */
    bool bare_line_end; /* found one */
    bool long_line;     /* found a line of over 1,000 octets, its end included */
    bool eight_bit;     /* found an octet over 127 */
    bool ended;         /* DATA_DOTS: the dot came */
};

struct data_decoder data_decoder_begin(enum data_mode mode, bool normalise);
/* Takes octets off `*bytes` and sets `*piece` to what comes out next, a part of them or static
 * text. False: nothing further comes out (all octets were used, or the body has ended). */
NODISCARD bool data_decode(struct data_decoder *d, struct str *bytes, struct str *piece);
/* The last octet of BDAT has come: what was held back. False: nothing. */
NODISCARD bool data_decode_end(struct data_decoder *d, struct str *piece);
