#include "core/smtp/client.h"

#include "core/smtp/client_inside.h"

#include <string.h>

void smtp_client_init(struct smtp_client *c, bool lmtp, struct str name)
{
    memset(c, 0, sizeof *c);
    c->lmtp = lmtp;
    c->step = STEP_GREETING;
    c->name_len = name.len < CLIENT_NAME_MAX ? name.len : CLIENT_NAME_MAX;
    memcpy(c->name, name.len ? name.ptr : "", c->name_len);
}

void smtp_client_done(struct smtp_client *c)
{
    buf_done(&c->out);
    buf_done(&c->chunk);
    buf_done(&c->failure_text);
    c->step = STEP_CLOSED;
}

enum client_phase smtp_client_phase(const struct smtp_client *c)
{
    static const enum client_phase phases[STEP_COUNT] = {
        [STEP_GREETING] = PHASE_GREETING, [STEP_EHLO] = PHASE_HELO,
        [STEP_HELO] = PHASE_HELO,         [STEP_STARTTLS] = PHASE_STARTTLS,
        [STEP_SECURING] = PHASE_STARTTLS, [STEP_READY] = PHASE_READY,
        [STEP_MAIL] = PHASE_MAIL,         [STEP_RCPT] = PHASE_RCPT,
        [STEP_DATA] = PHASE_DATA_INIT,    [STEP_BODY] = PHASE_DATA_BLOCK,
        [STEP_CHUNK] = PHASE_DATA_BLOCK,  [STEP_END] = PHASE_DATA_DONE,
        [STEP_EMPTY] = PHASE_DATA_DONE,   [STEP_RSET] = PHASE_RSET,
        [STEP_QUIT] = PHASE_QUIT,         [STEP_CLOSED] = PHASE_QUIT,
    };
    return c->step == STEP_CHUNK && c->last_sent ? PHASE_DATA_DONE : phases[c->step];
}

enum client_state smtp_client_state(const struct smtp_client *c)
{
    if (c->step == STEP_CLOSED) {
        return CLIENT_CLOSED;
    }
    if (c->step == STEP_READY) {
        return CLIENT_READY;
    }
    if (c->step == STEP_SECURING) {
        return CLIENT_SECURE;
    }
    bool chunk_due = c->step == STEP_CHUNK && !c->last_sent &&
                     (c->chunks_waiting == 0 || peer_has(&c->peer, PEER_PIPELINING));
    return c->step == STEP_BODY || chunk_due ? CLIENT_BODY : CLIENT_TALKING;
}

/* 4 and 5 as they are; whatever else makes no sense and may mean anything: try again later. */
static bool is_refusal(const struct smtp_client *c)
{
    return c->reader.code >= 400;
}

static bool is_success(const struct smtp_client *c)
{
    return c->reader.code / 100 == 2;
}

static enum client_verdict refusal(const struct smtp_client *c)
{
    return c->reader.code >= 500 ? VERDICT_PERMANENT : VERDICT_TEMPORARY;
}

static void close_unexpected(struct smtp_client *c)
{
    struct client_result result = client_result_of_reply(c, VERDICT_TEMPORARY);
    result.cause = CAUSE_UNEXPECTED;
    result.status = (struct status_code){4, 5, 0};
    client_close(c, result);
}

/* A refusal or nonsense instead of the success that was wanted. */
static void close_failed(struct smtp_client *c)
{
    if (is_refusal(c)) {
        client_close(c, client_result_of_reply(c, refusal(c)));
    } else {
        close_unexpected(c);
    }
}

static bool names_us(const struct smtp_client *c)
{
    struct str rest = str_trim(c->reader.line_text);
    return !c->lmtp && str_eq_nocase(str_split(&rest, ' '), str_from(c->name, c->name_len));
}

static void send_hello(struct smtp_client *c, enum client_step step)
{
    struct str verb = c->lmtp ? STR("LHLO ") : STR("EHLO ");
    buf_add(&c->out, step == STEP_HELO ? STR("HELO ") : verb);
    buf_add(&c->out, str_from(c->name, c->name_len));
    buf_add(&c->out, STR("\r\n"));
    c->step = (uint8_t)step;
}

static void check_memory(struct smtp_client *c)
{
    if (c->out.failed || c->chunk.failed) {
        buf_done(&c->out);
        client_close(c, client_result_of(c, VERDICT_TEMPORARY, CAUSE_MEMORY));
    }
}

static void on_greeting(struct smtp_client *c)
{
    if (c->reader.code == 220) {
        send_hello(c, STEP_EHLO);
    } else {
        close_failed(c);
    }
}

static void close_without_tls(struct smtp_client *c)
{
    struct client_result result = client_result_of(c, VERDICT_TEMPORARY, CAUSE_NO_TLS);
    if (c->step == STEP_STARTTLS) {
        result = client_result_of_reply(c, VERDICT_TEMPORARY);
        result.cause = CAUSE_NO_TLS;
    }
    result.status = (struct status_code){4, 7, 4};
    client_close(c, result);
}

/* What follows the hello: TLS where it is wanted and may be had. */
static void settle_tls(struct smtp_client *c)
{
    if (c->tls_wanted && !c->secured && peer_has(&c->peer, PEER_STARTTLS)) {
        buf_add(&c->out, STR("STARTTLS\r\n"));
        c->step = STEP_STARTTLS;
    } else if (c->tls_required && !c->secured) {
        close_without_tls(c);
    } else {
        c->step = STEP_READY;
    }
}

static void on_starttls(struct smtp_client *c)
{
    if (c->reader.code == 220) {
        c->step = STEP_SECURING;
    } else if (c->tls_required) {
        close_without_tls(c);
    } else if (is_refusal(c)) {
        c->step = STEP_READY;
    } else {
        close_unexpected(c);
    }
}

void smtp_client_secured(struct smtp_client *c)
{
    c->secured = true;
    c->peer = (struct smtp_peer){0};
    c->reader = (struct reply_reader){0};
    send_hello(c, STEP_EHLO);
    check_memory(c);
}

static void on_hello(struct smtp_client *c)
{
    if (c->step == STEP_EHLO && !c->lmtp && c->reader.code >= 500) {
        c->peer = (struct smtp_peer){0};
        send_hello(c, STEP_HELO);
    } else if (!is_success(c)) {
        close_failed(c);
    } else {
        /* What an LMTP server takes is delivered, and we report that. */
        c->peer.extensions &= c->lmtp ? ~(unsigned)PEER_DSN : ~0U;
        settle_tls(c);
    }
}

/* The lines of the replies to greeting and EHLO, as they come: a long list of keywords is learnt
 * whole though its text is not kept whole. */
static void on_hello_line(struct smtp_client *c)
{
    bool first = c->reader.lines == 1;
    if (c->step == STEP_GREETING && first) {
        c->greeted_as_self = names_us(c);
    } else if ((c->step == STEP_EHLO || c->step == STEP_HELO) && first) {
        if (is_success(c) && c->greeted_as_self && names_us(c)) {
            struct client_result self = client_result_of(c, VERDICT_PERMANENT, CAUSE_SELF);
            self.status = (struct status_code){5, 4, 6};
            client_close(c, self);
        }
    } else if (c->step == STEP_EHLO && is_success(c)) {
        peer_learn(&c->peer, c->reader.line_text);
    }
}

/* The replies that are still to come are known: RCPT's, and DATA's if it went with them. */
static void after_rcpt(struct smtp_client *c)
{
    struct client_transaction *t = c->transaction;
    bool pipelined = peer_has(&c->peer, PEER_PIPELINING);
    c->rcpt = client_next_open(t, c->rcpt + 1);
    if (c->rcpt < t->rcpt_count) {
        client_send_rcpt(c);
    } else if (c->accepted > 0 || (pipelined && !client_uses_chunks(c))) {
        client_send_data(c);
    } else {
        client_end_transaction(c, c->mail_refused ? STEP_READY : STEP_RSET);
    }
}

static void on_mail(struct smtp_client *c)
{
    if (is_success(c)) {
        c->step = STEP_RCPT;
        client_send_rcpt(c);
    } else if (!is_refusal(c)) {
        close_unexpected(c);
    } else {
        c->mail_refused = true;
        c->mail_result = client_result_of_reply(c, refusal(c));
        c->mail_result.other_host = c->mail_result.verdict == VERDICT_TEMPORARY;
        if (peer_has(&c->peer, PEER_PIPELINING)) {
            c->step = STEP_RCPT;
        } else {
            client_end_transaction(c, STEP_READY);
        }
    }
}

static void on_rcpt(struct smtp_client *c)
{
    struct client_rcpt *rcpt = &c->transaction->rcpts[c->rcpt];
    uint16_t code = c->reader.code;
    if (!is_success(c) && !is_refusal(c)) {
        close_unexpected(c);
        return;
    }
    if (c->mail_refused) {
        /* Its recipients cannot be accepted, whatever is said. */
    } else if (is_success(c)) {
        rcpt->taken = true;
        c->accepted++;
    } else {
        /* 552 was once the reply to too many recipients (RFC 5321 4.5.3.1.10). */
        enum client_verdict verdict = code == 552 ? VERDICT_TEMPORARY : refusal(c);
        rcpt->result = client_result_of_reply(c, verdict);
        rcpt->result.again = code == 452 || code == 552;
    }
    after_rcpt(c);
}

static void on_data(struct smtp_client *c)
{
    if (c->reader.code == 354 && c->accepted == 0) {
        buf_add(&c->out, STR(".\r\n"));
        c->step = STEP_EMPTY;
    } else if (c->reader.code == 354) {
        c->encoder = data_encoder_begin(true);
        c->step = STEP_BODY;
    } else if (!is_refusal(c)) {
        close_unexpected(c);
    } else {
        if (c->accepted > 0) {
            client_settle(c, client_result_of_reply(c, refusal(c)));
        }
        client_end_transaction(c, c->mail_refused ? STEP_READY : STEP_RSET);
    }
}

/* A server that speaks while the message is being sent has done with it. */
static void on_early(struct smtp_client *c)
{
    close_failed(c);
}

static void await_end(struct smtp_client *c)
{
    c->step = STEP_END;
    c->rcpt = client_next_open(c->transaction, 0);
}

static void on_chunk(struct smtp_client *c)
{
    if (c->chunks_waiting == 0 || (!is_success(c) && !is_refusal(c))) {
        close_failed(c);
        return;
    }
    c->chunks_waiting--;
    if (is_refusal(c)) {
        struct client_result result = client_result_of_reply(c, refusal(c));
        if (c->chunks_waiting > 0 || c->last_sent) {
            client_close(c, result);
        } else {
            client_settle(c, result);
            client_end_transaction(c, STEP_RSET);
        }
    } else if (c->last_sent && c->chunks_waiting == 0) {
        await_end(c);
    }
}

static void on_end(struct smtp_client *c)
{
    struct client_transaction *t = c->transaction;
    if (!is_success(c) && !is_refusal(c)) {
        close_unexpected(c);
        return;
    }
    struct client_result result =
        client_result_of_reply(c, is_success(c) ? VERDICT_ACCEPTED : refusal(c));
    result.passed_on = is_success(c) && peer_has(&c->peer, PEER_DSN);
    result.by_unheard =
        is_success(c) && t->by.mode != BY_NONE && !peer_has(&c->peer, PEER_DELIVERBY);
    if (!c->lmtp) {
        client_settle(c, result);
        client_end_transaction(c, STEP_READY);
        return;
    }
    t->rcpts[c->rcpt].result = result;
    c->rcpt = client_next_open(t, c->rcpt + 1);
    if (c->rcpt >= t->rcpt_count) {
        client_end_transaction(c, STEP_READY);
    }
}

static void on_empty(struct smtp_client *c)
{
    client_end_transaction(c, STEP_READY);
}

static void on_rset(struct smtp_client *c)
{
    c->step = is_success(c) ? STEP_READY : STEP_CLOSED;
}

static void on_quit(struct smtp_client *c)
{
    c->step = STEP_CLOSED;
}

static void on_reply(struct smtp_client *c)
{
    static void (*const handlers[STEP_COUNT])(struct smtp_client * c) = {
        [STEP_GREETING] = on_greeting, [STEP_EHLO] = on_hello,    [STEP_HELO] = on_hello,
        [STEP_STARTTLS] = on_starttls, [STEP_SECURING] = on_quit, [STEP_READY] = on_quit,
        [STEP_MAIL] = on_mail,         [STEP_RCPT] = on_rcpt,     [STEP_DATA] = on_data,
        [STEP_BODY] = on_early,        [STEP_CHUNK] = on_chunk,   [STEP_END] = on_end,
        [STEP_EMPTY] = on_empty,       [STEP_RSET] = on_rset,     [STEP_QUIT] = on_quit,
        [STEP_CLOSED] = on_quit,
    };
    c->turns++;
    if (c->transaction) {
        c->transaction->heard = true;
    }
    if (c->reader.code == 421 && c->step != STEP_QUIT) {
        client_close(c, client_result_of_reply(c, VERDICT_TEMPORARY));
        return;
    }
    handlers[c->step](c);
}

void smtp_client_feed(struct smtp_client *c, struct str bytes)
{
    while (bytes.len > 0 && c->step != STEP_CLOSED) {
        if (c->step == STEP_SECURING) { /* said in the clear, to be believed as if it were not */
            client_close(c, client_result_of(c, VERDICT_TEMPORARY, CAUSE_NO_SMTP));
            return;
        }
        enum reply_event event = reply_read(&c->reader, &bytes);
        if (event == REPLY_BAD) {
            client_close(c, client_result_of(c, VERDICT_TEMPORARY, CAUSE_NO_SMTP));
        }
        if (event == REPLY_LINE || event == REPLY_DONE) {
            on_hello_line(c);
        }
        if (event == REPLY_DONE && c->step != STEP_CLOSED) {
            on_reply(c);
        }
    }
    check_memory(c);
}

void smtp_client_lost(struct smtp_client *c)
{
    if (c->step != STEP_CLOSED) {
        client_close(c, client_result_of(c, VERDICT_TEMPORARY, CAUSE_LOST));
    }
}

/* RFC 2852 4.1.4: mail that is to be returned when its time is over goes to none that might keep it
 * longer. Behind LMTP is the mailbox. */
static struct client_result judge_by(struct smtp_client *c, const struct client_transaction *t)
{
    struct client_result r = client_result_of(c, VERDICT_PERMANENT, CAUSE_NO_DELIVERBY);
    r.status = (struct status_code){5, 4, 7};
    r.other_host = true;
    if (t->by.mode == BY_RETURN && t->by.seconds < (c->lmtp ? 0 : 1)) {
        r = client_result_of(c, VERDICT_TEMPORARY, CAUSE_BY_OVER);
        r.status = (struct status_code){4, 4, 7};
    } else if (t->by.mode != BY_RETURN || c->lmtp) {
        r.verdict = VERDICT_OPEN;
    } else if (peer_has(&c->peer, PEER_DELIVERBY)) {
        r.cause = CAUSE_BY_TOO_SOON;
        r.verdict = (uint32_t)t->by.seconds < c->peer.by_min ? VERDICT_PERMANENT : VERDICT_OPEN;
    }
    return r;
}

/* Why this server cannot have the message at all; OPEN where it can. */
static struct client_result judge(struct smtp_client *c, const struct client_transaction *t)
{
    const struct smtp_peer *peer = &c->peer;
    struct client_result r = client_result_of(c, VERDICT_PERMANENT, CAUSE_TOO_BIG);
    if (peer->size_limit > 0 && t->size > peer->size_limit) {
        r.status = (struct status_code){5, 3, 4};
    } else if (t->body == BODY_8BITMIME && !peer_has(peer, PEER_8BITMIME)) {
        r.cause = CAUSE_8BIT;
        r.status = (struct status_code){5, 6, 3};
    } else if (t->body == BODY_BINARYMIME && !peer_has(peer, PEER_BINARYMIME | PEER_CHUNKING)) {
        r.cause = CAUSE_BINARY;
        r.status = (struct status_code){5, 6, 3};
    } else if (t->smtputf8 ? !peer_has(peer, PEER_SMTPUTF8) : !client_text_is_ascii(t->sender)) {
        r.cause = CAUSE_UTF8;
        r.status = (struct status_code){5, 6, 7};
    } else if (t->require_tls && !c->lmtp && !(c->secured && peer_has(peer, PEER_REQUIRETLS))) {
        r.cause = CAUSE_NO_REQUIRETLS;
        r.status = (struct status_code){5, 7, 30};
        r.other_host = true;
    } else if (!client_text_is_safe(t->sender)) {
        r.cause = CAUSE_SYNTAX;
        r.status = (struct status_code){5, 1, 7};
    } else {
        r = judge_by(c, t);
    }
    return r;
}

static struct client_result judge_rcpt(struct smtp_client *c, struct str address)
{
    struct client_result r = client_result_of(c, VERDICT_OPEN, CAUSE_REPLY);
    if (!client_text_is_safe(address)) {
        r = client_result_of(c, VERDICT_PERMANENT, CAUSE_SYNTAX);
        r.status = (struct status_code){5, 1, 3};
    } else if (!c->transaction->smtputf8 && !client_text_is_ascii(address)) {
        r = client_result_of(c, VERDICT_PERMANENT, CAUSE_UTF8);
        r.status = (struct status_code){5, 6, 7};
    }
    return r;
}

void smtp_client_start(struct smtp_client *c, struct client_transaction *t)
{
    struct client_result judgement = judge(c, t);
    c->transaction = t;
    t->heard = false;
    t->ended = false;
    c->mail_refused = false;
    c->accepted = 0;
    for (size_t i = 0; i < t->rcpt_count; i++) {
        t->rcpts[i].taken = false;
        if (t->rcpts[i].result.verdict == VERDICT_OPEN) {
            t->rcpts[i].result = judge_rcpt(c, t->rcpts[i].address);
        }
    }
    if (judgement.verdict != VERDICT_OPEN) {
        client_settle(c, judgement);
    }
    c->rcpt = client_next_open(t, 0);
    if (c->rcpt >= t->rcpt_count) {
        client_end_transaction(c, STEP_READY);
        return;
    }
    c->step = STEP_MAIL;
    c->transactions++;
    client_send_mail(c);
    check_memory(c);
}

static void send_chunk(struct smtp_client *c, struct str piece, bool last)
{
    struct str bytes = piece;
    if (c->transaction->body != BODY_BINARYMIME) {
        buf_clear(&c->chunk);
        data_encode(&c->encoder, piece, &c->chunk);
        if (last) {
            data_encode_end(&c->encoder, &c->chunk);
        }
        bytes = buf_str(&c->chunk);
    }
    if (bytes.len == 0 && !last) {
        return;
    }
    buf_add(&c->out, STR("BDAT "));
    buf_add_u64(&c->out, bytes.len);
    buf_add(&c->out, last ? STR(" LAST\r\n") : STR("\r\n"));
    buf_add(&c->out, bytes);
    c->chunks_waiting += last ? 0 : 1;
    c->last_sent = last;
    c->transaction->ended = last;
    if (last && c->chunks_waiting == 0) {
        await_end(c);
    }
}

void smtp_client_body(struct smtp_client *c, struct str piece, bool last)
{
    if (c->step == STEP_CHUNK) {
        send_chunk(c, piece, last);
    } else {
        data_encode(&c->encoder, piece, &c->out);
        if (last) {
            data_encode_end(&c->encoder, &c->out);
            c->transaction->ended = true;
            await_end(c);
        }
    }
    check_memory(c);
}

void smtp_client_quit(struct smtp_client *c)
{
    buf_add(&c->out, STR("QUIT\r\n"));
    c->step = STEP_QUIT;
    check_memory(c);
}
