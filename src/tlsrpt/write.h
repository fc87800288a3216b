/* write.h: a report of ours (RFC 8460): the JSON, and the mail that carries it. */
#pragma once

#include <jansson.h>

#include "core/base/buf.h"
#include "core/base/instant.h"

struct tlsrpt_frame {
    struct str hostname; /* ours: who reports */
    struct str from;     /* the address to ask at */
    struct instant begin, end;
    struct str id; /* of the report */
};

/* `taken` as tally_take() gives it; compressed by gzip. False: no memory. */
NODISCARD bool tlsrpt_write(const json_t *taken, const struct tlsrpt_frame *frame, struct buf *out);
/* The mail to `to` with that in it. */
void tlsrpt_write_mail(struct buf *out, const json_t *taken, const struct tlsrpt_frame *frame,
                       struct str to, struct str compressed);
