/* server.h: the server's side of an SMTP or LMTP session (RFC 5321, 3030, 2033), as a machine
 * without I/O. Bytes go in, events are pulled one at a time, replies are appended to a buffer of
 * the caller's.
 *
 *     while ((kind = smtp_server_next(s, &bytes, &event)) > SERVER_WAIT)
 *         … decide; answer at once or later …
 *
 * An event that asks (marked "?") is answered with smtp_server_accept() or smtp_server_reply(), now
 * or later; until then SERVER_WAIT comes, and no further command is taken: what is left of `bytes`
 * is the caller's to keep. So pipelined commands are answered in order. Everything else (order of
 * commands, syntax, RSET, NOOP, HELP, limits, line ends) the machine answers by itself.
 *
 * An idle session holds nothing beside this struct. */
#pragma once

#include "core/smtp/command.h"
#include "core/smtp/data_decode.h"
#include "core/smtp/keyword.h"

enum server_event_kind {
    SERVER_MORE, /* all bytes were used */
    SERVER_WAIT, /* a question is open */
    SERVER_HELO, /* ? `command`: HELO, EHLO or LHLO with a name; accept() offers the extensions */
    SERVER_MAIL, /* ? a sender */
    SERVER_RCPT, /* ? a recipient; also by accept() or any reply of 2yz it belongs to the message */
    SERVER_DATA, /* ? may the message come; accept() says 354 */
    SERVER_BDAT, /* the message begins, in chunks */
    SERVER_BODY, /* octets of the message, as they are to be kept */
    SERVER_END,  /* ? the message is whole: with a reply of 2yz it is taken. LMTP: a reply for each
                    recipient of the message, in order */
    SERVER_ABORT,    /* the transaction is over without a message; `reason` */
    SERVER_VRFY,     /* ? */
    SERVER_EXPN,     /* ? */
    SERVER_STARTTLS, /* ? accept() says 220; then the handshake, and smtp_server_secured() */
    SERVER_AUTH, /* ? `command`: the argument is a mechanism and perhaps a first response. A reply
                    of  334 asks for a response, 235 says that the client is logged in */
    SERVER_RESPONSE, /* ? `body`: a response in the exchange, as it came */
    SERVER_AUTH_END, /* the client broke the exchange off; it was answered */
    SERVER_QUIT,     /* the farewell is in the output: send it and close. So for CLOSE */
    SERVER_CLOSE,    /* the machine gave up on the client; it has said so */
};

enum server_abort {
    ABORT_RESET, /* RSET, or EHLO again */
    ABORT_BODY,  /* the message is refused: `reply`; it is said when the rest has come */
};

/* Slices are good until the next smtp_server_next(), or until the bytes given go. */
struct server_event {
    const struct command *command; /* HELO, MAIL, RCPT, VRFY, EXPN */
    struct str body;
    enum server_abort reason;
    const struct smtp_reply *reply; /* ABORT_BODY */
    bool eight_bit;                 /* END: an octet over 127 was in it */
    bool normalised;                /* END: line ends were mended */
};

struct smtp_server {
    const struct smtp_server_options *options; /* borrowed; others may be set between calls */
    struct buf *out;                           /* replies; the caller sends and clears it */
    struct instant now;                        /* the caller sets it before it accepts HELO */
    struct line_reader line;
    struct data_decoder data;
    uint64_t chunk_left;
    uint64_t passed_over;            /* octets of a message that is refused */
    const struct smtp_reply *fault;  /* why the message is refused; null: it is not */
    const struct smtp_reply *ending; /* said in place of the next command */
    uint32_t rcpts;
    uint32_t errors;   /* commands that were wrong, since the last message that was taken */
    uint32_t refusals; /* answers of 5yz from the caller, likewise */
    uint32_t empty;    /* commands since the last message that bring none nearer */
    uint32_t answers_left;
    uint16_t state; /* enum command_state */
    uint8_t phase;  /* its own */
    uint8_t asked;  /* enum verb of the open question */
    bool lmtp;
    bool extended; /* EHLO or LHLO was said */
    bool binary;
    bool smtputf8;
    bool rcpt_tried;
    bool chunk_last;
    bool fault_told;
    bool authenticated; /* AUTH succeeded */
};

/* `out` may be changed between calls, while nothing is in it (a loop may have one for all). */
void smtp_server_init(struct smtp_server *s, const struct smtp_server_options *options,
                      struct buf *out, bool lmtp);
void smtp_server_done(struct smtp_server *s);
/* Says 220, before anything else. */
void smtp_server_greet(struct smtp_server *s);

/* Takes bytes off `*bytes`. `*event` is written for every kind over SERVER_WAIT. After QUIT or
 * CLOSE: only CLOSE. `command` is read into the caller's memory, which is overwritten by the next
 * call. */
NODISCARD enum server_event_kind smtp_server_next(struct smtp_server *s, struct str *bytes,
                                                  struct command *command,
                                                  struct server_event *event);

/* Answers the open question: with the usual yes, or with any reply. A reply of 421 also closes. */
void smtp_server_accept(struct smtp_server *s);
void smtp_server_reply(struct smtp_server *s, const struct smtp_reply *reply);
/* Refuses the message that is coming in, during DATA's or BDAT's octets: the rest is passed over
 * and then the reply given. `reply` is borrowed to the end of the transaction. ABORT does not
 * follow. */
void smtp_server_refuse_body(struct smtp_server *s, const struct smtp_reply *reply);
/* From the next command on there is only `reply` (421), and CLOSE. Borrowed. */
void smtp_server_end(struct smtp_server *s, const struct smtp_reply *reply);

/* After the accepted STARTTLS: all that was said before is forgotten (RFC 3207 4.2). Until then no
 * command is taken. */
void smtp_server_secured(struct smtp_server *s);

/* What is being waited for. */
bool smtp_server_in_body(const struct smtp_server *s);   /* octets of a message */
bool smtp_server_is_idle(const struct smtp_server *s);   /* a command, and nothing of it has come */
bool smtp_server_is_asking(const struct smtp_server *s); /* an answer of the caller's */
