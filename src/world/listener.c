#include "world/listener.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "world/address.h"
#include "world/stream.h"

enum {
    BACKLOG = 1024,
    BURST = 64, /* connections taken at one go, so that those that are there are served too */
};

#define BACK_OFF SPAN_MS(100)
#define COMPLAIN_US (60 * INT64_C(1000000)) /* at most one log line in that time */

struct listening {
    uv_poll_t poll;
    struct loop *loop;
    struct net_listener *listener; /* null once closed */
    struct list node;
    struct timer retry;
    int64_t complained;
    int descriptor;
    struct sockaddr_un path; /* to be removed at the end; family 0: none */
};

static void on_closed(uv_handle_t *handle)
{
    struct listening *l = handle->data;
    close(l->descriptor);
    free(l);
}

static void drop(struct listening *l)
{
    if (l->listener) {
        l->listener->impl = NULL;
        l->listener = NULL;
    }
    list_remove(&l->node);
    l->loop->ports.timers->cancel(l->loop->ports.timers, &l->retry);
    if (l->path.sun_family == AF_UNIX) {
        unlink(l->path.sun_path);
    }
    uv_close((uv_handle_t *)&l->poll, on_closed);
}

static void on_connection(uv_poll_t *poll, int status, int events);

/* Out of descriptors or memory: the connections wait in the kernel until some are free again. */
static void back_off(struct listening *l, int error)
{
    int64_t now = clock_monotonic_us();
    if (l->complained == 0 || now - l->complained >= COMPLAIN_US) {
        l->complained = now;
        log_event(l->loop->ports.log, LOG_ERROR, "accept_failed",
                  F_IP("address", l->listener->at.ip), F_INT("port", l->listener->at.port),
                  F_INT("errno", error), F_STR("error", str_from_cstr(uv_strerror(-error))));
    }
    uv_poll_stop(&l->poll);
    l->loop->ports.timers->arm(l->loop->ports.timers, &l->retry, BACK_OFF);
}

static void on_retry(struct timer *timer)
{
    struct listening *l = CONTAINER_OF(timer, struct listening, retry);
    uv_poll_start(&l->poll, UV_READABLE, on_connection);
}

static void note_user(struct stream *stream, int descriptor)
{
    struct ucred who;
    socklen_t len = sizeof who;
    if (getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &who, &len) == 0) {
        stream->user_known = true;
        stream->user = who.uid;
    }
}

static void welcome(struct listening *l, int descriptor, const struct sockaddr_storage *peer)
{
    bool local = l->path.sun_family == AF_UNIX;
    struct loop_stream *s = stream_new(l->loop, descriptor, local, STREAM_OPEN);
    if (!s) {
        return;
    }
    s->port.peer = address_get(peer);
    s->port.local = local ? l->listener->at : address_local(descriptor);
    if (local) {
        note_user(&s->port, descriptor);
    }
    l->listener->accepted(l->listener, &s->port);
}

static bool passes(int error)
{
    return error == EINTR || error == ECONNABORTED || error == EPROTO || error == ENETDOWN ||
           error == ENOPROTOOPT || error == EHOSTDOWN || error == ENONET || error == EHOSTUNREACH ||
           error == EOPNOTSUPP || error == ENETUNREACH || error == EPERM;
}

static void on_connection(uv_poll_t *poll, int status, int events)
{
    struct listening *l = poll->data;
    (void)status;
    (void)events;
    for (int i = 0; i < BURST && l->listener; i++) {
        struct sockaddr_storage peer = {.ss_family = AF_UNSPEC};
        socklen_t len = sizeof peer;
        int descriptor =
            accept4(l->descriptor, (struct sockaddr *)&peer, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (descriptor >= 0) {
            welcome(l, descriptor, &peer);
        } else if (errno == EAGAIN) {
            return;
        } else if (!passes(errno)) {
            back_off(l, errno);
            return;
        }
    }
}

/* A socket that nobody listens at is left from a process that died. */
static int remove_stale(const struct sockaddr_un *un, socklen_t len)
{
    struct stat st;
    if (lstat(un->sun_path, &st) != 0) {
        return errno == ENOENT ? 0 : -errno;
    }
    if (!S_ISSOCK(st.st_mode)) {
        return -EEXIST;
    }
    int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (probe < 0) {
        return -errno;
    }
    int error = connect(probe, (const struct sockaddr *)un, len) == 0 ? 0 : errno;
    close(probe);
    if (error != ECONNREFUSED) {
        return error == ENOENT ? 0 : -EADDRINUSE;
    }
    return unlink(un->sun_path) == 0 || errno == ENOENT ? 0 : -errno;
}

/* The mode is set before listen(): until then nobody can connect. */
static int bind_path(struct listening *l, struct str path)
{
    struct sockaddr_storage address;
    socklen_t len = 0;
    int error = address_put_path(&address, &len, path);
    if (error) {
        return error;
    }
    struct sockaddr_un un;
    memcpy(&un, &address, sizeof un);
    error = remove_stale(&un, len);
    if (error) {
        return error;
    }
    if (bind(l->descriptor, (struct sockaddr *)&address, len) != 0) {
        return -errno;
    }
    l->path = un;
    return chmod(un.sun_path, 0660) == 0 ? 0 : -errno;
}

static int bind_endpoint(struct listening *l, struct endpoint at)
{
    struct sockaddr_storage address;
    socklen_t len = address_put(&address, at);
    int on = 1;
    if (setsockopt(l->descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
        setsockopt(l->descriptor, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) != 0 ||
        (at.ip.family == IP_V6 &&
         setsockopt(l->descriptor, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) != 0) ||
        bind(l->descriptor, (struct sockaddr *)&address, len) != 0) {
        return -errno;
    }
    return 0;
}

static int open_socket(struct listening *l, const struct net_listener *listener)
{
    bool local = listener->local_path.len != 0;
    if (!local && listener->at.ip.family == IP_NONE) {
        return -EAFNOSUPPORT;
    }
    int family = local ? AF_UNIX : listener->at.ip.family == IP_V6 ? AF_INET6 : AF_INET;
    l->descriptor = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (l->descriptor < 0) {
        return -errno;
    }
    int error = local ? bind_path(l, listener->local_path) : bind_endpoint(l, listener->at);
    if (error == 0 && listen(l->descriptor, BACKLOG) != 0) {
        error = -errno;
    }
    return error ? error : uv_poll_init(&l->loop->uv, &l->poll, l->descriptor);
}

int listener_open(struct loop *loop, struct net_listener *listener)
{
    struct listening *l = calloc(1, sizeof *l);
    if (!l) {
        return -ENOMEM;
    }
    l->loop = loop;
    l->descriptor = -1;
    l->retry.fire = on_retry;
    int error = open_socket(l, listener);
    if (error) {
        if (l->path.sun_family == AF_UNIX) {
            unlink(l->path.sun_path);
        }
        if (l->descriptor >= 0) {
            close(l->descriptor);
        }
        free(l);
        return error;
    }
    l->poll.data = l;
    l->listener = listener;
    list_append(&loop->net.listeners, &l->node);
    listener->impl = l;
    if (listener->local_path.len == 0) {
        listener->at = address_local(l->descriptor);
    }
    error = uv_poll_start(&l->poll, UV_READABLE, on_connection);
    if (error) {
        drop(l);
    }
    return error;
}

void listener_close(struct net_listener *listener)
{
    struct listening *l = listener->impl;
    if (l) {
        drop(l);
    }
}

void listeners_close(struct list *listeners)
{
    LIST_EACH (node, listeners) {
        drop(CONTAINER_OF(node, struct listening, node));
    }
}
