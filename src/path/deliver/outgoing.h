/* outgoing.h: a job's message in the form that one server can take: as it is, or with its body
 * converted where the server lacks 8BITMIME or BINARYMIME (RFC 6152 section 3), or declared as
 * ASCII where it lacks SMTPUTF8 and nothing needs it; then signed (signing.h). Read from the spool
 * piece by piece, twice where it is signed; only a conversion needs the message in memory, and is
 * refused for very long ones. */
#pragma once

#include "core/smtp/client.h"
#include "path/deliver/deliver.h"

enum {
    OUTGOING_PIECE = 65536,
    OUTGOING_CONVERT_MAX = 32 * 1024 * 1024,
    OUTGOING_HEADER_MAX = 1024 * 1024,
};

/* The caller embeds it, zeroed, and sets the first part. */
struct outgoing {
    /* What was asked for is there: once after each call that returned false. */
    void (*ready)(struct outgoing *o);
    struct deliver_office *office;
    const struct delivery_job *job;
    bool signs; /* it leaves: signatures go on top, where there are keys */
    void *owner;

    /* After outgoing_prepare(). */
    enum client_cause refusal; /* CAUSE_REPLY: none; else 8BIT, BINARY, UTF8: no way to send it */
    enum envelope_body body;
    bool smtputf8;
    uint64_t size; /* octets, additions and signatures included */

    /* After outgoing_next(). */
    struct str piece; /* valid until the next call */
    bool last;

    int error;          /* the message cannot be read or signed: -errno, or no memory */
    struct str trouble; /* why it could not be signed; empty: it could not be read */

    /* Its own. */
    struct disk_op op;
    bool reading;
    void (*then)(struct outgoing *o);
    struct smtp_peer peer;
    char *block;
    struct buf loaded;
    struct buf converted;
    bool is_converted;
    uint64_t position;
    struct str top;          /* what stands above the message: additions, signatures */
    struct signing *signing; /* null: it has no signature */
    bool hashing;            /* it is being read for that */
};

/* Makes up the form for this server, and stands at the message's start. */
NODISCARD bool outgoing_prepare(struct outgoing *o, const struct smtp_peer *peer);
/* Back to the start, for another transaction with the same server. */
void outgoing_rewind(struct outgoing *o);
NODISCARD bool outgoing_next(struct outgoing *o);
/* Not while `reading`. */
void outgoing_done(struct outgoing *o);
