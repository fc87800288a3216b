/* send_message.h: a message from standard input made ready for submission: its line ends, what its
 * header lacks, and whom its header names. */
#pragma once

#include "core/base/arena.h"
#include "core/base/buf.h"
#include "core/base/instant.h"
#include "core/mail/completion.h"

struct send_message {
    /* Set by the caller: */
    struct str sender;    /* the reverse-path */
    struct str full_name; /* for a From that is missing; empty: none */
    struct str hostname;
    const struct completion *completion; /* of the header's addresses; null: none */
    struct instant now;
    uint64_t random;  /* for a Message-ID that is missing */
    bool from_header; /* recipients are taken from To, Cc and Bcc */

    /* Made: */
    struct buf text; /* CRLF line ends, without Bcc */
    bool eight_bit;
};

/* Appends `input` with CRLF line ends to `out`. Without `dots`, a line that is only a dot ends it.
 */
void send_normalise(struct buf *out, struct str input, bool dots);

/* Recipients that the header names are given to `rcpt`; Resent- fields count alone where there are
 * any. False: a field with addresses is damaged. */
NODISCARD bool send_message_make(struct send_message *m, struct str input,
                                 bool (*rcpt)(void *owner, struct str address), void *owner);
