#include "core/smtp/server_inside.h"

/* Whatever is wrong with a message is remembered, its octets are taken to their true end, and only
 * then the refusal is said: to answer earlier would let the rest be read as commands. */

void smtp_server_refuse_body(struct smtp_server *s, const struct smtp_reply *reply)
{
    if (!s->fault) {
        s->fault = reply;
    }
    s->fault_told = true;
}

static void look_for_fault(struct smtp_server *s)
{
    if (s->fault) {
        return;
    }
    if (s->options->message_max > 0 && s->data.size > s->options->message_max) {
        s->fault = smtp_answer(ANSWER_TOO_BIG);
    } else if (s->data.bare_line_end && !s->options->normalise) {
        s->fault = smtp_answer(ANSWER_BODY_LINE_ENDS);
    } else if (s->data.long_line && s->options->refuse_long_lines) {
        s->fault = smtp_answer(ANSWER_BODY_LONG_LINE);
    }
}

static enum server_event_kind tell_fault(struct smtp_server *s, struct server_event *event)
{
    s->fault_told = true;
    event->reason = ABORT_BODY;
    event->reply = s->fault;
    return SERVER_ABORT;
}

static enum server_event_kind ask_end(struct smtp_server *s, struct server_event *event)
{
    event->eight_bit = s->data.eight_bit;
    event->normalised = s->data.bare_line_end;
    s->asked = VERB_BDAT;
    s->phase = SERVER_ASKING;
    s->answers_left = s->lmtp ? s->rcpts : 1;
    return SERVER_END;
}

/* A refused message is taken to its end, but not without end: as much again as might have been
 * taken, and a MiB for those that are refused before. */
static bool goes_on_too_long(struct smtp_server *s, size_t octets)
{
    enum { PATIENCE = 1 << 20 };
    s->passed_over += octets;
    return s->options->message_max > 0 && s->passed_over > s->options->message_max + PATIENCE;
}

/* The refused message has come to its end: back to commands. */
static enum server_event_kind end_refused(struct smtp_server *s)
{
    const struct smtp_reply *fault = s->fault;
    bool whole = s->phase == SERVER_AT_DATA || (s->chunk_last && s->state == STATE_BDAT);
    uint32_t answers = s->lmtp && whole ? s->rcpts : 1; /* RFC 2033 4.2 */
    s->phase = SERVER_AT_COMMAND;
    for (uint32_t i = 0; i < answers; i++) {
        server_say(s, fault);
    }
    s->errors += fault->code / 100 == 5;
    server_forget(s);
    if (s->phase == SERVER_AT_COMMAND && s->options->error_max > 0 &&
        s->errors >= s->options->error_max) {
        server_say(s, smtp_answer(ANSWER_TOO_MANY_ERRORS));
    }
    return s->phase == SERVER_CLOSED ? SERVER_CLOSE : SERVER_MORE;
}

/* One piece of the message, or a fault found in it. */
static enum server_event_kind give(struct smtp_server *s, struct str piece,
                                   struct server_event *event)
{
    look_for_fault(s);
    if (s->fault && s->fault_told && goes_on_too_long(s, piece.len)) {
        return server_give_up(s, s->fault);
    }
    if (s->fault) {
        return s->fault_told ? SERVER_MORE : tell_fault(s, event);
    }
    event->body = piece;
    return SERVER_BODY;
}

enum server_event_kind server_take_data(struct smtp_server *s, struct str *bytes,
                                        struct server_event *event)
{
    struct str piece = {0};
    while (data_decode(&s->data, bytes, &piece)) {
        enum server_event_kind kind = give(s, piece, event);
        if (kind != SERVER_MORE) {
            return kind;
        }
    }
    if (!s->data.ended) {
        return SERVER_MORE;
    }
    return s->fault ? end_refused(s) : ask_end(s, event);
}

enum server_event_kind server_begin_chunk(struct smtp_server *s, const struct command *c)
{
    bool first = s->state != STATE_BDAT;
    s->phase = SERVER_AT_CHUNK;
    s->chunk_left = c->chunk;
    s->chunk_last = c->last;
    if (!first) {
        return SERVER_MORE;
    }
    s->state = STATE_BDAT;
    s->data = data_decoder_begin(s->binary ? DATA_BINARY : DATA_LINES, s->options->normalise);
    return SERVER_BDAT;
}

enum server_event_kind server_drain_chunk(struct smtp_server *s, const struct command *c,
                                          enum answer answer)
{
    s->phase = SERVER_AT_CHUNK;
    s->chunk_left = c->chunk;
    s->chunk_last = c->last;
    s->fault = smtp_answer(answer);
    s->fault_told = s->state != STATE_MAIL && s->state != STATE_RCPT && s->state != STATE_BDAT;
    return SERVER_MORE;
}

/* A text may not end in half a line end. */
static enum server_event_kind end_last_chunk(struct smtp_server *s, struct server_event *event)
{
    struct str piece = {0};
    if (!s->fault && data_decode_end(&s->data, &piece)) {
        enum server_event_kind kind = give(s, piece, event);
        if (kind != SERVER_MORE) {
            return kind;
        }
    }
    return s->fault ? end_refused(s) : ask_end(s, event);
}

static enum server_event_kind end_chunk(struct smtp_server *s, struct server_event *event)
{
    if (s->fault && !s->fault_told) {
        return tell_fault(s, event);
    }
    if (s->fault) {
        return end_refused(s);
    }
    if (s->chunk_last) {
        return end_last_chunk(s, event);
    }
    server_say(s, smtp_answer(ANSWER_CHUNK_OK));
    s->phase = SERVER_AT_COMMAND;
    return SERVER_MORE;
}

enum server_event_kind server_take_chunk(struct smtp_server *s, struct str *bytes,
                                         struct server_event *event)
{
    while (s->chunk_left > 0 && bytes->len > 0) {
        size_t here = s->chunk_left < bytes->len ? (size_t)s->chunk_left : bytes->len;
        if (s->fault) {
            *bytes = str_tail(*bytes, here);
            s->chunk_left -= here;
            if (goes_on_too_long(s, here)) {
                return server_give_up(s, s->fault);
            }
            continue;
        }
        struct str part = str_head(*bytes, here);
        struct str piece = {0};
        bool got = data_decode(&s->data, &part, &piece);
        size_t used = here - part.len;
        *bytes = str_tail(*bytes, used);
        s->chunk_left -= used;
        enum server_event_kind kind = got ? give(s, piece, event) : SERVER_MORE;
        if (kind != SERVER_MORE) {
            return kind;
        }
    }
    return s->chunk_left == 0 ? end_chunk(s, event) : SERVER_MORE;
}
