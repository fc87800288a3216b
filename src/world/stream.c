#include "world/stream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "world/address.h"

/* How long a closed stream may take to send its rest; and then how long we read on until the peer
 * closes too: closing with unread input resets the connection, and the reset may overtake the last
 * reply (RFC 1122 section 4.2.2.13). */
#define SEND_LIMIT SPAN_MIN(1)
#define LINGER_LIMIT SPAN_S(2)

enum { WRITE_MAX = 1 << 30 };

struct pending_write {
    uv_write_t request;
    size_t len;
    char bytes[];
};

static const struct stream_ops ops;

static struct loop_stream *from_port(struct stream *stream)
{
    return CONTAINER_OF(stream, struct loop_stream, port);
}

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

void stream_drop(struct loop_stream *s)
{
    if (s->state == STREAM_GONE) {
        return;
    }
    s->state = STREAM_GONE;
    soon_cancel(&s->soon);
    s->loop->ports.timers->cancel(s->loop->ports.timers, &s->deadline);
    list_remove(&s->node);
    uv_close(&s->uv.handle, on_closed);
}

/* Without a buffer libuv reads nothing, and says so to on_read(). */
static void give_buffer(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    const struct loop_stream *s = handle->data;
    if (s->reading || s->state == STREAM_LINGERING) {
        loop_scratch(handle, suggested, buf);
    } else {
        *buf = uv_buf_init(NULL, 0);
    }
}

static void end(struct loop_stream *s, int error)
{
    s->ended = true;
    s->reading = false;
    s->started = false;
    uv_read_stop(&s->uv.stream);
    if (s->port.events && s->port.events->end) {
        s->port.events->end(&s->port, error);
    }
}

static void drained(struct loop_stream *s)
{
    if (s->port.events && s->port.events->drained) {
        s->port.events->drained(&s->port);
    }
}

static void on_read(uv_stream_t *uv, ssize_t n, const uv_buf_t *buf)
{
    struct loop_stream *s = uv->data;
    if (n == UV_ENOBUFS) {
        s->started = false;
        uv_read_stop(uv);
        return;
    }
    if (s->state != STREAM_OPEN) { /* what comes while lingering is of no interest */
        if (n < 0) {
            stream_drop(s);
        }
        return;
    }
    if (n > 0) {
        s->port.events->data(&s->port, str_from(buf->base, (size_t)n));
    } else if (n < 0) {
        end(s, n == UV_EOF ? 0 : (int)n);
    }
}

/* After the orderly end of the peer's bytes a failed write is not told by a second end(): what
 * cannot be sent counts as sent, so that nobody waits for drained() in vain. */
static void on_soon(struct soon *soon)
{
    struct loop_stream *s = CONTAINER_OF(soon, struct loop_stream, soon);
    if (s->error && !s->ended) {
        end(s, s->error);
    } else if (s->unsent == 0) {
        drained(s);
    }
}

static void on_deadline(struct timer *timer)
{
    stream_drop(CONTAINER_OF(timer, struct loop_stream, deadline));
}

static void linger(struct loop_stream *s)
{
    uv_os_fd_t descriptor;
    if (s->ended || uv_fileno(&s->uv.handle, &descriptor) != 0 ||
        shutdown(descriptor, SHUT_WR) != 0 ||
        (!s->started && uv_read_start(&s->uv.stream, give_buffer, on_read) != 0)) {
        stream_drop(s);
        return;
    }
    s->state = STREAM_LINGERING;
    s->loop->ports.timers->arm(s->loop->ports.timers, &s->deadline, LINGER_LIMIT);
}

static void fail(struct loop_stream *s, int error)
{
    s->error = error;
    if (s->state == STREAM_OPEN) {
        loop_soon(s->loop, &s->soon);
    } else {
        stream_drop(s);
    }
}

static void on_written(uv_write_t *request, int status)
{
    struct pending_write *w = CONTAINER_OF(request, struct pending_write, request);
    struct loop_stream *s = request->handle->data;
    s->unsent -= w->len;
    free(w);
    if (s->state == STREAM_GONE || s->error) {
        return;
    }
    if (status < 0) {
        fail(s, status);
    } else if (s->unsent == 0 && s->state == STREAM_SENDING) {
        linger(s);
    } else if (s->unsent == 0) {
        soon_cancel(&s->soon);
        drained(s);
    }
}

static void send_later(struct loop_stream *s, struct str bytes)
{
    struct pending_write *w = malloc(sizeof *w + bytes.len);
    if (!w) {
        fail(s, -ENOMEM);
        return;
    }
    memcpy(w->bytes, bytes.ptr, bytes.len);
    w->len = bytes.len;
    uv_buf_t buf = uv_buf_init(w->bytes, (unsigned)bytes.len);
    int error = uv_write(&w->request, &s->uv.stream, &buf, 1, on_written);
    if (error) {
        free(w);
        fail(s, error);
        return;
    }
    s->unsent += bytes.len;
}

static void op_write(struct stream *stream, struct str bytes)
{
    struct loop_stream *s = from_port(stream);
    if (s->error || bytes.len > WRITE_MAX) {
        fail(s, s->error ? s->error : -EMSGSIZE);
        return;
    }
    if (s->unsent == 0 && bytes.len) {
        union { /* libuv does not write to what it sends, but its type says otherwise */
            const char *from;
            char *to;
        } base = {.from = bytes.ptr};
        uv_buf_t buf = uv_buf_init(base.to, (unsigned)bytes.len);
        int n = uv_try_write(&s->uv.stream, &buf, 1);
        if (n < 0 && n != UV_EAGAIN) {
            fail(s, n);
            return;
        }
        bytes = str_tail(bytes, n > 0 ? (size_t)n : 0);
    }
    if (bytes.len) {
        send_later(s, bytes);
    } else if (s->unsent == 0) {
        loop_soon(s->loop, &s->soon);
    }
}

static size_t op_unsent(const struct stream *stream)
{
    const struct loop_stream *s =
        (const struct loop_stream *)(const void *)((const char *)stream -
                                                   offsetof(struct loop_stream, port));
    return s->error ? 0 : s->unsent;
}

/* A pause is mostly over before more comes: libuv is told only when there is input in it, which
 * saves two system calls for every message. */
static void op_pause(struct stream *stream)
{
    from_port(stream)->reading = false;
}

static void op_resume(struct stream *stream)
{
    struct loop_stream *s = from_port(stream);
    if (s->reading || s->ended || s->error) {
        return;
    }
    int error = s->started ? 0 : uv_read_start(&s->uv.stream, give_buffer, on_read);
    s->started = s->reading = error == 0;
    if (error) {
        fail(s, error);
    }
}

static void op_close(struct stream *stream)
{
    struct loop_stream *s = from_port(stream);
    soon_cancel(&s->soon);
    if (s->error) {
        stream_drop(s);
        return;
    }
    s->state = STREAM_SENDING;
    if (s->unsent == 0) {
        linger(s);
        return;
    }
    op_pause(stream);
    s->loop->ports.timers->arm(s->loop->ports.timers, &s->deadline, SEND_LIMIT);
}

static void op_abort(struct stream *stream)
{
    stream_drop(from_port(stream));
}

static const struct stream_ops ops = {
    .write = op_write,
    .unsent = op_unsent,
    .pause = op_pause,
    .resume = op_resume,
    .close = op_close,
    .abort = op_abort,
};

struct loop_stream *stream_new(struct loop *loop, int descriptor, bool local,
                               enum stream_state state)
{
    struct loop_stream *s = calloc(1, sizeof *s);
    if (!s) {
        close(descriptor);
        return NULL;
    }
    s->port.ops = &ops;
    s->loop = loop;
    s->soon.run = on_soon;
    s->deadline.fire = on_deadline;
    s->state = state;
    int error =
        local ? uv_pipe_init(&loop->uv, &s->uv.pipe, 0) : uv_tcp_init(&loop->uv, &s->uv.tcp);
    if (error) {
        close(descriptor);
        free(s);
        return NULL;
    }
    s->uv.handle.data = s;
    list_append(&loop->net.streams, &s->node);
    error = local ? uv_pipe_open(&s->uv.pipe, descriptor) : uv_tcp_open(&s->uv.tcp, descriptor);
    if (error) {
        close(descriptor);
        stream_drop(s);
        return NULL;
    }
    if (!local) {
        uv_tcp_nodelay(&s->uv.tcp, 1);
    }
    return s;
}

void stream_connected(struct loop_stream *s)
{
    uv_os_fd_t descriptor;
    s->state = STREAM_OPEN;
    if (uv_fileno(&s->uv.handle, &descriptor) == 0) {
        s->port.local = address_local(descriptor);
        s->port.peer = address_peer(descriptor);
    }
}
