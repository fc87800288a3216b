/* command.h: the commands a server knows (RFC 5321 4.1, RFC 3030, RFC 2033), as one table: name, in
 * which states it may come, how its argument is read, what it is for. Whatever a line holds, it is
 * read into a struct command or refused with a fixed reply. */
#pragma once

#include "core/mail/path.h"
#include "core/smtp/line.h"
#include "core/smtp/param.h"
#include "core/smtp/reply.h"

enum verb {
    VERB_HELO,
    VERB_EHLO,
    VERB_LHLO,
    VERB_MAIL,
    VERB_RCPT,
    VERB_DATA,
    VERB_BDAT,
    VERB_RSET,
    VERB_NOOP,
    VERB_QUIT,
    VERB_VRFY,
    VERB_EXPN,
    VERB_HELP,
    VERB_STARTTLS,
    VERB_AUTH,
    VERB_UNSUPPORTED, /* known from RFCs and not done here: TURN, ETRN, SEND, … */
    VERB_HTTP,        /* GET, POST, …: a browser made to speak with us */
};

/* States of a session, as bits. */
enum command_state {
    STATE_START = 1, /* no HELO yet */
    STATE_READY = 2, /* between transactions */
    STATE_MAIL = 4,  /* a sender, no valid recipient */
    STATE_RCPT = 8,  /* a valid recipient at least */
    STATE_BDAT = 16, /* a chunk has come, and it was not the last */
};

struct command {
    enum verb verb;
    struct str argument; /* after the verb, trimmed: the HELO name; VRFY's, EXPN's, HELP's text */
    struct path path;    /* MAIL, RCPT; perhaps unqualified, which is the server's to allow */
    struct mail_params mail;
    struct rcpt_params rcpt;
    uint64_t chunk; /* BDAT */
    bool last;
    bool chunk_known; /* BDAT refused for its syntax: `chunk` octets follow all the same */
    bool smtputf8;    /* VRFY, EXPN: the client understands UTF-8 in the reply (RFC 6531 3.7.4.2) */
};

/* Reads one line without its end. ANSWER_OK, or why it is refused; `c->verb` is then set if it is
 * known (VERB_NOOP if not). Slices are of `line`. */
NODISCARD enum answer command_parse(struct str line, struct command *c);

/* ANSWER_OK where the verb may come in that state, else 503 with what is missing. */
NODISCARD enum answer command_allowed(enum verb verb, enum command_state state);

/* The help on `topic`; on an empty or unknown one, the list of commands. Lines parted by LF, in
 * `out`. False: the topic is not known. */
bool command_help(struct buf *out, struct str topic);
