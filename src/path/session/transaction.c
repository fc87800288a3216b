#include "path/session/allowance.h"
#include "path/session/session_inside.h"

#include <errno.h>
#include <stdlib.h>

enum { MANY_RCPTS = 64 }; /* so many are looked through at the end, and at once */

void transaction_free(struct session *s)
{
    if (s->mail) {
        allowance_settle_mail(s, (struct allowance){0});
        draft_free(s->mail->draft);
        buf_done(&s->mail->additions);
        tracing_done(&s->mail->tracing);
        free(s->mail->envelope.rcpts);
        arena_done(&s->mail->arena);
        free(s->mail);
        s->mail = NULL;
    }
    s->mail_waits = false;
}

static struct str id_of(const struct session *s)
{
    return s->mail ? queue_id_str(&s->mail->id_text) : STR("");
}

static void log_rejected(const struct session *s, const struct smtp_reply *reply, struct str rcpt)
{
    log_event(s->office->ports->log, LOG_INFO, "rejected", F_STR("id", id_of(s)),
              F_IP("client", s->client.ip), F_STR("helo", s->helo),
              F_STR("sender", s->mail ? s->mail->envelope.reverse_path : STR("")),
              F_STR("rcpt", rcpt), F_STR("user", s->client.user), F_INT("code", reply->code),
              F_STR("reply", reply->text));
}

static void refuse_with(struct session *s, const struct smtp_reply *reply, struct str rcpt)
{
    log_rejected(s, reply, rcpt);
    smtp_server_reply(&s->server, reply);
}

static void refuse(struct session *s, enum answer answer, struct str rcpt)
{
    refuse_with(s, smtp_answer(answer), rcpt);
}

/* RFC 3848 and RFC 6531 4.3. */
static struct str protocol(const struct session *s, bool utf8)
{
    static const struct str names[2][2][2][2] = {
        /* [LMTP][UTF-8][TLS][user] */
        {{{STR_INIT("ESMTP"), STR_INIT("ESMTPA")}, {STR_INIT("ESMTPS"), STR_INIT("ESMTPSA")}},
         {{STR_INIT("UTF8SMTP"), STR_INIT("UTF8SMTPA")},
          {STR_INIT("UTF8SMTPS"), STR_INIT("UTF8SMTPSA")}}},
        {{{STR_INIT("LMTP"), STR_INIT("LMTPA")}, {STR_INIT("LMTPS"), STR_INIT("LMTPSA")}},
         {{STR_INIT("UTF8LMTP"), STR_INIT("UTF8LMTPA")},
          {STR_INIT("UTF8LMTPS"), STR_INIT("UTF8LMTPSA")}}},
    };
    bool lmtp = s->client.mode == LISTEN_LMTP;
    bool user = s->client.user.len > 0;
    bool plain = !s->server.extended && !s->secure;
    return plain ? STR("SMTP") : names[lmtp][utf8][s->secure][user];
}

enum { USUAL_TEXTS = 256 }; /* of an envelope with one recipient */

/* The path with a whole address. */
static enum answer complete_path(struct transaction *t, const struct path *path, struct path *whole)
{
    *whole = *path;
    if (path->null || path->postmaster) {
        return ANSWER_OK;
    }
    whole->unqualified = false;
    switch (completion_mailbox(&t->completion, path, &t->arena, &whole->mailbox)) {
    case MAILBOX_OK:
        return ANSWER_OK;
    case MAILBOX_SYNTAX:
        break;
    case MAILBOX_LOCAL_TOO_LONG:
    case MAILBOX_DOMAIN_TOO_LONG:
    case MAILBOX_TOO_LONG:
        return ANSWER_ADDRESS_TOO_LONG;
    }
    return ANSWER_NO_MEMORY;
}

static enum answer fill(struct session *s, const struct command *c)
{
    struct transaction *t = s->mail;
    struct envelope *e = &t->envelope;
    const struct ports *ports = s->office->ports;
    struct path path;
    e->arrived = ports->clock->wall(ports->clock);
    e->id = queue_id_make(s->office->ids, e->arrived);
    t->id_text = queue_id_text(e->id);
    arena_expect(&t->arena, USUAL_TEXTS);
    if (policy_completes(&s->client)) {
        t->completion = policy_completion(&s->client);
    }
    enum answer answer = complete_path(t, &c->path, &path);
    if (answer != ANSWER_OK) {
        return answer == ANSWER_ADDRESS_TOO_LONG ? ANSWER_SENDER_TOO_LONG : answer;
    }
    e->reverse_path = path.null ? STR("") : mailbox_print(&path.mailbox, &t->arena);
    e->envid = param_envid(&c->mail, &t->arena);
    e->ret = c->mail.ret;
    e->body = c->mail.body;
    e->smtputf8 = c->mail.smtputf8;
    e->require_tls = c->mail.require_tls;
    e->submitted = session_submits(s);
    e->priority = c->mail.priority;
    e->by = c->mail.by;
    e->client_ip = s->client.ip;
    e->helo = s->helo;
    e->protocol = protocol(s, e->smtputf8);
    e->user = s->client.user;
    return e->reverse_path.ptr && e->envid.ptr ? ANSWER_OK : ANSWER_NO_MEMORY;
}

/* When to send it (RFC 4865 4); zero: at once. */
static enum answer judge_release(const struct session *s, const struct mail_params *p,
                                 struct instant *release)
{
    struct instant now = s->mail->envelope.arrived;
    struct span longest = s->server.options->hold_max;
    *release = p->hold_for.us != 0 ? instant_add(now, p->hold_for) : p->hold_until;
    if (release->us == 0) {
        return ANSWER_OK;
    }
    if (instant_before(*release, now)) {
        return ANSWER_RELEASE_PAST;
    }
    if (p->by.mode != BY_NONE && !instant_before(*release, envelope_deadline(&s->mail->envelope))) {
        return ANSWER_HELD_PAST_BY;
    }
    return instant_since(*release, now).us > longest.us ? ANSWER_HELD_TOO_LONG : ANSWER_OK;
}

void transaction_on_mail(struct session *s, const struct command *c)
{
    transaction_free(s);
    s->mail = calloc(1, sizeof *s->mail);
    enum answer answer = s->mail ? fill(s, c) : ANSWER_NO_MEMORY;
    if (answer == ANSWER_OK) {
        answer = judge_release(s, &c->mail, &s->mail->envelope.release);
    }
    if (answer != ANSWER_OK) {
        refuse(s, answer, STR(""));
        transaction_free(s);
        return;
    }
    if (s->helo_unchecked) {
        session_check_helo(s);
    }
    if (s->reverse || s->helo_check) {
        s->mail_waits = true;
        return;
    }
    transaction_answer_mail(s);
}

void transaction_answer_mail(struct session *s)
{
    s->mail_waits = false;
    enum answer answer = policy_mail(&s->client, s->mail->envelope.reverse_path);
    struct smtp_reply reply =
        answer == ANSWER_NOT_YOUR_SENDER ? authors_sender_refusal(s) : *smtp_answer(answer);
    if (answer != ANSWER_OK ||
        !allowance_grants(s, (struct allowance){{[ALLOWANCE_MESSAGES] = 1}}, &reply)) {
        refuse_with(s, &reply, STR(""));
        transaction_free(s);
        return;
    }
    struct envelope *e = &s->mail->envelope;
    e->client_name = s->name;
    log_event(s->office->ports->log, LOG_INFO, "mail", F_STR("id", id_of(s)),
              F_STR("sender", e->reverse_path), F_IP("client", s->client.ip),
              F_STR("client_name", s->name), F_STR("helo", s->helo), F_STR("user", s->client.user));
    smtp_server_accept(&s->server);
}

static bool has_rcpt(const struct envelope *e, struct str address)
{
    for (size_t i = 0; i < e->rcpt_count; i++) {
        if (str_eq(e->rcpts[i].address, address)) {
            return true;
        }
    }
    return false;
}

static bool add_rcpt(struct transaction *t, struct envelope_rcpt rcpt)
{
    struct envelope *e = &t->envelope;
    if (e->rcpt_count < MANY_RCPTS && has_rcpt(e, rcpt.address)) {
        return true; /* named twice, delivered once */
    }
    if (e->rcpt_count == t->rcpt_cap) {
        size_t cap = t->rcpt_cap > 0 ? t->rcpt_cap * 2 : 4;
        struct envelope_rcpt *grown = realloc(e->rcpts, cap * sizeof *grown);
        if (!grown) {
            return false;
        }
        e->rcpts = grown;
        t->rcpt_cap = cap;
    }
    e->rcpts[e->rcpt_count++] = rcpt;
    return true;
}

void transaction_on_rcpt(struct session *s, const struct command *c)
{
    struct transaction *t = s->mail;
    struct envelope_rcpt rcpt = {.notify = c->rcpt.notify,
                                 .orcpt = param_orcpt(&c->rcpt, &t->arena)};
    struct path path;
    enum answer answer = complete_path(t, &c->path, &path);
    answer =
        answer == ANSWER_OK ? policy_rcpt(&s->client, &path, &t->arena, &rcpt.address) : answer;
    bool fine = answer == ANSWER_RCPT_OK;
    struct smtp_reply reply = *smtp_answer(answer);
    fine = fine && allowance_grants(s, (struct allowance){{[ALLOWANCE_RECIPIENTS] = 1}}, &reply);
    if (fine && (!rcpt.orcpt.ptr || !add_rcpt(t, rcpt))) {
        reply = *smtp_answer(ANSWER_NO_MEMORY);
        fine = false;
    }
    if (!fine) {
        struct str shown =
            path.postmaster ? STR("postmaster") : mailbox_print(&path.mailbox, &t->arena);
        s->office->counts.rcpts_refused++;
        refuse_with(s, &reply, shown);
        return;
    }
    t->replies++;
    log_event(s->office->ports->log, LOG_INFO, "rcpt", F_STR("id", id_of(s)),
              F_STR("rcpt", rcpt.address));
    smtp_server_accept(&s->server);
}

void transaction_on_data(struct session *s, bool asked)
{
    struct transaction *t = s->mail;
    bool completes = t->completion.domain.len > 0;
    t->draft = draft_new(s->office->drafts);
    t->header =
        (struct header_filter){.envelope = &t->envelope,
                               .submitted = t->envelope.submitted,
                               .completer = {.completion = completes ? &t->completion : NULL}};
    t->outside = !s->own;
    t->traced = s->config->trace != TRACE_POLICY_OFF && !t->envelope.submitted;
    t->results = (struct results_filter){.hostname = s->config->hostname};
    if (t->draft && asked) {
        smtp_server_accept(&s->server);
    } else if (!t->draft && asked) {
        refuse(s, ANSWER_NO_MEMORY, STR(""));
    } else if (!t->draft) {
        log_rejected(s, smtp_answer(ANSWER_NO_MEMORY), STR(""));
        smtp_server_refuse_body(&s->server, smtp_answer(ANSWER_NO_MEMORY));
        transaction_free(s);
    }
}

static void on_ready(void *owner)
{
    struct session *s = owner;
    s->blocked = false;
    session_go_on(s);
}

static void add(struct session *s, struct str bytes)
{
    if (bytes.len > 0 && !draft_add(s->mail->draft, bytes, on_ready, s)) {
        s->blocked = true;
    }
}

static void gather(struct transaction *t, struct str header, struct buf *gathered)
{
    struct str piece;
    while (header_filter_take(&t->header, &header, &piece)) {
        buf_add(gathered, piece);
        if (t->traced) {
            tracing_keep(&t->tracing, piece);
        }
    }
}

void transaction_on_body(struct session *s, struct str body)
{
    struct transaction *t = s->mail;
    struct buf gathered = {0};
    struct str piece;
    if (!t || !t->draft) {
        return;
    }
    if (t->header.in_body && (t->results.in_body || !t->outside)) {
        add(s, body);
        return;
    }
    /* The draft is given one run of octets an event: it may take no second one. */
    while (t->outside && results_filter_take(&t->results, &body, &piece)) {
        gather(t, piece, &gathered);
    }
    gather(t, body, &gathered);
    if (gathered.failed) {
        log_rejected(s, smtp_answer(ANSWER_NO_MEMORY), STR(""));
        smtp_server_refuse_body(&s->server, smtp_answer(ANSWER_NO_MEMORY));
        transaction_free(s);
    } else {
        add(s, buf_str(&gathered));
    }
    buf_done(&gathered);
}

/* What the filters held back. */
static void end_header(struct session *s)
{
    struct transaction *t = s->mail;
    struct buf gathered = {0};
    struct str piece;
    if (t->outside && results_filter_end(&t->results, &piece)) {
        gather(t, piece, &gathered);
    }
    if (header_filter_end(&t->header, &piece)) {
        buf_add(&gathered, piece);
        if (t->traced) {
            tracing_keep(&t->tracing, piece);
        }
    }
    add(s, buf_str(&gathered));
    s->blocked = false; /* a commit may follow at once */
    t->additions.failed = t->additions.failed || gathered.failed;
    buf_done(&gathered);
}

/* The end of a message: one reply, or with LMTP one for each recipient. */
static void answer_end(struct session *s, const struct smtp_reply *reply)
{
    uint32_t times = s->client.mode == LISTEN_LMTP ? s->mail->replies : 1;
    for (uint32_t i = 0; i < times; i++) {
        smtp_server_reply(&s->server, reply);
    }
}

static void refuse_message(struct session *s, const struct smtp_reply *reply)
{
    s->office->counts.refused++;
    log_rejected(s, reply, STR(""));
    answer_end(s, reply);
    transaction_free(s);
}

static void log_queued(const struct session *s)
{
    const struct envelope *e = &s->mail->envelope;
    const struct tracing *t = &s->mail->tracing;
    struct log *log = s->office->ports->log;
    const struct log_field fields[] = {
        F_STR("id", id_of(s)),
        F_STR("sender", e->reverse_path),
        F_INT("rcpts", e->rcpt_count),
        F_INT("size", e->body_size),
        F_IP("client", s->client.ip),
        F_STR("client_name", e->client_name),
        F_STR("helo", s->helo),
        F_STR("protocol", e->protocol),
        /* Where its way was judged: */
        F_STR("trace", str_from_cstr(trace_verdict_name(t->verdict))),
        F_IP("trace_origin", t->origin),
        F_INT("trace_first_forged", t->first_forged),
    };
    size_t count = ARRAY_LEN(fields) - (!t->judged ? 3 : t->first_forged == TRACE_NONE);
    log->event(log, LOG_INFO, "queued", fields, count);
}

static void on_committed(void *owner, int result)
{
    struct session *s = owner;
    s->committing = false;
    if (result != 0) {
        refuse_message(s, smtp_answer(result == -ENOSPC ? ANSWER_DISK_FULL : ANSWER_STORE_FAILED));
        session_go_on(s);
        return;
    }
    log_queued(s);
    allowance_settle_mail(
        s, (struct allowance){{[ALLOWANCE_MESSAGES] = 1,
                               [ALLOWANCE_RECIPIENTS] = (uint32_t)s->mail->envelope.rcpt_count}});
    s->messages++;
    s->office->counts.messages++;
    s->office->counts.octets += s->mail->envelope.body_size;
    char text[64] = "OK, queued as ";
    struct str id = id_of(s);
    size_t len = sizeof "OK, queued as " - 1;
    for (size_t i = 0; i < id.len; i++) {
        text[len++] = id.ptr[i];
    }
    struct smtp_reply reply = *smtp_answer(ANSWER_QUEUED);
    reply.text = str_from(text, len);
    answer_end(s, &reply);
    transaction_free(s);
    session_go_on(s);
}

void transaction_on_end(struct session *s, const struct server_event *event)
{
    struct transaction *t = s->mail;
    struct smtp_reply refusal;
    end_header(s);
    if (t->header.received > s->config->limits.received) {
        refuse_message(s, smtp_answer(ANSWER_LOOP_RECEIVED));
        return;
    }
    if (t->header.delivered_here) {
        refuse_message(s, smtp_answer(ANSWER_LOOP_DELIVERED));
        return;
    }
    if (!authors_judge(s, &refusal)) {
        refuse_message(s, &refusal);
        return;
    }
    if (event->eight_bit && t->envelope.body == BODY_7BIT) {
        t->envelope.body = BODY_8BITMIME; /* what it is, not what it was said to be */
    }
    t->envelope.tls_optional = t->header.tls_optional && !t->envelope.require_tls;
    t->envelope.body_size = draft_size(t->draft);
    bool many = t->envelope.rcpt_count >= MANY_RCPTS;
    bool grouped = !many || envelope_group_rcpts(&t->envelope, &t->arena);
    additions_format(&t->additions, s);
    if (t->additions.failed || !grouped) {
        refuse_message(s, smtp_answer(ANSWER_NO_MEMORY));
        return;
    }
    struct draft_commit commit = {.envelope = &t->envelope,
                                  .additions = buf_str(&t->additions),
                                  .done = on_committed,
                                  .owner = s};
    struct draft *draft = t->draft;
    s->committing = true;
    t->draft = NULL; /* it is the spool's, whatever comes of it */
    draft_commit(draft, &commit);
}

void transaction_on_abort(struct session *s, const struct smtp_reply *reply)
{
    if (reply && s->mail) {
        s->office->counts.refused++;
        log_rejected(s, reply, STR(""));
    }
    transaction_free(s);
}
