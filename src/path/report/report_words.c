/* The report's words for people: what happened, why, what is to be done. */
#include "core/mail/date.h"
#include "path/report/report_inside.h"

const char *report_subject(const struct making *m)
{
    if (m->double_bounce) {
        return "A report or notice could not be delivered to anybody";
    }
    switch (m->ask->kind) {
    case REPORT_FAILURE:
        return "Your message could not be delivered";
    case REPORT_DELAY:
        return "Your message is delayed, but still on its way";
    case REPORT_SUCCESS:
        break;
    }
    return "Your message was delivered";
}

static void paragraph(struct buf *out, const char *text)
{
    text_add_indented(out, "", str_from_cstr(text), false);
    buf_add(out, STR("\r\n"));
}

static void opening(const struct making *m, struct buf *out)
{
    const struct envelope *e = m->ask->envelope;
    struct buf line = {0};
    buf_add_format(&line, "This is the mail server %.*s. ", STR_ARG(m->ask->config->hostname));
    if (m->double_bounce) {
        buf_add(&line, STR("A message without a return address (such as a report) of "));
    } else {
        buf_add(&line, STR("Your message of "));
    }
    date_format(&line, e->arrived);
    switch (m->ask->kind) {
    case REPORT_FAILURE:
        buf_add(&line, STR(" could not be delivered to:"));
        break;
    case REPORT_DELAY:
        buf_add(&line, STR(" has not yet been delivered to:"));
        break;
    case REPORT_SUCCESS:
        buf_add(&line, STR(" was passed on or delivered, as you asked to be told, for:"));
        break;
    }
    out->failed |= line.failed;
    text_add_indented(out, "", buf_str(&line), m->global);
    buf_add(out, STR("\r\n"));
    buf_done(&line);
}

/* RFC 2852: whether the next server keeps to the time that the sender named. */
static void relayed_words(const struct making *m, const struct outcome *o, struct buf *line)
{
    buf_add_format(line,
                   o->passed_on ? "It was handed to %.*s. "
                                : "It was handed to %.*s, which reports no further. ",
                   STR_ARG(o->host));
    if (o->by_unheard) {
        buf_add(line, STR("That server knows nothing of the time that you set for the delivery, "
                          "and tells nobody that it is late. "));
    } else if (m->ask->envelope->by.mode != BY_NONE) {
        buf_add(line, STR("That server was told the time that you set for the delivery. "));
    }
    buf_add(line, STR("This does not say that it reached the mailbox."));
}

static void success_words(const struct making *m, const struct outcome *o, struct buf *line)
{
    if (o->kind == OUTCOME_EXPANDED) {
        buf_add(line, STR("It was passed on to the members of this list or alias. "
                          "Their own deliveries are not reported."));
    } else if (o->kind == OUTCOME_RELAYED) {
        relayed_words(m, o, line);
    } else {
        buf_add(line, STR("It was delivered."));
    }
}

/* Why it is given up. */
static void expired_words(const struct making *m, const struct outcome *o, struct buf *line)
{
    const struct envelope *e = m->ask->envelope;
    if (envelope_is_over(e, o->at)) {
        buf_add(line, STR("It was to be delivered by "));
        date_format(line, envelope_deadline(e));
        buf_add(line, STR(", or to be returned. The last time, "));
    } else {
        buf_add(line, STR("It was tried for as long as this server tries. The last time, "));
    }
}

/* Who said it; what was said follows on lines of its own. */
static void who_said(const struct making *m, const struct outcome *o, struct buf *line)
{
    char ip[IP_TEXT_MAX];
    if (o->kind == OUTCOME_EXPIRED) {
        expired_words(m, o, line);
    }
    if (o->reply_code == 0) {
        buf_add(line, o->kind == OUTCOME_EXPIRED ? STR("the reason was:") : STR("The reason:"));
        return;
    }
    buf_add(line, o->kind == OUTCOME_EXPIRED ? STR("the server ") : STR("The server "));
    buf_add(line, o->host);
    if (o->peer.ip.family != IP_NONE) {
        struct str text = ip_text(o->peer.ip, ip);
        buf_add_format(line, " [%.*s]", STR_ARG(text));
    }
    buf_add(line, STR(" answered:"));
}

static void one_rcpt(const struct making *m, const struct report_rcpt *r, struct buf *out)
{
    struct buf line = {0};
    text_add_indented(out, "  ", r->address, m->global);
    if (r->final_address.len > 0 && !str_eq(r->final_address, r->address)) {
        buf_add(&line, STR("which leads to "));
        buf_add(&line, r->final_address);
        text_add_indented(out, "    ", buf_str(&line), m->global);
        buf_clear(&line);
    }
    if (m->ask->kind == REPORT_SUCCESS) {
        success_words(m, &r->outcome, &line);
        text_add_indented(out, "    ", buf_str(&line), m->global);
    } else {
        who_said(m, &r->outcome, &line);
        text_add_indented(out, "    ", buf_str(&line), m->global);
        struct str text = r->outcome.text;
        text_add_indented(out, "      ", text.len > 0 ? text : STR("none is known"), m->global);
    }
    out->failed |= line.failed;
    buf_add(out, STR("\r\n"));
    buf_done(&line);
}

static void closing(const struct making *m, struct buf *out)
{
    struct buf line = {0};
    switch (m->ask->kind) {
    case REPORT_FAILURE:
        paragraph(out, "It will not be tried again for these recipients. If an address is wrong, "
                       "send the message to the right one; if the reason above makes no sense to "
                       "you, show this report to your postmaster or to theirs.");
        break;
    case REPORT_DELAY:
        buf_add(&line, STR("You need not do anything: it will be tried again until "));
        if (m->ask->rcpt_count > 0) {
            date_format(&line, m->ask->rcpts[0].give_up);
        }
        buf_add(&line, STR(", and you will be told if it cannot be delivered by then."));
        out->failed |= line.failed;
        text_add_indented(out, "", buf_str(&line), m->global);
        buf_add(out, STR("\r\n"));
        break;
    case REPORT_SUCCESS:
        break;
    }
    paragraph(out, m->whole ? "Below is the same for programs, and the message itself."
                            : "Below is the same for programs, and the header of the message.");
    buf_done(&line);
}

void report_words(const struct making *m, struct buf *out)
{
    opening(m, out);
    for (size_t i = 0; i < m->ask->rcpt_count; i++) {
        one_rcpt(m, &m->ask->rcpts[i], out);
    }
    closing(m, out);
}
