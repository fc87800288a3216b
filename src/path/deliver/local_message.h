/* local_message.h: a job's message in the form that mailboxes and programs here get it: on top who
 * sent it and whose it is, then our additions and the message, every CRLF a LF, nothing else
 * changed. Only a BINARYMIME message, whose lines mean nothing, is first made 8-bit. Read piece by
 * piece, whatever its size. */
#pragma once

#include "path/deliver/outgoing.h"

enum { LOCAL_PIECE = 65536 };

/* The caller embeds it, zeroed, and sets the first part. */
struct local_message {
    void (*ready)(struct local_message *m); /* once after each call that returned false */
    struct deliver_office *office;
    const struct delivery_job *job;
    const struct job_rcpt *rcpt;

    /* After local_message_next(). */
    struct str piece; /* from LOCAL_PIECE to about twice that, the last one less; valid until the
                         next call */
    bool last;
    int error;    /* it cannot be read: -errno, -ENOMEM */
    bool refused; /* it cannot be made 8-bit */

    /* Its own. */
    struct outgoing source;
    struct buf out;
    bool begun;
    bool prepared;
    bool carriage; /* a CR came last: what follows decides */
};

/* False: `ready` will tell. Not after `last`, `error` or `refused`. */
NODISCARD bool local_message_next(struct local_message *m);
/* Not while a call that returned false has not ended. */
void local_message_done(struct local_message *m);
