/* reply_reader.h: reads the other server's replies (RFC 5321 4.2) out of a stream of bytes, however
 * it is cut up. Lines end at CRLF, and a bare LF is tolerated. Bounded: of each line so much is
 * kept, of each reply so much text; more lines or longer ones than a server may send are no SMTP.
 * Fixed size, no heap. */
#pragma once

#include "core/mail/outcome.h"

enum {
    REPLY_LINE_MAX = 2048, /* octets of a line, its end included; a longer one is no SMTP */
    REPLY_LINE_KEPT = 512,
    REPLY_LINES_MAX = 128,
    REPLY_TEXT_MAX = 2048,
};

enum reply_event {
    REPLY_MORE, /* all bytes were used, nothing is complete */
    REPLY_LINE, /* a line of a reply that goes on: `code` and `line_text` */
    REPLY_DONE, /* the same for a reply's last line: the reply is whole */
    REPLY_BAD,  /* this is no SMTP; sticks */
};

/* Zeroed memory is a reader before its first reply. */
struct reply_reader {
    uint16_t code;
    struct status_code status; /* enhanced status code of the last line that had one fitting the
                                  code; class 0: none */
    size_t lines;              /* of this reply so far */

    struct str line_text; /* after the code; valid until the next read */
    bool done;
    bool bad;
    size_t line_len; /* octets of the line so far, more than are kept maybe */
    size_t text_len;
    char line[REPLY_LINE_KEPT];
    char text[REPLY_TEXT_MAX];
};

/* Takes bytes off `*bytes` up to and including the next line's end. */
NODISCARD enum reply_event reply_read(struct reply_reader *r, struct str *bytes);

/* After REPLY_DONE: the whole reply on one line, codes included, lines joined by a space, fit to be
 * shown: valid UTF-8 without control characters. Valid until the next read. */
struct str reply_text(const struct reply_reader *r);
