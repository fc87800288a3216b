/* data_encode.h: a message's body on its way out. Whatever line ends are stored, what leaves has
 * CRLF alone: a bare CR or LF that the next server takes for a line end could end the message early
 * and smuggle a second one. With `dots`, the transparency and the end of RFC 5321 4.5.2 (DATA);
 * without, for BDAT. Pieces may be cut anywhere. */
#pragma once

#include "core/base/buf.h"

struct data_encoder {
    bool dots;
    bool in_line;    /* octets stand on the line begun */
    bool pending_cr; /* the last piece ended in CR: a LF may follow */
};

struct data_encoder data_encoder_begin(bool dots);
/* Appends at most 2 octets an octet, and 3. */
void data_encode(struct data_encoder *e, struct str piece, struct buf *out);
/* What is left; with `dots` the end of the line, if one is open, and the final dot. */
void data_encode_end(struct data_encoder *e, struct buf *out);
