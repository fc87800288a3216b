#include "world/net.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "world/address.h"
#include "world/listener.h"
#include "world/stream.h"

struct connecting {
    struct net_connect *op;
    struct loop *loop;
    struct loop_stream *stream; /* null where it could not be begun */
    struct list node;
    struct soon soon;
    int error;
};

static void finish(struct connecting *c)
{
    struct net_connect *op = c->op;
    struct loop_stream *s = c->stream;
    int error = c->error;
    list_remove(&c->node);
    free(c);
    op->impl = NULL;
    op->error = error;
    op->stream = NULL;
    if (error == 0) {
        stream_connected(s);
        op->stream = &s->port;
    } else if (s) {
        stream_drop(s);
    }
    op->done(op);
}

void net_connected(struct loop_stream *s)
{
    struct connecting *c = s->port.owner;
    int error = 0;
    socklen_t len = sizeof error;
    if (getsockopt(s->descriptor, SOL_SOCKET, SO_ERROR, &error, &len) != 0) {
        error = errno;
    }
    c->error = -error;
    finish(c);
}

static void on_soon(struct soon *soon)
{
    finish(CONTAINER_OF(soon, struct connecting, soon));
}

/* A socket for the way out, bound to its source address: the port is chosen at connect(), so that
 * one port serves many destinations. */
static int make_socket(const struct net_connect *op)
{
    int family = op->local_path.len ? AF_UNIX : op->to.ip.family == IP_V6 ? AF_INET6 : AF_INET;
    int descriptor = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (descriptor < 0) {
        return -errno;
    }
    if (family == AF_UNIX || op->from.family == IP_NONE) {
        return descriptor;
    }
    struct sockaddr_storage from;
    socklen_t len = address_put(&from, (struct endpoint){.ip = op->from});
    int on = 1;
    setsockopt(descriptor, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    if (bind(descriptor, (struct sockaddr *)&from, len) != 0) {
        int error = -errno;
        close(descriptor);
        return error;
    }
    return descriptor;
}

static int begin(struct connecting *c)
{
    struct net_connect *op = c->op;
    struct sockaddr_storage to;
    bool local = op->local_path.len != 0;
    socklen_t len = 0;
    int error = 0;
    if (local) {
        error = address_put_path(&to, &len, op->local_path);
    } else if ((len = address_put(&to, op->to)) == 0) {
        error = -EAFNOSUPPORT;
    }
    if (error) {
        return error;
    }
    int descriptor = make_socket(op);
    if (descriptor < 0) {
        return descriptor;
    }
    if (!local) {
        stream_no_delay(descriptor);
    }
    /* A local one succeeds or fails at once; a full backlog is the caller's to retry. */
    bool connected = connect(descriptor, (struct sockaddr *)&to, len) == 0;
    if (!connected && (local || (errno != EINPROGRESS && errno != EINTR))) {
        error = -errno;
        close(descriptor);
        return error;
    }
    c->stream = stream_new(c->loop, descriptor, STREAM_CONNECTING);
    if (!c->stream) {
        return -ENOMEM;
    }
    c->stream->port.owner = c; /* the poller will tell, of one that is connected already, too */
    return 0;
}

/* Without memory there is nothing to keep the promise with but the operation itself. */
static void on_starved(struct soon *soon)
{
    struct loop_net *n = CONTAINER_OF(soon, struct loop_net, starved_soon);
    for (struct net_connect *op; (op = n->starved);) {
        n->starved = op->impl;
        op->impl = NULL;
        op->stream = NULL;
        op->error = -ENOMEM;
        op->done(op);
    }
}

static bool cancel_starved(struct loop_net *n, struct net_connect *op)
{
    struct net_connect *before = NULL;
    for (struct net_connect *at = n->starved; at; before = at, at = at->impl) {
        if (at != op) {
            continue;
        }
        if (before) {
            before->impl = op->impl;
        } else {
            n->starved = op->impl;
        }
        op->impl = NULL;
        return true;
    }
    return false;
}

static void op_connect(struct net *net, struct net_connect *op)
{
    struct loop_net *n = CONTAINER_OF(net, struct loop_net, port);
    struct connecting *c = calloc(1, sizeof *c);
    if (!c) {
        op->impl = n->starved;
        n->starved = op;
        loop_soon(n->loop, &n->starved_soon);
        return;
    }
    c->op = op;
    c->loop = n->loop;
    c->soon.run = on_soon;
    list_append(&n->connects, &c->node);
    op->impl = c;
    c->error = begin(c);
    if (c->error) {
        loop_soon(n->loop, &c->soon);
    }
}

static void drop(struct connecting *c)
{
    if (c->stream) {
        stream_drop(c->stream);
    }
    list_remove(&c->node);
    soon_cancel(&c->soon);
    free(c);
}

static void op_cancel(struct net *net, struct net_connect *op)
{
    struct loop_net *n = CONTAINER_OF(net, struct loop_net, port);
    if (cancel_starved(n, op)) {
        return;
    }
    struct connecting *c = op->impl;
    op->impl = NULL;
    if (c) {
        drop(c);
    }
}

static int op_listen(struct net *net, struct net_listener *listener)
{
    return listener_open(CONTAINER_OF(net, struct loop_net, port)->loop, listener);
}

static void op_unlisten(struct net *net, struct net_listener *listener)
{
    (void)net;
    listener_close(listener);
}

int loop_net_init(struct loop_net *n, struct loop *loop)
{
    n->port = (struct net){
        .connect = op_connect, .cancel = op_cancel, .listen = op_listen, .unlisten = op_unlisten};
    n->loop = loop;
    n->starved_soon.run = on_starved;
    n->memory.size = sizeof(struct loop_stream);
    list_init(&n->streams);
    list_init(&n->listeners);
    list_init(&n->connects);
    return poller_init(&n->poller, &loop->uv);
}

void loop_net_done(struct loop_net *n)
{
    slab_done(&n->memory);
}

void loop_net_close(struct loop_net *n)
{
    LIST_EACH (node, &n->connects) {
        drop(CONTAINER_OF(node, struct connecting, node));
    }
    LIST_EACH (node, &n->streams) {
        stream_drop(CONTAINER_OF(node, struct loop_stream, node));
    }
    poller_close(&n->poller);
    listeners_close(&n->listeners);
}
