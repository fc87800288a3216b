#include "core/smtp/reply.h"

#include "core/mail/status.h"

enum { REPLY_LINE_CUT = 500 };

/* clang-format off */
#define S(a, b, c) {a, b, c}
#define NO_STATUS {0, 0, 0}

static const struct smtp_reply answers[ANSWER_COUNT] = {
    [ANSWER_OK] = {250, S(2, 0, 0), STR_INIT("OK")},
    [ANSWER_NOOP] = {250, S(2, 0, 0), STR_INIT("OK, nothing done")},
    [ANSWER_RESET] = {250, S(2, 0, 0), STR_INIT("OK, transaction forgotten")},
    [ANSWER_BYE] = {221, S(2, 0, 0), STR_INIT("Goodbye")},
    [ANSWER_SENDER_OK] = {250, S(2, 1, 0), STR_INIT("Sender OK")},
    [ANSWER_RCPT_OK] = {250, S(2, 1, 5), STR_INIT("Recipient OK")},
    [ANSWER_RCPT_FORWARDED] = {251, S(2, 1, 5), STR_INIT("Not a mailbox here; will be forwarded")},
    [ANSWER_CHUNK_OK] = {250, S(2, 0, 0), STR_INIT("Chunk OK")},
    [ANSWER_GO_AHEAD] = {354, NO_STATUS, STR_INIT("Send the message; end it with a line that is only a dot")},
    [ANSWER_QUEUED] = {250, S(2, 0, 0), STR_INIT("OK, queued")},
    [ANSWER_NOT_VERIFIED] = {252, S(2, 5, 2), STR_INIT("Addresses are not verified here; send the message and see")},

    [ANSWER_UNKNOWN_COMMAND] = {500, S(5, 5, 1), STR_INIT("Unknown command; HELP lists the known ones")},
    [ANSWER_NOT_HTTP] = {502, S(5, 5, 1), STR_INIT("This is a mail server (SMTP), not a web server")},
    [ANSWER_BARE_LINE_END] = {500, S(5, 5, 2), STR_INIT("Lines must end with CR LF; a bare CR or LF is refused")},
    [ANSWER_LINE_TOO_LONG] = {500, S(5, 5, 2), STR_INIT("Line too long; a command has at most 512 octets")},
    [ANSWER_CONTROL_CHARACTER] = {500, S(5, 5, 2), STR_INIT("Control characters are not allowed in a command")},
    [ANSWER_NO_ARGUMENT] = {501, S(5, 5, 4), STR_INIT("This command takes no argument")},
    [ANSWER_HELO_SYNTAX] = {501, S(5, 5, 4), STR_INIT("Give your host name or [address] after the command")},
    [ANSWER_HELO_LIE] = {550, S(5, 7, 1), STR_INIT("The name in your HELO does not lead to your address; have it and its DNS set right")},
    [ANSWER_MAIL_SYNTAX] = {501, S(5, 5, 4), STR_INIT("Syntax: MAIL FROM:<address> [parameters]")},
    [ANSWER_RCPT_SYNTAX] = {501, S(5, 5, 4), STR_INIT("Syntax: RCPT TO:<address> [parameters]")},
    [ANSWER_SENDER_SYNTAX] = {501, S(5, 1, 7), STR_INIT("The sender's address is malformed; write <name@domain>")},
    [ANSWER_SENDER_TOO_LONG] = {501, S(5, 1, 7), STR_INIT("The sender's address is too long (64 octets before the @, 255 after)")},
    [ANSWER_ADDRESS_SYNTAX] = {501, S(5, 1, 3), STR_INIT("The recipient's address is malformed; write <name@domain>")},
    [ANSWER_ADDRESS_TOO_LONG] = {501, S(5, 1, 3), STR_INIT("The recipient's address is too long (64 octets before the @, 255 after)")},
    [ANSWER_BDAT_SYNTAX] = {501, S(5, 5, 4), STR_INIT("Syntax: BDAT size [LAST]")},
    [ANSWER_ARGUMENT_MISSING] = {501, S(5, 5, 4), STR_INIT("This command needs an argument; see HELP")},
    [ANSWER_BAD_PARAMETER] = {501, S(5, 5, 4), STR_INIT("A parameter is malformed or given twice")},
    [ANSWER_UNKNOWN_PARAMETER] = {555, S(5, 5, 4), STR_INIT("A parameter is not known here; EHLO lists what is offered")},
    [ANSWER_HELD_TOO_LONG] = {501, S(5, 5, 4), STR_INIT("The message may not be held for so long; EHLO tells the limits")},
    [ANSWER_RELEASE_PAST] = {501, S(5, 5, 4), STR_INIT("The time until which to hold the message has passed already")},
    [ANSWER_HELD_PAST_BY] = {501, S(5, 5, 4), STR_INIT("The message would be held past the time to deliver it by")},
    [ANSWER_BY_TOO_SOON] = {555, S(5, 5, 4), STR_INIT("The time to deliver by is too short; EHLO tells the least after DELIVERBY")},
    [ANSWER_NEEDS_UTF8] = {553, S(5, 6, 7), STR_INIT("An address that is not ASCII needs SMTPUTF8 in MAIL")},
    [ANSWER_NOT_IMPLEMENTED] = {502, S(5, 5, 1), STR_INIT("Command not implemented")},
    [ANSWER_TLS_LATER] = {454, S(4, 7, 0), STR_INIT("TLS is not to be had now; come back later")},
    [ANSWER_NO_TLS] = {502, S(5, 5, 1), STR_INIT("TLS is not offered here")},
    [ANSWER_TLS_READY] = {220, S(2, 0, 0), STR_INIT("Ready for TLS")},
    [ANSWER_TLS_NOT_ALONE] = {554, S(5, 5, 1), STR_INIT("Nothing may follow STARTTLS before the handshake; closing")},
    [ANSWER_NO_AUTH] = {503, S(5, 5, 1), STR_INIT("Logging in is not offered on this connection")},
    [ANSWER_AUTH_OK] = {235, S(2, 7, 0), STR_INIT("Logged in")},
    [ANSWER_AUTH_TWICE] = {503, S(5, 5, 1), STR_INIT("You are logged in already")},
    [ANSWER_AUTH_CANCELLED] = {501, S(5, 7, 0), STR_INIT("Logging in was cancelled")},
    [ANSWER_AUTH_MALFORMED] = {501, S(5, 5, 2), STR_INIT("That is no response of this mechanism in base64")},
    [ANSWER_AUTH_MECHANISM] = {504, S(5, 5, 4), STR_INIT("That mechanism is not offered here, or not without TLS; EHLO lists those that are")},
    [ANSWER_AUTH_FAILED] = {535, S(5, 7, 8), STR_INIT("Name or password is wrong")},
    [ANSWER_AUTH_LATER] = {454, S(4, 7, 0), STR_INIT("Nobody can log in for now; try again later")},
    [ANSWER_AUTH_BLOCKED] = {454, S(4, 7, 0), STR_INIT("Too many wrong passwords came from your address; try again in some minutes")},
    [ANSWER_AUTH_FIRST] = {530, S(5, 7, 0), STR_INIT("Log in first, with AUTH")},
    [ANSWER_NOT_YOUR_SENDER] = {550, S(5, 7, 1), STR_INIT("The sender is not an address of the user who is logged in")},
    [ANSWER_NOT_YOUR_FIELD] = {550, S(5, 7, 1), STR_INIT("The header names an address that is not of the user who is logged in")},
    [ANSWER_FIELD_UNCLEAR] = {550, S(5, 7, 1), STR_INIT("The header does not tell clearly whose the message is")},
    [ANSWER_NO_ONE_SENDER] = {550, S(5, 6, 0), STR_INIT("A message with several addresses in From needs a Sender field (RFC 5322 3.6.2)")},
    [ANSWER_USE_EHLO] = {500, S(5, 5, 1), STR_INIT("This is SMTP, not LMTP: use EHLO")},
    [ANSWER_USE_LHLO] = {500, S(5, 5, 1), STR_INIT("This is LMTP, not SMTP: use LHLO")},
    [ANSWER_HELO_FIRST] = {503, S(5, 5, 1), STR_INIT("Say EHLO first")},
    [ANSWER_MAIL_FIRST] = {503, S(5, 5, 1), STR_INIT("Give the sender first, with MAIL")},
    [ANSWER_MAIL_TWICE] = {503, S(5, 5, 1), STR_INIT("A message is already begun; RSET forgets it")},
    [ANSWER_RCPT_FIRST] = {503, S(5, 5, 1), STR_INIT("Give a recipient first, with RCPT")},
    [ANSWER_NO_VALID_RCPT] = {554, S(5, 5, 1), STR_INIT("No valid recipients; the message is not taken")},
    [ANSWER_BDAT_BEGUN] = {503, S(5, 5, 1), STR_INIT("A message by BDAT is under way; go on with BDAT, or RSET")},
    [ANSWER_NEEDS_BDAT] = {503, S(5, 6, 1), STR_INIT("A message with BODY=BINARYMIME must come by BDAT")},
    [ANSWER_TOO_MANY_RCPTS] = {452, S(4, 5, 3), STR_INIT("Too many recipients; send the rest in another transaction")},
    [ANSWER_TOO_BIG] = {552, S(5, 3, 4), STR_INIT("The message is larger than is taken here; EHLO tells the limit after SIZE")},
    [ANSWER_BODY_LINE_ENDS] = {550, S(5, 6, 0), STR_INIT("The message has a bare CR or LF; lines must end with CR LF")},
    [ANSWER_BODY_LONG_LINE] = {550, S(5, 6, 0), STR_INIT("The message has a line of over 998 octets")},
    [ANSWER_LOOP_RECEIVED] = {554, S(5, 4, 6), STR_INIT("Mail loop: the message has passed through too many servers")},
    [ANSWER_LOOP_DELIVERED] = {554, S(5, 4, 6), STR_INIT("Mail loop: the message was delivered to this recipient before")},

    [ANSWER_NO_SUCH_USER] = {550, S(5, 1, 1), STR_INIT("No such mailbox here; check the address")},
    [ANSWER_RELAY_DENIED] = {550, S(5, 7, 1), STR_INIT("Relaying denied: the domain is not served here, and you may not send through this server")},
    [ANSWER_SUBMIT_FIRST] = {550, S(5, 7, 1), STR_INIT("This port takes mail from own users and networks only")},
    [ANSWER_AMBIGUOUS] = {553, S(5, 1, 4), STR_INIT("Ambiguous; more than one mailbox fits")},
    [ANSWER_EXPN_REFUSED] = {502, S(5, 7, 1), STR_INIT("Lists are not expanded for you")},
    [ANSWER_NOT_A_LIST] = {550, S(5, 1, 1), STR_INIT("No such list here")},

    [ANSWER_NO_MEMORY] = {452, S(4, 3, 1), STR_INIT("Out of memory for now; try again later")},
    [ANSWER_STORE_FAILED] = {451, S(4, 3, 0), STR_INIT("The message could not be stored; try again later")},
    [ANSWER_DISK_FULL] = {452, S(4, 3, 1), STR_INIT("The disk is full; try again later")},
    [ANSWER_SHUTDOWN] = {421, S(4, 3, 2), STR_INIT("The server is shutting down; come back in a moment")},
    [ANSWER_CROWDED] = {421, S(4, 7, 0), STR_INIT("Too many connections; come back later")},
    [ANSWER_IDLE] = {421, S(4, 4, 2), STR_INIT("Nothing came for too long; closing")},
    [ANSWER_TOO_MANY_ERRORS] = {421, S(4, 7, 0), STR_INIT("Too many errors; closing")},
    [ANSWER_TOO_MUCH_TALK] = {421, S(4, 7, 0), STR_INIT("Too many commands without a message; closing")},
    [ANSWER_TOO_MANY_CONNECTIONS] = {421, S(4, 7, 0), STR_INIT("Too many connections; come back later")},
};
/* clang-format on */

const struct smtp_reply *smtp_answer(enum answer answer)
{
    return &answers[answer];
}

static void add_safe(struct buf *out, struct str line)
{
    line = str_head(line, REPLY_LINE_CUT);
    size_t clean = 0;
    for (size_t i = 0; i < line.len; i++) {
        unsigned char c = (unsigned char)line.ptr[i];
        if (c < 0x20 || c == 0x7f) {
            buf_add(out, str_from(line.ptr + clean, i - clean));
            buf_add_char(out, '?');
            clean = i + 1;
        }
    }
    buf_add(out, str_tail(line, clean));
}

void smtp_reply_format(struct buf *out, const struct smtp_reply *reply)
{
    struct str rest = reply->text;
    bool more = true;
    while (more) {
        more = str_find(rest, '\n') != STR_NONE;
        struct str line = str_split(&rest, '\n');
        buf_add_digits(out, reply->code, 3);
        buf_add_char(out, more ? '-' : ' ');
        if (reply->status.class != 0) {
            status_format(out, reply->status);
            buf_add_char(out, ' ');
        }
        add_safe(out, line);
        buf_add(out, STR("\r\n"));
    }
}
