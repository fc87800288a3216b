/* The report's part for programs (RFC 3464 section 2; RFC 6533 section 3 where it is global). */
#include "core/mail/date.h"
#include "core/mail/status.h"
#include "path/report/report_inside.h"

static void add(const struct making *m, struct buf *out, const char *name, const char *type,
                struct str text)
{
    if (text.len > 0) {
        text_add_field(out, &(struct text_field){name, type, text, m->global});
    }
}

static void add_date(const struct making *m, struct buf *out, const char *name, struct instant t)
{
    struct buf date = {0};
    if (t.us != 0) {
        date_format(&date, t);
        add(m, out, name, NULL, buf_str(&date));
    }
    out->failed |= date.failed;
    buf_done(&date);
}

static void message_fields(const struct making *m, struct buf *out)
{
    const struct envelope *e = m->ask->envelope;
    struct queue_id_text id = queue_id_text(e->id);
    add(m, out, "Original-Envelope-Id", NULL, e->envid);
    add(m, out, "Reporting-MTA", "dns", m->ask->config->hostname);
    add(m, out, "Received-From-MTA", "dns", e->client_name.len > 0 ? e->client_name : e->helo);
    add(m, out, "X-Postrider-Queue-ID", NULL, queue_id_str(&id));
    add_date(m, out, "Arrival-Date", e->arrived);
    add_date(m, out, "Deliver-By-Date", envelope_deadline(e)); /* RFC 2852 */
}

static const char *action_of(const struct making *m, const struct outcome *o)
{
    if (m->ask->kind == REPORT_FAILURE) {
        return "failed";
    }
    if (m->ask->kind == REPORT_DELAY) {
        return "delayed";
    }
    if (o->kind == OUTCOME_RELAYED) {
        return "relayed";
    }
    /* A list, which sends in its owner's name, is where the message was to go: RFC 3461 5.2.7.4. */
    bool list = o->child_count > 0 && o->children[0].sender.len > 0;
    return o->kind == OUTCOME_EXPANDED && !list ? "expanded" : "delivered";
}

/* The class says what the action says, whatever the other side's code was. */
static struct status_code status_of(const struct making *m, const struct outcome *o)
{
    static const uint8_t classes[] = {
        [REPORT_FAILURE] = 5, [REPORT_DELAY] = 4, [REPORT_SUCCESS] = 2};
    struct status_code status = o->status;
    if (status.class == 0 || (m->ask->kind == REPORT_SUCCESS && status.class != 2)) {
        status = (struct status_code){0};
    }
    status.class = classes[m->ask->kind];
    return status;
}

static void original_rcpt(const struct making *m, const struct report_rcpt *r, struct buf *out)
{
    struct str address = r->orcpt;
    struct str type = str_split(&address, ';');
    struct buf text = {0};
    if (r->orcpt.len == 0) {
        return;
    }
    bool utf8 = m->global && !text_is_ascii(address);
    buf_add(&text, utf8 ? STR("utf-8") : type);
    buf_add_char(&text, ';');
    buf_add(&text, address);
    add(m, out, "Original-Recipient", NULL, buf_str(&text));
    out->failed |= text.failed;
    buf_done(&text);
}

static void attempt_fields(const struct making *m, const struct outcome *o, struct buf *out)
{
    if (o->host.len > 0) {
        add(m, out, "Remote-MTA", "dns", o->host);
    }
    if (m->ask->kind != REPORT_SUCCESS || o->reply_code != 0) {
        add(m, out, "Diagnostic-Code", o->reply_code ? "smtp" : "x-postrider", o->text);
    }
    add_date(m, out, "Last-Attempt-Date", o->at);
}

static void rcpt_fields(const struct making *m, const struct report_rcpt *r, struct buf *out)
{
    struct str final = r->final_address.len > 0 ? r->final_address : r->address;
    struct buf status = {0};
    original_rcpt(m, r, out);
    add(m, out, "Final-Recipient", text_is_ascii(final) || !m->global ? "rfc822" : "utf-8", final);
    add(m, out, "Action", NULL, str_from_cstr(action_of(m, &r->outcome)));
    status_format(&status, status_of(m, &r->outcome));
    add(m, out, "Status", NULL, buf_str(&status));
    attempt_fields(m, &r->outcome, out);
    if (m->ask->kind == REPORT_DELAY) {
        add_date(m, out, "Will-Retry-Until", r->give_up);
    }
    out->failed |= status.failed;
    buf_done(&status);
}

void report_fields(const struct making *m, struct buf *out)
{
    message_fields(m, out);
    for (size_t i = 0; i < m->ask->rcpt_count; i++) {
        buf_add(out, STR("\r\n"));
        rcpt_fields(m, &m->ask->rcpts[i], out);
    }
}
