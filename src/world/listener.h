/* listener.h: listening sockets of one loop, for this folder alone. */
#pragma once

#include "core/base/list.h"
#include "port/net.h"

struct loop;

/* By a socket of listening_socket.h, the loop's own or its keeper's; the listener's path stays
 * until it is closed. 0 or -errno. */
NODISCARD int listener_open(struct loop *loop, struct net_listener *listener);
void listener_close(struct net_listener *listener); /* fine if it is not open */
void listeners_close(struct list *listeners);
