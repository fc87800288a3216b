/* net.h: port/net.h: TCP and local sockets. */
#pragma once

#include "core/base/list.h"
#include "core/base/slab.h"
#include "port/net.h"
#include "world/poller.h"
#include "world/soon.h"

struct loop;
struct socket_keeper;

struct loop_net {
    struct net port;
    struct loop *loop;
    struct list streams;
    struct slab memory; /* theirs */
    struct poller poller;
    struct list listeners;
    struct list connects;
    struct socket_keeper *keeper; /* of listening sockets; null: the loop makes its own */
    unsigned number;              /* the loop's, to the keeper */
    struct net_connect *starved;  /* asked when there was no memory: linked by `impl` */
    struct soon starved_soon;
};

NODISCARD int loop_net_init(struct loop_net *n, struct loop *loop); /* 0 or -errno */
void loop_net_close(struct loop_net *n);
/* A stream that was CONNECTING is connected, or will not be. */
void net_connected(struct loop_stream *s);
void loop_net_done(struct loop_net *n); /* when libuv has closed all */
