#include "world/listener.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "world/address.h"
#include "world/listening_socket.h"
#include "world/stream.h"

enum {
    BURST = 64, /* connections taken at one go, so that those that are there are served too */
    LOCAL_PATH_MAX = sizeof((struct sockaddr_un *)0)->sun_path,
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
    struct listening_place place; /* as it was asked for */
    char path[LOCAL_PATH_MAX];    /* the place's, which outlives the listener's */
};

static int get_socket(struct loop *loop, struct listening_place place)
{
    struct socket_keeper *keeper = loop->net.keeper;
    return keeper ? keeper->get(keeper, loop->net.number, place) : listening_socket_open(place);
}

/* Before the descriptor is closed, so that never a socket is left at a path that nobody serves. */
static void give_up_place(struct loop *loop, struct listening_place place)
{
    struct socket_keeper *keeper = loop->net.keeper;
    if (keeper) {
        keeper->release(keeper, loop->net.number, place);
    } else {
        listening_socket_remove(place);
    }
}

static void on_closed(uv_handle_t *handle)
{
    struct listening *l = handle->data;
    close(l->descriptor);
    free(l);
}

static void drop(struct listening *l)
{
    give_up_place(l->loop, l->place);
    if (l->listener) {
        l->listener->impl = NULL;
        l->listener = NULL;
    }
    list_remove(&l->node);
    l->loop->ports.timers->cancel(l->loop->ports.timers, &l->retry);
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
    bool local = l->place.local_path.len != 0;
    struct loop_stream *s = stream_new(l->loop, descriptor, STREAM_OPEN);
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

int listener_open(struct loop *loop, struct net_listener *listener)
{
    struct listening_place place = {.at = listener->at, .local_path = listener->local_path};
    struct listening *l = calloc(1, sizeof *l);
    if (!l) {
        return -ENOMEM;
    }
    l->loop = loop;
    l->retry.fire = on_retry;
    l->descriptor =
        place.local_path.len <= sizeof l->path ? get_socket(loop, place) : -ENAMETOOLONG;
    if (l->descriptor < 0) {
        int error = l->descriptor;
        free(l);
        return error;
    }
    l->place = place;
    if (place.local_path.len != 0) {
        memcpy(l->path, place.local_path.ptr, place.local_path.len);
        l->place.local_path.ptr = l->path;
    }
    int error = uv_poll_init(&loop->uv, &l->poll, l->descriptor);
    if (error) {
        give_up_place(loop, place);
        close(l->descriptor);
        free(l);
        return error;
    }
    if (place.local_path.len == 0) {
        stream_no_delay(l->descriptor);
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
