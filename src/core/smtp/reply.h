/* reply.h: what a server says (RFC 5321 4.2, RFC 2034, RFC 3463). One table holds every fixed
 * reply; each text tells a person what to do. */
#pragma once

#include "core/base/buf.h"
#include "core/mail/outcome.h"

struct smtp_reply {
    uint16_t code;
    struct status_code status; /* class 0: a reply without one (greeting, EHLO, 354) */
    struct str text;           /* lines parted by LF; may be empty */
};

/* Appends the reply, every line with its code. What is not fit to be sent in `text` (control
 * characters) becomes "?"; lines are cut at 512 octets. */
void smtp_reply_format(struct buf *out, const struct smtp_reply *reply);

enum answer {
    ANSWER_OK,
    ANSWER_NOOP,
    ANSWER_RESET,
    ANSWER_BYE,
    ANSWER_SENDER_OK,
    ANSWER_RCPT_OK,
    ANSWER_RCPT_FORWARDED,
    ANSWER_CHUNK_OK,
    ANSWER_GO_AHEAD,
    ANSWER_QUEUED,
    ANSWER_NOT_VERIFIED,

    ANSWER_UNKNOWN_COMMAND,
    ANSWER_NOT_HTTP,
    ANSWER_BARE_LINE_END,
    ANSWER_LINE_TOO_LONG,
    ANSWER_CONTROL_CHARACTER,
    ANSWER_NO_ARGUMENT,
    ANSWER_HELO_SYNTAX,
    ANSWER_HELO_LIE,
    ANSWER_MAIL_SYNTAX,
    ANSWER_RCPT_SYNTAX,
    ANSWER_SENDER_SYNTAX,
    ANSWER_SENDER_TOO_LONG,
    ANSWER_ADDRESS_SYNTAX,
    ANSWER_ADDRESS_TOO_LONG,
    ANSWER_BDAT_SYNTAX,
    ANSWER_ARGUMENT_MISSING,
    ANSWER_BAD_PARAMETER,
    ANSWER_UNKNOWN_PARAMETER,
    ANSWER_HELD_TOO_LONG,
    ANSWER_RELEASE_PAST,
    ANSWER_HELD_PAST_BY,
    ANSWER_BY_TOO_SOON,
    ANSWER_NEEDS_UTF8,
    ANSWER_NOT_IMPLEMENTED,
    ANSWER_NO_TLS,
    ANSWER_TLS_READY,
    ANSWER_TLS_NOT_ALONE,
    ANSWER_NO_AUTH,
    ANSWER_AUTH_OK,
    ANSWER_AUTH_TWICE,
    ANSWER_AUTH_CANCELLED,
    ANSWER_AUTH_MALFORMED,
    ANSWER_AUTH_MECHANISM,
    ANSWER_AUTH_FAILED,
    ANSWER_AUTH_LATER,
    ANSWER_AUTH_BLOCKED,
    ANSWER_AUTH_FIRST,
    ANSWER_NOT_YOUR_SENDER,
    ANSWER_NOT_YOUR_FIELD,
    ANSWER_FIELD_UNCLEAR,
    ANSWER_NO_ONE_SENDER,
    ANSWER_USE_EHLO,
    ANSWER_USE_LHLO,
    ANSWER_HELO_FIRST,
    ANSWER_MAIL_FIRST,
    ANSWER_MAIL_TWICE,
    ANSWER_RCPT_FIRST,
    ANSWER_NO_VALID_RCPT,
    ANSWER_BDAT_BEGUN,
    ANSWER_NEEDS_BDAT,
    ANSWER_TOO_MANY_RCPTS,
    ANSWER_TOO_BIG,
    ANSWER_BODY_LINE_ENDS,
    ANSWER_BODY_LONG_LINE,
    ANSWER_LOOP_RECEIVED,
    ANSWER_LOOP_DELIVERED,

    ANSWER_NO_SUCH_USER,
    ANSWER_RELAY_DENIED,
    ANSWER_SUBMIT_FIRST,
    ANSWER_AMBIGUOUS,
    ANSWER_EXPN_REFUSED,
    ANSWER_NOT_A_LIST,

    ANSWER_NO_MEMORY,
    ANSWER_STORE_FAILED,
    ANSWER_DISK_FULL,
    ANSWER_SHUTDOWN,
    ANSWER_IDLE,
    ANSWER_CROWDED,
    ANSWER_TOO_MANY_ERRORS,
    ANSWER_TOO_MUCH_TALK,
    ANSWER_TOO_MANY_CONNECTIONS,
    ANSWER_COUNT,
};

const struct smtp_reply *smtp_answer(enum answer answer);
