#include "crash/peer.h"

#include "crash/trouble.h"

#include <stdio.h>
#include <stdlib.h>

enum { PEER_RCPTS = 8 };

struct visit {
    struct peer *peer;
    struct stream *stream;
    struct timer patience;
    struct buf in;
    struct buf message;
    char rcpts[PEER_RCPTS][64];
    unsigned rcpt_count, messages;
    bool in_data, over;
};

static void visit_end(struct visit *v, bool politely)
{
    v->peer->open--;
    v->peer->loop.timers.cancel(&v->peer->loop.timers, &v->patience);
    if (politely) {
        stream_close(v->stream);
    } else {
        stream_abort(v->stream);
    }
    buf_done(&v->in);
    buf_done(&v->message);
    free(v);
}

static void say(struct visit *v, const char *reply)
{
    stream_write(v->stream, str_from_cstr(reply));
    stream_write(v->stream, STR("\r\n"));
}

static void thousand_lines(struct visit *v)
{
    for (unsigned i = 0; i < 1000; i++) {
        say(v, "250-and one more line of an endless reply");
    }
    say(v, "250 at last");
}

/* True: the mood has answered. */
static bool mood(struct visit *v)
{
    struct sim_world *w = v->peer->world;
    if (v->peer->temper != TEMPER_MOODY || !sim_once_in(w, 8)) {
        return false;
    }
    v->peer->ledger->excuses++;
    switch (sim_below(w, 8)) {
    case 0:
        say(v, "451 4.3.0 not now");
        break;
    case 1:
        v->over = true; /* closed without a word */
        break;
    case 2:
        say(v, "421 4.3.2 going down");
        v->over = true;
        break;
    case 3:
        say(v, "what is this");
        break;
    case 4:
        break; /* silent */
    case 5:
        thousand_lines(v);
        break;
    case 6:
        say(v, "25\0010 \377\377 half a reply");
        break;
    default:
        say(v, "452 4.2.2 full");
    }
    return true;
}

static void answer(struct visit *v, const char *reply)
{
    if (!mood(v)) {
        say(v, reply);
        if (v->peer->temper == TEMPER_LYING && sim_once_in(v->peer->world, 6)) {
            say(v, "250 2.0.0 and another");
        }
    }
}

static void take(struct visit *v)
{
    struct peer *p = v->peer;
    v->messages++;
    if (v->messages > p->connection_most) {
        trouble("a peer got %u messages on a connection", v->messages);
    }
    if (v->message.len == 0) { /* RFC 2920: what ends a DATA for which no recipient was taken */
        say(v, "554 5.6.0 nothing in it");
    } else if (p->temper == TEMPER_MOODY && sim_once_in(p->world, 8)) {
        say(v, "451 4.3.0 lost it");
    } else {
        for (unsigned i = 0; p->temper != TEMPER_LYING && i < v->rcpt_count; i++) {
            ledger_arrived(p->ledger, v->rcpts[i], buf_str(&v->message));
        }
        p->taken++;
        answer(v, "250 2.0.0 taken"); /* or the reply is lost */
    }
    buf_clear(&v->message);
    v->rcpt_count = 0;
}

static void on_rcpt(struct visit *v, struct str line)
{
    size_t end = str_find(line, '>');
    struct str address = str_tail(str_head(line, end), 9);
    if (str_starts(address, STR("r@"))) {
        answer(v, "550 5.1.1 nobody of that name");
        return;
    }
    if (mood(v)) {
        return;
    }
    if (v->rcpt_count + 1 > v->peer->rcpts_most) {
        trouble("a peer got more than %u recipients in a transaction", v->peer->rcpts_most);
    }
    (void)snprintf(v->rcpts[v->rcpt_count++], sizeof v->rcpts[0], "%.*s", STR_ARG(address));
    say(v, "250 2.1.5 fine");
}

static void on_line(struct visit *v, struct str line)
{
    if (v->in_data && str_eq(line, STR("."))) {
        v->in_data = false;
        take(v);
    } else if (v->in_data) {
        buf_add(&v->message, str_starts(line, STR(".")) ? str_tail(line, 1) : line);
        buf_add(&v->message, STR("\r\n"));
    } else if (str_starts(line, STR("EHLO"))) {
        answer(v, "250-peer.example\r\n250-PIPELINING\r\n250 8BITMIME");
    } else if (str_starts(line, STR("MAIL"))) {
        v->rcpt_count = 0;
        answer(v, "250 2.1.0 fine");
    } else if (str_starts(line, STR("RCPT TO:<"))) {
        on_rcpt(v, line);
    } else if (str_starts(line, STR("DATA"))) {
        v->in_data = (v->rcpt_count > 0 || v->peer->temper == TEMPER_LYING) && !mood(v);
        if (v->in_data) {
            say(v, "354 go on");
        } else if (v->rcpt_count == 0) {
            say(v, "503 5.5.1 no recipients");
        }
    } else if (str_starts(line, STR("QUIT"))) {
        say(v, "221 2.0.0 bye");
        v->over = true;
    } else {
        answer(v, "250 2.0.0 fine");
    }
}

static void data(struct stream *stream, struct str bytes)
{
    struct visit *v = stream->owner;
    buf_add(&v->in, bytes);
    while (!v->over) {
        size_t end = str_find_str(buf_str(&v->in), STR("\r\n"));
        if (end == STR_NONE) {
            return;
        }
        on_line(v, str_head(buf_str(&v->in), end));
        buf_drop(&v->in, end + 2);
    }
    visit_end(v, true);
}

static void ended(struct stream *stream, int error)
{
    visit_end(stream->owner, error == 0);
}

static void patience_ended(struct timer *timer)
{
    visit_end(CONTAINER_OF(timer, struct visit, patience), false);
}

static void accepted(struct net_listener *listener, struct stream *stream)
{
    static const struct stream_events events = {data, ended, NULL};
    struct peer *p = listener->owner;
    struct visit *v = calloc(1, sizeof *v);
    if (!v) {
        abort();
    }
    v->peer = p;
    v->stream = stream;
    v->patience.fire = patience_ended;
    stream->owner = v;
    stream->events = &events;
    p->open++;
    if (p->open > p->open_most) {
        trouble("a peer has %u connections at once", p->open);
    }
    p->loop.timers.arm(&p->loop.timers, &v->patience, SPAN_S(120));
    answer(v, "220 peer.example ESMTP");
    stream_resume(stream);
}

void peer_init(struct peer *p, struct sim_world *w, struct sim_wire *wire, const char *ip)
{
    p->world = w;
    sim_loop_init(&p->loop, w);
    sim_host_init(&p->host, wire, ip, "");
    p->listener = (struct net_listener){.accepted = accepted, .owner = p, .at = {p->host.ip4, 25}};
    if (p->host.net.listen(&p->host.net, &p->listener) != 0) {
        abort();
    }
}
