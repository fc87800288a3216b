#include "core/mail/date.h"
#include "path/session/session_inside.h"

/* "mx.example.org [192.0.2.1]", the name only if it is proven (RFC 5321 4.4, RFC 8601). */
static void add_client(struct buf *out, const struct envelope *e)
{
    if (e->client_ip.family == IP_NONE) {
        buf_add(out, STR("local socket"));
        return;
    }
    buf_add(out, e->client_name.len > 0 ? e->client_name : STR("unverified"));
    buf_add(out, e->client_ip.family == IP_V6 ? STR(" [IPv6:") : STR(" ["));
    ip_format(out, e->client_ip);
    buf_add_char(out, ']');
}

static void add_tls(struct buf *out, const struct session *s)
{
    struct tls *tls = s->office->ports->tls;
    struct tls_facts facts;
    if (s->secure && tls->facts(s->stream, &facts)) {
        buf_add_format(out, "\r\n\t(using %.*s with cipher %.*s)", STR_ARG(facts.version),
                       STR_ARG(facts.cipher));
    }
}

static void add_date(struct buf *out, struct instant when)
{
    date_format(out, when);
    buf_add(out, STR("\r\n"));
}

/* The name that HELO gave tells of the submitter's network too. */
static void add_from(struct buf *out, const struct session *s)
{
    const struct envelope *e = &s->mail->envelope;
    buf_add(out, STR("Received: from "));
    if (s->client.mode == LISTEN_SUBMISSION && s->config->submitters == SUBMITTERS_HIDDEN) {
        buf_join(out, s->config->hostname, STR(" (submitter not shown)"));
        return;
    }
    buf_add(out, e->helo.len > 0 ? e->helo : STR("unknown"));
    buf_add(out, STR(" ("));
    add_client(out, e);
    buf_add_char(out, ')');
}

static void add_received(struct buf *out, const struct session *s)
{
    const struct transaction *t = s->mail;
    const struct envelope *e = &t->envelope;
    add_from(out, s);
    add_tls(out, s);
    buf_join(out, STR("\r\n\tby "), s->config->hostname, STR(" (Postrider) with "), e->protocol,
             STR(" id "), queue_id_str(&t->id_text));
    if (e->rcpt_count == 1) {
        /* Of several recipients none is named: it would tell each of the others. */
        buf_join(out, STR("\r\n\tfor <"), e->rcpts[0].address, STR(">"));
    }
    if (e->priority != 0) {
        buf_add_format(out, "\r\n\tpriority %d", e->priority); /* RFC 6710 4.2 */
    }
    buf_add(out, STR(";\r\n\t"));
    add_date(out, e->arrived);
}

/* What the message's way is worth, from our own field down. */
static void add_trace(struct buf *out, struct session *s, struct str received)
{
    struct tracing *t = &s->mail->tracing;
    struct tracing_client client = {.ip = s->client.ip,
                                    .reverse = s->client.reverse,
                                    .name = s->name.len > 0 ? s->name : s->claimed,
                                    .helo = s->helo,
                                    .helo_finding = s->client.helo};
    tracing_judge(t, &client, received, s->config->hostname,
                  instant_seconds(s->mail->envelope.arrived));
    if (t->judged && s->config->trace == TRACE_POLICY_HEADER) {
        tracing_field(out, t, s->config->hostname);
    }
}

void additions_format(struct buf *out, struct session *s)
{
    const struct transaction *t = s->mail;
    const struct envelope *e = &t->envelope;
    struct buf received = {0};
    struct str id = queue_id_str(&t->id_text);
    add_received(&received, s);
    if (t->traced) {
        add_trace(out, s, buf_str(&received));
    }
    buf_add(out, buf_str(&received));
    out->failed = out->failed || received.failed;
    buf_done(&received);
    if (t->lacks_sender) {
        buf_join(out, STR("Sender: <"), e->reverse_path, STR(">\r\n"));
    }
    if (e->submitted && !t->header.has_date) {
        buf_add(out, STR("Date: "));
        add_date(out, e->arrived);
    }
    if (e->submitted && !t->header.has_message_id) {
        buf_add_format(out, "Message-ID: <%.*s@%.*s>\r\n", STR_ARG(id),
                       STR_ARG(s->config->hostname));
    }
}
