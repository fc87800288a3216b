#include "crash/client.h"

#include "crash/trouble.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum step { GREETING, HELLO, MAIL, RCPT, DATA, END, QUIT };

/* Where mail goes, and how surely. `pc`: chance in a hundred. */
static const struct place {
    const char *address;
    unsigned pc;
    bool lies;
} places[] = {
    {"u1@one.example", 11, false}, {"u2@one.example", 10, false},    {"u1@two.example", 11, false},
    {"u2@two.example", 10, false}, {"nobody@two.example", 5, false}, {"a@good.example", 12, false},
    {"r@good.example", 6, false},  {"a@flaky.example", 14, false},   {"a@lying.example", 4, true},
    {"a@dead.example", 4, false},  {"a@nowhere.example", 4, false},  {"all@one.example", 3, false},
    {"a@never.example", 4, false}, {"a@yes.example", 2, true},
};

static void again_later(struct client *c)
{
    c->no_more = c->left == 0;
    c->loop.timers.cancel(&c->loop.timers, &c->next);
    if (!c->no_more) {
        c->left--;
        struct span after = {(int64_t)sim_below(c->world, 8000000)};
        c->loop.timers.arm(&c->loop.timers, &c->next, after);
    }
}

static void hang_up(struct client *c, bool politely)
{
    if (c->stream && politely) {
        stream_close(c->stream);
    } else if (c->stream) {
        stream_abort(c->stream);
    }
    c->stream = NULL;
    c->promise = NULL;
    buf_clear(&c->in);
    again_later(c);
}

static const struct place *choose_place(struct client *c)
{
    uint64_t pc = sim_below(c->world, 100);
    for (size_t i = 0; i < ARRAY_LEN(places); i++) {
        if (pc < places[i].pc) {
            return &places[i];
        }
        pc -= places[i].pc;
    }
    return &places[0];
}

static size_t choose_size(struct client *c)
{
    switch (sim_below(c->world, 8)) {
    case 0:
        return 12000 + sim_below(c->world, 20000); /* a file of its own */
    case 1:
        return 39000 + sim_below(c->world, 3000); /* about the limit */
    default:
        return 200 + sim_below(c->world, 3000);
    }
}

static void choose_sender(struct client *c, struct promise *p)
{
    uint64_t kind = sim_below(c->world, 12);
    p->sender_reached = kind > 1;
    if (kind == 0) {
        return;
    }
    const char *domain = kind == 1 ? "nowhere.example" : kind == 2 ? "good.example" : c->home;
    (void)snprintf(p->sender, sizeof p->sender, "s%u@%s", (unsigned)(kind % 2 + 1), domain);
}

static struct promise *make_promise(struct client *c)
{
    struct promise *p = ledger_new(c->ledger, choose_size(c));
    if (!p) {
        return NULL;
    }
    choose_sender(c, p);
    unsigned count = 1 + (unsigned)sim_below(c->world, PROMISE_RCPTS);
    for (unsigned i = 0; i < count; i++) {
        const struct place *place = choose_place(c);
        bool twice = false;
        for (unsigned k = 0; k < p->rcpt_count; k++) {
            twice = twice || strcmp(p->rcpts[k].address, place->address) == 0;
        }
        if (!twice) {
            struct promise_rcpt *r = &p->rcpts[p->rcpt_count++];
            (void)snprintf(r->address, sizeof r->address, "%s", place->address);
            r->lies = place->lies;
        }
    }
    return p;
}

static void say(struct client *c, struct str text)
{
    stream_write(c->stream, text);
}

static void send_envelope(struct client *c, bool all)
{
    struct buf out = {0};
    const struct promise *p = c->promise;
    if (c->step == MAIL || all) {
        buf_add_format(&out, "MAIL FROM:<%s> ENVID=%u\r\n", p->sender, p->counted);
        c->replies_due = 1;
    }
    if (c->step == RCPT || all) {
        for (unsigned i = 0; i < p->rcpt_count; i++) {
            buf_add_format(&out, "RCPT TO:<%s>\r\n", p->rcpts[i].address);
        }
        c->replies_due = p->rcpt_count + (all ? 1 : 0);
    }
    if (c->step == DATA || all) {
        buf_add(&out, STR("DATA\r\n"));
        c->replies_due = all ? p->rcpt_count + 2 : 1;
    }
    c->rcpt_replies = 0;
    say(c, buf_str(&out));
    buf_done(&out);
}

static void dots_doubled(struct buf *out, struct str text)
{
    bool start = true;
    for (size_t i = 0; i < text.len; i++) {
        if (start && text.ptr[i] == '.') {
            buf_add_char(out, '.');
        }
        buf_add_char(out, text.ptr[i]);
        start = text.ptr[i] == '\n';
    }
}

static void send_message(struct client *c)
{
    struct buf text = {0};
    struct buf out = {0};
    ledger_text(&text, c->promise);
    dots_doubled(&out, buf_str(&text));
    c->step = END;
    c->replies_due = 1;
    if (sim_once_in(c->world, 20)) { /* it gives up in the midst */
        say(c, str_head(buf_str(&out), sim_below(c->world, out.len)));
        hang_up(c, sim_once_in(c->world, 2));
    } else {
        buf_add(&out, STR(".\r\n"));
        c->promise->offered = true;
        say(c, buf_str(&out));
        if (sim_once_in(c->world, 25)) { /* it does not wait for the answer */
            hang_up(c, false);
        }
    }
    buf_done(&text);
    buf_done(&out);
}

static void begin_message(struct client *c)
{
    c->promise = c->messages > 0 ? make_promise(c) : NULL;
    if (!c->promise) {
        c->step = QUIT;
        c->replies_due = 1;
        say(c, STR("QUIT\r\n"));
        return;
    }
    c->messages--;
    c->step = MAIL;
    c->pipelines = sim_once_in(c->world, 2);
    send_envelope(c, c->pipelines);
    if (c->pipelines) {
        c->step = DATA;
    }
}

/* The transaction is given up. */
static void start_over(struct client *c)
{
    say(c, STR("RSET\r\n"));
    c->step = HELLO;
    c->replies_due = 1;
}

static unsigned rcpts_taken(const struct promise *p)
{
    unsigned taken = 0;
    for (unsigned i = 0; i < p->rcpt_count; i++) {
        taken += p->rcpts[i].accepted;
    }
    return taken;
}

static void next_step(struct client *c, bool fine, int code)
{
    switch ((enum step)c->step) {
    case GREETING:
        c->step = HELLO;
        c->replies_due = 1;
        if (fine) {
            say(c, STR("EHLO client.example\r\n"));
        } else {
            hang_up(c, true);
        }
        return;
    case HELLO:
        begin_message(c);
        return;
    case MAIL:
        if (!fine) {
            start_over(c);
            return;
        }
        c->step = RCPT;
        send_envelope(c, false);
        return;
    case RCPT:
        if (rcpts_taken(c->promise) == 0) {
            start_over(c);
            return;
        }
        c->step = DATA;
        send_envelope(c, false);
        return;
    case DATA:
        if (code == 354) {
            send_message(c);
        } else {
            start_over(c);
        }
        return;
    case END:
        if (fine) {
            c->promise->acknowledged = true;
            c->ledger->acknowledged++;
            tell("message %u is acknowledged", c->promise->counted);
            if (c->promise->size > 40000) {
                trouble("message %u of over %zu octets was taken", c->promise->counted,
                        c->promise->size);
            }
        }
        begin_message(c);
        return;
    case QUIT:
        hang_up(c, true);
        return;
    }
}

/* Replies to MAIL and RCPT, where they come together with that to DATA. */
static void on_reply(struct client *c, int code)
{
    bool fine = code >= 200 && code < 300;
    unsigned first = c->pipelines && c->step == DATA ? 1 : 0;
    bool rcpt = c->step == RCPT || (first && c->rcpt_replies >= first &&
                                    c->rcpt_replies < first + c->promise->rcpt_count);
    if (rcpt) {
        c->promise->rcpts[c->rcpt_replies - first].accepted = fine;
    }
    c->rcpt_replies++;
    if (c->replies_due == 0) {
        if (code != 421) {
            trouble("a client got a reply that it did not ask for: %d", code);
        }
        return;
    }
    c->replies_due--;
    if (code == 421) {
        hang_up(c, true);
    } else if (c->replies_due == 0) {
        if (rcpt && rcpts_taken(c->promise) > 3) {
            trouble("message %u got more recipients than the limit", c->promise->counted);
        }
        next_step(c, fine, code);
    }
}

static void data(struct stream *stream, struct str bytes)
{
    struct client *c = stream->owner;
    buf_add(&c->in, bytes);
    while (c->stream) {
        size_t end = str_find_str(buf_str(&c->in), STR("\r\n"));
        if (end == STR_NONE) {
            break;
        }
        const char *line = c->in.ptr;
        int code = end >= 3 ? (line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0') : 0;
        bool last = end < 4 || line[3] != '-';
        if (code < 200 || code > 599) {
            trouble("a client got what is no reply: %.*s", (int)end, line);
        }
        buf_drop(&c->in, end + 2);
        if (last) {
            on_reply(c, code);
        }
    }
}

static void ended(struct stream *stream, int error)
{
    (void)error;
    hang_up(stream->owner, false);
}

static void connected(struct net_connect *op)
{
    static const struct stream_events events = {data, ended, NULL};
    struct client *c = CONTAINER_OF(op, struct client, connect);
    if (op->error) {
        again_later(c);
        return;
    }
    c->stream = op->stream;
    c->stream->owner = c;
    c->stream->events = &events;
    c->step = GREETING;
    c->replies_due = 1;
    c->messages = 1 + (unsigned)sim_below(c->world, 3);
    stream_resume(c->stream);
    c->loop.timers.arm(&c->loop.timers, &c->next, SPAN_S(60));
}

static void next(struct timer *timer)
{
    struct client *c = CONTAINER_OF(timer, struct client, next);
    if (c->stream) {
        hang_up(c, false); /* its patience is at an end */
        return;
    }
    if (c->connect.impl) {
        c->host.net.cancel(&c->host.net, &c->connect);
        again_later(c);
        return;
    }
    c->connect = (struct net_connect){.done = connected, .to = c->server};
    c->loop.timers.arm(&c->loop.timers, timer, SPAN_S(10));
    c->host.net.connect(&c->host.net, &c->connect);
}

void client_init(struct client *c, struct sim_world *w, struct sim_wire *wire, const char *ip)
{
    c->world = w;
    c->next.fire = next;
    sim_loop_init(&c->loop, w);
    sim_host_init(&c->host, wire, ip, "");
}

void client_start(struct client *c)
{
    again_later(c);
}

bool client_done(const struct client *c)
{
    return c->no_more && !c->stream;
}
