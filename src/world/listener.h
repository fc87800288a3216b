/* listener.h: listening sockets of one loop, for this folder alone. */
#pragma once

#include "core/base/list.h"
#include "port/net.h"

struct loop;

/* Several loops (and processes of one user) may listen at one Internet endpoint, but only one at a
 * path. A socket left behind at the path by a process that is gone is removed; the new one may be
 * used by its owner and group. 0 or -errno. */
NODISCARD int listener_open(struct loop *loop, struct net_listener *listener);
void listener_close(struct net_listener *listener); /* fine if it is not open */
void listeners_close(struct list *listeners);
