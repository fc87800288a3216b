#include "control/client.h"

#include "world/log.h"
#include "world/loop.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

enum { AHEAD_MAX = 1 << 20 }; /* octets read before they are asked for */

static void on_connected(struct net_connect *connect)
{
    struct control_call *call = CONTAINER_OF(connect, struct control_call, connect);
    call->connected = true;
    call->stream = connect->stream;
    loop_stop(call->loop);
}

static void on_data(struct stream *stream, struct str bytes)
{
    struct control_call *call = stream->owner;
    if (!line_feed_add(&call->lines, bytes)) {
        call->ended = true;
    }
    if (line_feed_waiting(&call->lines) > AHEAD_MAX) {
        stream_pause(stream);
    }
    loop_stop(call->loop);
}

static void on_end(struct stream *stream, int error)
{
    struct control_call *call = stream->owner;
    (void)error;
    call->ended = true;
    loop_stop(call->loop);
}

static void on_drained(struct stream *stream)
{
    (void)stream;
}

static const struct stream_events events = {.data = on_data, .end = on_end, .drained = on_drained};

static void not_connected(struct control_call *call, int error)
{
    struct str path = call->path;
    if (error == -ENOENT || error == -ECONNREFUSED) {
        call->exit_code = EX_TEMPFAIL;
        buf_add_format(&call->problem,
                       "the server is not running: no one listens at %.*s; start it with "
                       "`postrider serve`",
                       STR_ARG(path));
    } else if (error == -EACCES || error == -EPERM) {
        call->exit_code = EX_NOPERM;
        buf_add_format(&call->problem,
                       "you may not speak with the server at %.*s; be the user that runs it, or "
                       "of its group",
                       STR_ARG(path));
    } else {
        call->exit_code = error == -EAGAIN ? EX_TEMPFAIL : EX_UNAVAILABLE;
        buf_add_format(&call->problem, "cannot reach the server at %.*s: %s", STR_ARG(path),
                       strerror(-error));
    }
}

bool control_call_open(struct control_call *call, struct str path)
{
    call->path = path;
    call->lines.limit = CONTROL_ANSWER_MAX;
    call->log = log_new(2, LOG_STYLE_AUTO, LOG_ERROR);
    call->loop = call->log ? loop_new(call->log, NULL) : NULL;
    if (!call->loop) {
        not_connected(call, -ENOMEM);
        return false;
    }
    struct net *net = loop_ports(call->loop)->net;
    call->connect = (struct net_connect){.done = on_connected, .local_path = path};
    net->connect(net, &call->connect);
    while (!call->connected) {
        loop_run(call->loop);
    }
    if (call->connect.error != 0) {
        not_connected(call, call->connect.error);
        return false;
    }
    call->stream->owner = call;
    call->stream->events = &events;
    return true;
}

bool control_call_ask(struct control_call *call, json_t *question)
{
    char *text = question ? json_dumps(question, JSON_COMPACT) : NULL;
    json_decref(question);
    if (!text) {
        call->exit_code = EX_DATAERR;
        buf_add(&call->problem, STR("that cannot be asked: it is no UTF-8, or memory is short"));
        return false;
    }
    stream_write(call->stream, str_from_cstr(text));
    stream_write(call->stream, STR("\n"));
    free(text);
    return true;
}

static json_t *broken(struct control_call *call, const char *what)
{
    call->exit_code = EX_TEMPFAIL;
    buf_add(&call->problem, str_from_cstr(what));
    return NULL;
}

/* What the server did not understand is our mistake, or the user's, and not an answer. */
static json_t *look_at(struct control_call *call, struct str line)
{
    json_t *answer = json_loadb(line.ptr, line.len, 0, NULL);
    const json_t *refused = json_object_get(json_object_get(answer, "done"), "refused");
    if (!json_is_object(answer)) {
        json_decref(answer);
        return broken(call, "the server's answer is not understood: is it another version?");
    }
    if (refused) {
        call->exit_code = EX_USAGE;
        buf_add_format(&call->problem, "the server refused: %s", json_string_value(refused));
        json_decref(answer);
        return NULL;
    }
    return answer;
}

json_t *control_call_next(struct control_call *call)
{
    for (;;) {
        struct str line;
        switch (line_feed_next(&call->lines, &line)) {
        case LINE_FEED_LINE:
            return look_at(call, line);
        case LINE_FEED_TOO_LONG:
            return broken(call, "the server's answer is too long");
        case LINE_FEED_MORE:
            break;
        }
        if (call->ended) {
            return broken(call, "the server went away before it had answered; ask again");
        }
        stream_resume(call->stream);
        loop_run(call->loop);
    }
}

void control_call_close(struct control_call *call)
{
    if (call->stream) {
        stream_abort(call->stream);
    }
    line_feed_done(&call->lines);
    buf_done(&call->problem);
    loop_free(call->loop);
    if (call->log) {
        log_free(call->log);
    }
    *call = (struct control_call){0};
}
