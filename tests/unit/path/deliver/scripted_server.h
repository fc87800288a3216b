/* scripted_server.h: an SMTP or LMTP server for tests that answers as it is told, and writes down
 * what it heard. */
#pragma once

#include "core/base/buf.h"
#include "sim/net.h"

#include <stdlib.h>
#include <string.h>

/* Words of a script: a reply, or one of these. */
#define SCRIPT_CLOSE "close"
#define SCRIPT_SILENT "silent"

struct script {
    const char *greeting, *ehlo, *helo, *mail, *rcpt, *data, *end, *rset;
    const char *rcpt_b; /* for recipients that begin with "b"; null: as others */
    size_t rcpts_taken; /* more in one transaction get 452; 0: any number */
    bool lmtp;
    bool close_after_one; /* closes when MAIL comes a second time, without a word */
};

struct server {
    struct sim_host host;
    struct net_listener listener;
    struct script script;
    struct buf heard;    /* commands, each with its LF */
    struct buf messages; /* messages taken, dots undone, each ended by "<end>" */
    unsigned connections, taken;
    struct stream *last; /* the last connection's, while it lasts */
};

struct server_session {
    struct server *server;
    struct stream *stream;
    struct buf in;
    struct buf message;
    bool in_data;
    size_t chunk_left;
    bool chunk_last;
    size_t rcpts;
    unsigned mails;
    bool closed;
};

static void session_end(struct server_session *s, bool close)
{
    if (close) {
        stream_close(s->stream);
    }
    buf_done(&s->in);
    buf_done(&s->message);
    free(s);
}

static void answer(struct server_session *s, const char *text)
{
    if (strcmp(text, SCRIPT_CLOSE) == 0) {
        s->closed = true;
    } else if (strcmp(text, SCRIPT_SILENT) != 0 && !s->closed) {
        stream_write(s->stream, str_from_cstr(text));
        stream_write(s->stream, STR("\r\n"));
    }
}

static void take_message(struct server_session *s)
{
    struct server *server = s->server;
    buf_add(&server->messages, buf_str(&s->message));
    buf_add(&server->messages, STR("<end>"));
    buf_clear(&s->message);
    for (size_t i = 0; i < (server->script.lmtp ? s->rcpts : 1); i++) {
        answer(s, server->script.end);
    }
    server->taken++;
    s->rcpts = 0;
}

static void on_rcpt(struct server_session *s, struct str line)
{
    const struct script *script = &s->server->script;
    const char *reply = script->rcpt;
    if (script->rcpt_b && str_starts_nocase(line, STR("RCPT TO:<b"))) {
        reply = script->rcpt_b;
    }
    if (reply[0] == '2' && script->rcpts_taken > 0 && s->rcpts == script->rcpts_taken) {
        reply = "452 4.5.3 too many";
    }
    s->rcpts += reply[0] == '2';
    answer(s, reply);
}

static void on_command(struct server_session *s, struct str line)
{
    const struct script *script = &s->server->script;
    buf_add(&s->server->heard, line);
    buf_add_char(&s->server->heard, '\n');
    if (str_starts(line, STR("EHLO")) || str_starts(line, STR("LHLO"))) {
        answer(s, script->ehlo);
    } else if (str_starts(line, STR("HELO"))) {
        answer(s, script->helo);
    } else if (str_starts(line, STR("MAIL"))) {
        s->rcpts = 0;
        s->mails++;
        answer(s, script->close_after_one && s->mails > 1 ? SCRIPT_CLOSE : script->mail);
    } else if (str_starts(line, STR("RCPT"))) {
        on_rcpt(s, line);
    } else if (str_starts(line, STR("DATA"))) {
        answer(s, s->rcpts == 0 ? "503 no recipients" : script->data);
        s->in_data = s->rcpts > 0 && script->data[0] == '3';
    } else if (str_starts(line, STR("BDAT "))) {
        struct str rest = str_tail(line, 5);
        uint64_t size = 0;
        if (!str_to_u64(str_split(&rest, ' '), 1 << 30, &size)) {
            abort();
        }
        s->chunk_left = (size_t)size;
        s->chunk_last = str_eq(rest, STR("LAST"));
    } else if (str_starts(line, STR("RSET"))) {
        answer(s, script->rset);
    } else if (str_starts(line, STR("QUIT"))) {
        answer(s, "221 bye");
        s->closed = true;
    } else {
        abort();
    }
}

static void on_data_line(struct server_session *s, struct str line)
{
    if (str_eq(line, STR("."))) {
        s->in_data = false;
        take_message(s);
        return;
    }
    buf_add(&s->message, str_starts(line, STR(".")) ? str_tail(line, 1) : line);
    buf_add(&s->message, STR("\r\n"));
}

static bool in_chunk(struct server_session *s)
{
    struct str part = str_head(buf_str(&s->in), s->chunk_left);
    buf_add(&s->message, part);
    s->chunk_left -= part.len;
    buf_drop(&s->in, part.len);
    return s->chunk_left == 0;
}

static void session_data(struct stream *stream, struct str bytes)
{
    struct server_session *s = stream->owner;
    bool bdat = false;
    buf_add(&s->in, bytes);
    while (!s->closed) {
        bdat = bdat || s->chunk_left > 0;
        if (bdat && !in_chunk(s)) {
            break;
        }
        if (bdat) {
            bdat = false;
            if (s->chunk_last) {
                take_message(s);
            } else {
                answer(s, "250 chunk");
            }
            continue;
        }
        size_t end = str_find_str(buf_str(&s->in), STR("\r\n"));
        if (end == STR_NONE) {
            break;
        }
        struct str line = str_head(buf_str(&s->in), end);
        if (s->in_data) {
            on_data_line(s, line);
        } else {
            bdat = str_starts(line, STR("BDAT "));
            on_command(s, line);
        }
        buf_drop(&s->in, end + 2);
    }
    if (s->closed) {
        session_end(s, true);
    }
}

static void session_gone(struct stream *stream, int error)
{
    (void)error;
    session_end(stream->owner, true);
}

static void session_drained(struct stream *stream)
{
    (void)stream;
}

static void server_accepted(struct net_listener *listener, struct stream *stream)
{
    static const struct stream_events events = {session_data, session_gone, session_drained};
    struct server_session *s = calloc(1, sizeof *s);
    if (!s) {
        abort();
    }
    s->server = listener->owner;
    s->stream = stream;
    s->server->connections++;
    s->server->last = stream;
    stream->owner = s;
    stream->events = &events;
    answer(s, s->server->script.greeting);
    if (s->closed) {
        session_end(s, true);
        return;
    }
    stream_resume(stream);
}

/* A server that takes all; the test changes its script. */
static void server_init(struct server *server, struct sim_wire *wire, const char *ip)
{
    *server = (struct server){
        .script = {.greeting = "220 mx.example ESMTP",
                   .ehlo = "250 mx.example",
                   .helo = "250 mx.example",
                   .mail = "250 2.1.0 sender ok",
                   .rcpt = "250 2.1.5 recipient ok",
                   .data = "354 go on",
                   .end = "250 2.0.0 taken",
                   .rset = "250 2.0.0 reset"},
    };
    sim_host_init(&server->host, wire, ip, "");
    server->listener = (struct net_listener){
        .accepted = server_accepted, .owner = server, .at = {server->host.ip4, 25}};
    if (server->host.net.listen(&server->host.net, &server->listener) != 0) {
        abort();
    }
}

static void server_done(struct server *server)
{
    buf_done(&server->heard);
    buf_done(&server->messages);
}
