/* line.h: command lines out of a stream of bytes, however it is cut up (RFC 5321 2.3.8). A line
 * ends at CR LF and nowhere else. A bare CR or LF spoils the line it stands in: everything up to
 * the next CR LF is refused, so what follows a bare LF is never taken for a command. Every LF in a
 * spoilt stretch yields one refusal, so that a client that ends lines so hears of it at once.
 *
 * Memory is held only while a line is incomplete; a line that arrives whole is not copied. */
#pragma once

#include "core/base/buf.h"

/* Octets of the longest line, CR LF included: 512 (RFC 5321 4.5.3.1.4) and what the extensions add
 * to MAIL (RFC 1870, 6152, 6531, 3461) and RCPT (RFC 3461). command.h has the limit of each. */
enum { LINE_MAX_OCTETS = 1200 };
/* The longest response in an exchange of AUTH (RFC 4954 section 4), CR LF included. */
enum { LINE_LONG_OCTETS = 12290 };
/* So much of an overlong line is passed over in the hope of its end. */
enum { LINE_ENDLESS_OCTETS = 65536 };

enum line_result {
    LINE_MORE,     /* all bytes were used, no line is complete */
    LINE_WHOLE,    /* `*line`, without its end */
    LINE_BARE,     /* refuse: a bare CR or LF */
    LINE_OVERLONG, /* refuse: over LINE_MAX_OCTETS */
    LINE_MEMORY,   /* no memory to keep it; refuse */
    LINE_ENDLESS,  /* over LINE_ENDLESS_OCTETS, and no end in sight: give up on the client */
};

/* Zeroed memory is a reader before its first line. */
struct line_reader {
    struct buf kept; /* of an incomplete line */
    uint32_t passed; /* octets of an overlong line */
    bool cr;         /* the last octet was CR */
    bool bare, overlong, no_memory;
    bool used;        /* `kept` was given out: forget it */
    bool may_be_long; /* LINE_LONG_OCTETS count; the caller's to set */
};

void line_done(struct line_reader *r);
/* Takes bytes off `*bytes` up to a line's end. `*line` is good until the next call, or until the
 * bytes go. */
NODISCARD enum line_result line_take(struct line_reader *r, struct str *bytes, struct str *line);
/* Nothing of a line has come. */
bool line_idle(const struct line_reader *r);
