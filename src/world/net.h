/* net.h: port/net.h over libuv: TCP and local sockets. */
#pragma once

#include "core/base/list.h"
#include "port/net.h"
#include "world/soon.h"

struct loop;
struct socket_keeper;

struct loop_net {
    struct net port;
    struct loop *loop;
    struct list streams;
    struct list listeners;
    struct list connects;
    struct socket_keeper *keeper; /* of listening sockets; null: the loop makes its own */
    unsigned number;              /* the loop's, to the keeper */
    struct net_connect *starved;  /* asked when there was no memory: linked by `impl` */
    struct soon starved_soon;
};

void loop_net_init(struct loop_net *n, struct loop *loop);
void loop_net_close(struct loop_net *n);
