#include "world/stream.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
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

/* And how much of it: who sends without end and reads nothing is cut off. */
enum { LINGER_OCTETS = 1 << 16 };

enum { READS_AT_ONCE = 16, WRITE_MAX = 1 << 30 };

struct unsent {
    struct unsent *next;
    size_t sent, len;
    char bytes[];
};

static const struct stream_ops ops;

static struct loop_stream *from_port(struct stream *stream)
{
    return CONTAINER_OF(stream, struct loop_stream, port);
}

static void forget_unsent(struct loop_stream *s)
{
    for (struct unsent *u = s->first, *next; u; u = next) {
        next = u->next;
        free(u);
    }
    s->first = s->last = NULL;
    s->unsent = 0;
}

static void free_stream(struct loop_stream *s)
{
    forget_unsent(s);
    slab_give(&s->loop->net.memory, s);
}

/* Its memory stays until the next turn: this one's events may name it. */
void stream_drop(struct loop_stream *s)
{
    if (s->state == STREAM_GONE) {
        return;
    }
    s->state = STREAM_GONE;
    soon_cancel(&s->soon);
    s->loop->ports.timers->cancel(s->loop->ports.timers, &s->deadline);
    list_remove(&s->node);
    poller_leave(&s->loop->net.poller, s);
    close(s->descriptor);
    if (s->loop->closing) {
        free_stream(s);
    } else {
        loop_soon(s->loop, &s->soon);
    }
}

static void end(struct loop_stream *s, int error)
{
    s->ended = true;
    s->reading = false;
    if (s->port.events && s->port.events->end) {
        s->port.events->end(&s->port, error);
    }
}

/* After the orderly end of the peer's bytes a failed write is not told by a second end(): what
 * cannot be sent counts as sent, so that nobody waits for drained() in vain. */
static void fail(struct loop_stream *s, int error)
{
    s->error = error;
    forget_unsent(s);
    if (s->state == STREAM_OPEN) {
        s->drain_due = s->ended;
        loop_soon(s->loop, &s->soon);
    } else {
        stream_drop(s);
    }
}

static bool wants_input(const struct loop_stream *s)
{
    return s->readable && (s->state == STREAM_LINGERING || (s->state == STREAM_OPEN && s->reading));
}

/* One read; what comes while lingering is of no interest, and not even copied. A short one has
 * emptied the socket: the poller tells of what comes later. */
static void read_once(struct loop_stream *s)
{
    int flags = s->state == STREAM_LINGERING ? MSG_TRUNC : 0;
    ssize_t n = recv(s->descriptor, s->loop->scratch, LOOP_SCRATCH, flags);
    int error = n < 0 ? -errno : 0;
    if (error == -EINTR) {
        return;
    }
    s->readable = s->hung || n == LOOP_SCRATCH;
    if (error == -EAGAIN) {
        s->readable = false;
    } else if (s->state == STREAM_LINGERING) {
        s->lingered += n > 0 ? (uint32_t)n : LINGER_OCTETS;
        if (s->lingered >= LINGER_OCTETS) {
            stream_drop(s);
        }
    } else if (n <= 0) {
        s->readable = false;
        end(s, error);
    } else if (s->state == STREAM_OPEN) {
        s->port.events->data(&s->port, str_from(s->loop->scratch, (size_t)n));
    }
}

/* Who sends without end does not keep the loop from others. */
static void read_input(struct loop_stream *s)
{
    for (int i = 0; i < READS_AT_ONCE && wants_input(s); i++) {
        read_once(s);
    }
    if (wants_input(s)) {
        loop_soon(s->loop, &s->soon);
    }
}

/* Whoever sends on while nobody wants to read would wake the loop with every segment. Paused for an
 * answer's time a stream hears of one or none, and costs no call. */
static void mute(struct loop_stream *s)
{
    if (s->told_in_vain && !s->muted) {
        s->muted = true;
        s->muted = poller_change(&s->loop->net.poller, s) == 0;
    }
    s->told_in_vain = true;
}

static void listen_again(struct loop_stream *s)
{
    s->told_in_vain = false;
    if (s->muted) {
        s->muted = false;
        int error = poller_change(&s->loop->net.poller, s);
        if (error) {
            fail(s, error);
        }
    }
}

static void tell_drained(struct loop_stream *s)
{
    s->drain_due = false;
    if (s->state == STREAM_OPEN && s->port.events && s->port.events->drained) {
        s->port.events->drained(&s->port);
    }
}

static void on_soon(struct soon *soon)
{
    struct loop_stream *s = CONTAINER_OF(soon, struct loop_stream, soon);
    if (s->state == STREAM_GONE) {
        free_stream(s);
    } else if (s->error && !s->ended) {
        end(s, s->error);
    } else {
        if (s->drain_due) {
            tell_drained(s);
        }
        read_input(s);
    }
}

static void on_deadline(struct timer *timer)
{
    stream_drop(CONTAINER_OF(timer, struct loop_stream, deadline));
}

static void linger(struct loop_stream *s)
{
    bool heard_all = s->ended || (s->port.peer_done && !s->readable);
    if (heard_all || shutdown(s->descriptor, SHUT_WR) != 0) {
        stream_drop(s);
        return;
    }
    s->state = STREAM_LINGERING;
    listen_again(s);
    if (s->state == STREAM_GONE) {
        return;
    }
    s->loop->ports.timers->arm(s->loop->ports.timers, &s->deadline, LINGER_LIMIT);
    if (s->readable) {
        loop_soon(s->loop, &s->soon);
    }
}

/* What the system takes of it now; -errno for a broken connection. */
static ssize_t send_some(const struct loop_stream *s, struct str bytes)
{
    ssize_t n;
    do {
        n = send(s->descriptor, bytes.ptr, bytes.len, MSG_NOSIGNAL);
    } while (n < 0 && errno == EINTR);
    return n >= 0 ? n : errno == EAGAIN ? 0 : -errno;
}

static void send_unsent(struct loop_stream *s)
{
    while (s->first) {
        struct unsent *u = s->first;
        ssize_t n = send_some(s, str_from(u->bytes + u->sent, u->len - u->sent));
        if (n < 0) {
            fail(s, (int)n);
            return;
        }
        u->sent += (size_t)n;
        s->unsent -= (size_t)n;
        if (u->sent < u->len) {
            return;
        }
        s->first = u->next;
        free(u);
    }
    if (s->state == STREAM_SENDING) {
        linger(s);
    } else {
        tell_drained(s);
    }
}

static void send_later(struct loop_stream *s, struct str bytes)
{
    struct unsent *u = malloc(sizeof *u + bytes.len);
    int error = u ? 0 : -ENOMEM;
    if (u && !s->wants_output) {
        s->wants_output = true;
        error = poller_change(&s->loop->net.poller, s);
        s->wants_output = error == 0;
    }
    if (error) {
        free(u);
        fail(s, error);
        return;
    }
    *u = (struct unsent){.len = bytes.len};
    memcpy(u->bytes, bytes.ptr, bytes.len);
    *(s->first ? &s->last->next : &s->first) = u;
    s->last = u;
    s->unsent += bytes.len;
}

void stream_ready(struct loop_stream *s, struct stream_readiness found)
{
    if (s->state == STREAM_GONE) {
        return;
    }
    s->readable = s->readable || found.input;
    s->hung = s->hung || found.last;
    if (s->state == STREAM_CONNECTING) {
        net_connected(s);
        return;
    }
    if (found.output && s->first) {
        send_unsent(s);
    }
    if (s->state == STREAM_OPEN && !s->reading && found.input && !found.last) {
        mute(s);
    }
    read_input(s);
}

static void op_write(struct stream *stream, struct str bytes)
{
    struct loop_stream *s = from_port(stream);
    if (s->error || bytes.len > WRITE_MAX) {
        fail(s, s->error ? s->error : -EMSGSIZE);
        return;
    }
    if (!s->first && bytes.len > 0) {
        ssize_t n = send_some(s, bytes);
        if (n < 0) {
            fail(s, (int)n);
            return;
        }
        bytes = str_tail(bytes, (size_t)n);
    }
    if (bytes.len > 0) {
        send_later(s, bytes);
    } else if (!s->first && s->port.events && s->port.events->drained) {
        s->drain_due = true;
        loop_soon(s->loop, &s->soon);
    }
}

static size_t op_unsent(const struct stream *stream)
{
    const struct loop_stream *s =
        (const struct loop_stream *)(const void *)((const char *)stream -
                                                   offsetof(struct loop_stream, port));
    return s->unsent;
}

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
    s->reading = true;
    listen_again(s);
    if (s->readable) {
        loop_soon(s->loop, &s->soon);
    }
}

static void op_close(struct stream *stream)
{
    struct loop_stream *s = from_port(stream);
    soon_cancel(&s->soon);
    s->reading = false;
    if (s->error) {
        stream_drop(s);
        return;
    }
    s->state = STREAM_SENDING;
    if (s->first) {
        s->loop->ports.timers->arm(s->loop->ports.timers, &s->deadline, SEND_LIMIT);
    } else {
        linger(s);
    }
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

void stream_no_delay(int descriptor)
{
    int on = 1;
    setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

struct loop_stream *stream_new(struct loop *loop, int descriptor, enum stream_state state)
{
    struct loop_stream *s = slab_take(&loop->net.memory);
    if (!s) {
        close(descriptor);
        return NULL;
    }
    s->port.ops = &ops;
    s->loop = loop;
    s->soon.run = on_soon;
    s->deadline.fire = on_deadline;
    s->descriptor = descriptor;
    s->state = state;
    s->wants_output = state == STREAM_CONNECTING;
    if (poller_join(&loop->net.poller, s) != 0) {
        close(descriptor);
        slab_give(&loop->net.memory, s);
        return NULL;
    }
    list_append(&loop->net.streams, &s->node);
    return s;
}

void stream_connected(struct loop_stream *s)
{
    s->state = STREAM_OPEN;
    s->port.owner = NULL;
    s->port.local = address_local(s->descriptor);
    s->port.peer = address_peer(s->descriptor);
}
