#include "path/deliver/local_message.h"

#include <errno.h>

static const struct smtp_peer takes = {.extensions = PEER_8BITMIME | PEER_SMTPUTF8};

/* CRLF becomes LF; a CR or LF alone stays what it is, wherever the text was cut. */
static void add_lines(struct local_message *m, struct str text)
{
    while (text.len > 0) {
        if (m->carriage && text.ptr[0] != '\n') {
            buf_add_char(&m->out, '\r');
        }
        m->carriage = false;
        size_t at = str_find(text, '\r');
        buf_add(&m->out, str_head(text, at));
        m->carriage = at != STR_NONE;
        text = str_tail(text, at == STR_NONE ? text.len : at + 1);
    }
}

static void add_top(struct local_message *m)
{
    struct str mailbox = m->rcpt->final_mailbox;
    struct str address = m->rcpt->address;
    buf_add_format(&m->out, "Return-Path: <%.*s>\nDelivered-To: ", STR_ARG(m->job->sender));
    buf_add(&m->out, mailbox.len > 0 ? mailbox : address);
    if (mailbox.len > 0 && !str_eq(mailbox, address)) {
        buf_add_format(&m->out, "\nX-Original-To: %.*s", STR_ARG(address));
    }
    buf_add_char(&m->out, '\n');
}

/* What the source just gave. */
static void take(struct local_message *m)
{
    m->error = m->source.error;
    if (m->error != 0) {
        return;
    }
    add_lines(m, m->source.piece);
    m->last = m->source.last;
    if (m->last && m->carriage) {
        buf_add_char(&m->out, '\r');
    }
}

static void take_form(struct local_message *m)
{
    m->prepared = true;
    m->error = m->source.error;
    m->refused = m->source.refusal != CAUSE_REPLY;
}

static bool fill(struct local_message *m)
{
    while (m->error == 0 && !m->refused && !m->last && m->out.len < LOCAL_PIECE) {
        if (!outgoing_next(&m->source)) {
            return false;
        }
        take(m);
    }
    if (m->out.failed) {
        m->error = -ENOMEM;
    }
    m->piece = buf_str(&m->out);
    return true;
}

static void on_source(struct outgoing *source)
{
    struct local_message *m = CONTAINER_OF(source, struct local_message, source);
    if (m->prepared) {
        take(m);
    } else {
        take_form(m);
    }
    if (fill(m)) {
        m->ready(m);
    }
}

bool local_message_next(struct local_message *m)
{
    buf_clear(&m->out);
    if (!m->begun) {
        m->begun = true;
        m->source = (struct outgoing){.ready = on_source, .office = m->office, .job = m->job};
        add_top(m);
        if (!outgoing_prepare(&m->source, &takes)) {
            return false;
        }
        take_form(m);
    }
    return fill(m);
}

void local_message_done(struct local_message *m)
{
    outgoing_done(&m->source);
    buf_done(&m->out);
}
