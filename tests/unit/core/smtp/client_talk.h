/* client_talk.h: a client machine and what it is told and says, for its unit tests. Included once a
 * program. */
#pragma once

#include "core/smtp/client.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* A client, and a transaction with up to four recipients. */
struct talk {
    struct smtp_client c;
    struct arena arena;
    struct client_transaction t;
    struct client_rcpt rcpts[4];
};

static struct str addresses[] = {STR_INIT("a@x.example"), STR_INIT("b@x.example"),
                                 STR_INIT("c@x.example"), STR_INIT("d@x.example")};

static inline void begin(struct talk *k, bool lmtp, size_t rcpts)
{
    *k = (struct talk){0};
    smtp_client_init(&k->c, lmtp, STR("me.example"));
    k->t = (struct client_transaction){.arena = &k->arena,
                                       .sender = STR("s@y.example"),
                                       .size = 100,
                                       .rcpts = k->rcpts,
                                       .rcpt_count = rcpts};
    for (size_t i = 0; i < rcpts; i++) {
        k->rcpts[i].address = addresses[i];
    }
}

static inline void end(struct talk *k)
{
    smtp_client_done(&k->c);
    arena_done(&k->arena);
}

/* The server says this, an octet at a time. */
static inline void say(struct talk *k, const char *text)
{
    for (struct str rest = str_from_cstr(text); rest.len > 0; rest = str_tail(rest, 1)) {
        smtp_client_feed(&k->c, str_head(rest, 1));
    }
}

static inline void assert_sent_(struct talk *k, const char *text, int line)
{
    if (!str_eq(buf_str(&k->c.out), str_from_cstr(text))) {
        fail_msg("line %d: sent \"%.*s\"", line, STR_ARG(buf_str(&k->c.out)));
    }
    buf_clear(&k->c.out);
}
#define assert_sent(k, text) assert_sent_((k), (text), __LINE__)

static inline void assert_result_(struct talk *k, size_t i, const struct client_result *want,
                                  int line)
{
    const struct client_result *r = &k->rcpts[i].result;
    if (r->verdict != want->verdict || r->cause != want->cause || r->code != want->code ||
        r->status.class != want->status.class || r->status.subject != want->status.subject ||
        r->status.detail != want->status.detail || r->other_host != want->other_host ||
        r->again != want->again || r->passed_on != want->passed_on) {
        fail_msg("line %d: verdict %d cause %d code %d status %d.%d.%d other %d again %d \"%.*s\"",
                 line, (int)r->verdict, (int)r->cause, r->code, r->status.class, r->status.subject,
                 r->status.detail, r->other_host, r->again, STR_ARG(r->text));
    }
}
#define assert_result(k, i, ...)                                                                   \
    assert_result_((k), (i), &(struct client_result){__VA_ARGS__}, __LINE__)

#define ACCEPTED .verdict = VERDICT_ACCEPTED, .code = 250, .status = {2, 0, 0}
#define LOST .verdict = VERDICT_TEMPORARY, .cause = CAUSE_LOST

static inline void hello(struct talk *k, const char *reply)
{
    say(k, "220 mx.example ESMTP\r\n");
    assert_sent(k, k->c.lmtp ? "LHLO me.example\r\n" : "EHLO me.example\r\n");
    say(k, reply);
    assert_int_equal(smtp_client_state(&k->c), CLIENT_READY);
}
