/* pipe.h: what a program's end says about the message it was given (sysexits.h). The delivery
 * itself is pipe_deliver() of local_delivery.h: no shell, the message on standard input, an
 * environment that holds these names alone: PATH, SENDER (empty: the null reverse-path), RECIPIENT,
 * ORIGINAL_RECIPIENT, LOCAL, DOMAIN, EXTENSION (the tag of user+tag), MESSAGE_ID (the queue's). A
 * stranger chose most of the values: to a program they are plain text, and it must quote them. */
#pragma once

#include "core/mail/outcome.h"
#include "port/program.h"

enum { PIPE_OUTPUT_MAX = 4096 };

struct pipe_verdict {
    enum outcome_kind kind;
    struct status_code status;
    struct str words; /* "no such user"; empty: nothing is known of this number */
};

/* As Postfix and sendmail take them: 0 delivered; EX_TEMPFAIL and EX_OSERR are tried again, and
 * besides 126 and 127, which say that a program of the program's was not found; others fail. */
struct pipe_verdict pipe_exit_verdict(int exit_status);

/* A program's output as one line of text: control characters are spaces, rows of them one. */
void pipe_clean_output(struct buf *out, struct str output);
