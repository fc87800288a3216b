/* How recipients, transactions and sessions end. */
#include "core/smtp/client_inside.h"

struct client_result client_result_of(struct smtp_client *c, enum client_verdict verdict,
                                      enum client_cause cause)
{
    return (struct client_result){
        .verdict = verdict, .cause = cause, .phase = smtp_client_phase(c)};
}

struct client_result client_result_of_reply(struct smtp_client *c, enum client_verdict verdict)
{
    struct client_result result = client_result_of(c, verdict, CAUSE_REPLY);
    result.code = c->reader.code;
    result.status = c->reader.status;
    if (result.status.class == 0) {
        result.status.class = (uint8_t)(c->reader.code / 100);
    }
    if (verdict == VERDICT_TEMPORARY) {
        result.status.class = 4;
    }
    if (c->transaction) {
        result.text = arena_copy(c->transaction->arena, reply_text(&c->reader));
    } else {
        buf_clear(&c->failure_text);
        buf_add(&c->failure_text, reply_text(&c->reader));
        result.text = buf_str(&c->failure_text);
    }
    return result;
}

void client_settle(struct smtp_client *c, struct client_result result)
{
    struct client_transaction *t = c->transaction;
    for (size_t i = client_next_open(t, 0); i < t->rcpt_count; i = client_next_open(t, i + 1)) {
        t->rcpts[i].result = result;
    }
}

void client_end_transaction(struct smtp_client *c, enum client_step step)
{
    if (c->mail_refused) {
        client_settle(c, c->mail_result);
    }
    c->transaction = NULL;
    c->mail_refused = false;
    buf_done(&c->chunk);
    if (step == STEP_RSET) {
        buf_add(&c->out, STR("RSET\r\n"));
    }
    c->step = (uint8_t)step;
}

void client_close(struct smtp_client *c, struct client_result result)
{
    if (c->transaction) {
        result.other_host = result.verdict == VERDICT_TEMPORARY && !c->transaction->ended &&
                            (result.cause != CAUSE_REPLY || result.code == 421);
        if (c->mail_refused) {
            client_settle(c, c->mail_result);
        }
        client_settle(c, result);
        client_end_transaction(c, STEP_CLOSED);
    } else if (c->step < STEP_READY) {
        result.other_host = true;
        c->failure = result;
        if (result.cause == CAUSE_REPLY && result.code != 421) {
            buf_add(&c->out, STR("QUIT\r\n"));
        }
    }
    c->step = STEP_CLOSED;
}
