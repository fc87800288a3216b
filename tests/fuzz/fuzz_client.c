/* Whatever a server says, cut however, the client's session ends with a result for every recipient,
 * sends a bounded number of octets, and counts as accepted only what a 2xx after the whole message
 * said. The first octet of the input chooses the session, the second the cut. */
#include "core/smtp/client.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { RCPTS = 3, BODY_PIECES = 3 };

struct session {
    struct smtp_client c;
    struct arena arena;
    struct client_transaction t;
    struct client_rcpt rcpts[RCPTS];
    unsigned transactions, pieces;
    size_t sent;
};

static void begin(struct session *s, uint8_t choice)
{
    smtp_client_init(&s->c, choice & 1, STR("me.example"));
    s->c.tls_wanted = choice & 32;
    s->c.tls_required = choice & 64;
    s->t = (struct client_transaction){
        .arena = &s->arena,
        .sender = STR("s@y.example"),
        .body = (enum envelope_body)(choice >> 1) % 3,
        .smtputf8 = choice & 8,
        .size = 300,
        .ret = choice & 16 ? RET_FULL : RET_UNSET,
        .envid = STR("env id"),
        .priority = -9,
        .by = {60, choice & 128 ? BY_RETURN : BY_NOTIFY, true},
        .rcpts = s->rcpts,
        .rcpt_count = RCPTS,
    };
}

static void check_results(struct session *s)
{
    for (size_t i = 0; i < RCPTS; i++) {
        const struct client_result *r = &s->rcpts[i].result;
        bool accepted = r->verdict == VERDICT_ACCEPTED;
        if (r->verdict == VERDICT_OPEN || r->text.len > REPLY_TEXT_MAX ||
            (accepted && (!s->t.ended || r->code / 100 != 2)) || (r->other_host && s->t.ended)) {
            abort();
        }
    }
}

/* Does what the client asks for, until it waits. */
static void serve(struct session *s)
{
    bool more = true;
    while (more) {
        enum client_state state = smtp_client_state(&s->c);
        more = false;
        if (!s->c.transaction && s->transactions > 0) {
            check_results(s);
        }
        if (state == CLIENT_READY && s->c.tls_required && !s->c.secured) {
            abort();
        }
        if (state == CLIENT_READY && s->transactions < 4) {
            for (size_t i = 0; i < RCPTS; i++) {
                s->rcpts[i] = (struct client_rcpt){.address = STR("r@x.example"),
                                                   .orcpt = STR("rfc822;r@x.example")};
            }
            s->transactions++;
            s->pieces = 0;
            smtp_client_start(&s->c, &s->t);
            more = true;
        } else if (state == CLIENT_READY) {
            smtp_client_quit(&s->c);
        } else if (state == CLIENT_SECURE) {
            smtp_client_secured(&s->c);
        } else if (state == CLIENT_BODY) {
            s->pieces++;
            smtp_client_body(&s->c, STR(".a\r\nb\nc\r"), s->pieces == BODY_PIECES);
            more = true;
        }
        s->sent += s->c.out.len;
        buf_clear(&s->c.out);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2) {
        return 0;
    }
    struct session *s = calloc(1, sizeof *s);
    if (!s) {
        return 0;
    }
    size_t step = data[1] % 16 ? data[1] % 16 : size;
    struct str bytes = str_from((const char *)data + 2, size - 2);
    begin(s, data[0]);
    for (; bytes.len > 0; bytes = str_tail(bytes, step)) {
        smtp_client_feed(&s->c, str_head(bytes, step));
        serve(s);
    }
    smtp_client_lost(&s->c);
    if (smtp_client_state(&s->c) != CLIENT_CLOSED || s->c.transaction || s->sent > 8192) {
        abort();
    }
    if (s->transactions > 0) {
        check_results(s);
    }
    smtp_client_done(&s->c);
    arena_done(&s->arena);
    free(s);
    return 0;
}
