/* The commands of a transaction, with the parameters that this server understands. */
#include "core/base/encode.h"
#include "core/smtp/client_inside.h"

bool client_text_is_safe(struct str text)
{
    return !str_has_control(text);
}

size_t client_next_open(const struct client_transaction *t, size_t i)
{
    while (i < t->rcpt_count && t->rcpts[i].result.verdict != VERDICT_OPEN) {
        i++;
    }
    return i;
}

/* BDAT where DATA cannot carry the message, and where one chunk need not wait for another. */
bool client_uses_chunks(const struct smtp_client *c)
{
    return peer_has(&c->peer, PEER_CHUNKING) &&
           (c->transaction->body == BODY_BINARYMIME || peer_has(&c->peer, PEER_PIPELINING));
}

static void add_mail(struct smtp_client *c)
{
    const struct client_transaction *t = c->transaction;
    struct buf *out = &c->out;
    buf_add(out, STR("MAIL FROM:<"));
    buf_add(out, t->sender);
    buf_add_char(out, '>');
    if (peer_has(&c->peer, PEER_SIZE)) {
        buf_add(out, STR(" SIZE="));
        buf_add_u64(out, t->size);
    }
    if (t->body == BODY_BINARYMIME) {
        buf_add(out, STR(" BODY=BINARYMIME"));
    } else if (t->body == BODY_8BITMIME) {
        buf_add(out, STR(" BODY=8BITMIME"));
    }
    if (t->smtputf8) {
        buf_add(out, STR(" SMTPUTF8"));
    }
    if (t->require_tls && !c->lmtp) {
        buf_add(out, STR(" REQUIRETLS"));
    }
    if (t->priority != 0 && peer_has(&c->peer, PEER_PRIORITY)) {
        buf_add_format(out, " MT-PRIORITY=%d", t->priority);
    }
    if (t->by.mode != BY_NONE && peer_has(&c->peer, PEER_DELIVERBY)) {
        buf_add_format(out, " BY=%ld;%s%s", (long)t->by.seconds,
                       t->by.mode == BY_RETURN ? "R" : "N", t->by.trace ? "T" : "");
    }
    if (peer_has(&c->peer, PEER_DSN)) {
        if (t->ret != RET_UNSET) {
            buf_add(out, t->ret == RET_FULL ? STR(" RET=FULL") : STR(" RET=HDRS"));
        }
        if (t->envid.len > 0) {
            buf_add(out, STR(" ENVID="));
            xtext_encode(out, t->envid);
        }
    }
    buf_add(out, STR("\r\n"));
}

/* RFC 3461 4.1: NEVER, or a list. */
static void add_notify(struct buf *out, unsigned notify)
{
    static const struct {
        unsigned bit;
        struct str word;
    } words[] = {
        {NOTIFY_SUCCESS, STR_INIT("SUCCESS")},
        {NOTIFY_FAILURE, STR_INIT("FAILURE")},
        {NOTIFY_DELAY, STR_INIT("DELAY")},
    };
    buf_add(out, STR(" NOTIFY="));
    if (notify & NOTIFY_NEVER) {
        buf_add(out, STR("NEVER"));
        return;
    }
    bool first = true;
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (notify & words[i].bit) {
            buf_add(out, first ? STR("") : STR(","));
            buf_add(out, words[i].word);
            first = false;
        }
    }
}

bool client_text_is_ascii(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        if ((unsigned char)s.ptr[i] >= 0x80) {
            return false;
        }
    }
    return true;
}

/* RFC 3461 4.2; the address of type "utf-8" may stand as itself only where SMTPUTF8 is in use
 * (RFC 6533 section 3), and elsewhere is left out rather than misspelt. */
static void add_orcpt(struct smtp_client *c, struct str orcpt)
{
    struct str address = orcpt;
    struct str type = str_split(&address, ';');
    bool ascii = client_text_is_ascii(orcpt);
    if (address.len == 0 || !client_text_is_safe(orcpt) || str_find(type, ' ') != STR_NONE ||
        (!ascii && !c->transaction->smtputf8)) {
        return;
    }
    buf_add(&c->out, STR(" ORCPT="));
    buf_add(&c->out, type);
    buf_add_char(&c->out, ';');
    if (ascii) {
        xtext_encode(&c->out, address);
        return;
    }
    for (size_t i = 0; i < address.len; i++) {
        struct str octet = str_from(address.ptr + i, 1);
        if ((unsigned char)octet.ptr[0] >= 0x80) {
            buf_add(&c->out, octet);
        } else {
            xtext_encode(&c->out, octet);
        }
    }
}

static void add_rcpt(struct smtp_client *c, const struct client_rcpt *rcpt)
{
    buf_add(&c->out, STR("RCPT TO:<"));
    buf_add(&c->out, rcpt->address);
    buf_add_char(&c->out, '>');
    if (peer_has(&c->peer, PEER_DSN)) {
        if (rcpt->notify) {
            add_notify(&c->out, rcpt->notify);
        }
        if (rcpt->orcpt.len > 0) {
            add_orcpt(c, rcpt->orcpt);
        }
    }
    buf_add(&c->out, STR("\r\n"));
}

void client_send_mail(struct smtp_client *c)
{
    add_mail(c);
    if (!peer_has(&c->peer, PEER_PIPELINING)) {
        return;
    }
    const struct client_transaction *t = c->transaction;
    for (size_t i = client_next_open(t, 0); i < t->rcpt_count; i = client_next_open(t, i + 1)) {
        add_rcpt(c, &t->rcpts[i]);
    }
    /* A chunk is not sent on the chance that somebody is accepted: DATA costs only a line. */
    if (!client_uses_chunks(c)) {
        buf_add(&c->out, STR("DATA\r\n"));
    }
}

void client_send_rcpt(struct smtp_client *c)
{
    if (!peer_has(&c->peer, PEER_PIPELINING)) {
        add_rcpt(c, &c->transaction->rcpts[c->rcpt]);
    }
}

void client_send_data(struct smtp_client *c)
{
    if (client_uses_chunks(c)) {
        c->step = STEP_CHUNK;
        c->last_sent = false;
        c->chunks_waiting = 0;
        c->encoder = data_encoder_begin(false);
        return;
    }
    c->step = STEP_DATA;
    if (!peer_has(&c->peer, PEER_PIPELINING)) {
        buf_add(&c->out, STR("DATA\r\n"));
    }
}
