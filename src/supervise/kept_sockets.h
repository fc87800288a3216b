/* kept_sockets.h: the listening sockets that the supervisor holds while workers come and go. A
 * connection made while no worker runs waits in its socket's queue for the next one. */
#pragma once

#include "world/listening_socket.h"

#include <sys/types.h>

enum { KEPT_MAX = 8192 }; /* places × loops */

struct kept_sockets {
    struct kept_socket *items;
    size_t count, room;
    bool gives; /* local sockets become this user's and group's */
    uid_t user;
    gid_t group;
};

/* Takes over what a service manager has opened for us: the descriptors of LISTEN_FDS (systemd's
 * socket activation), which it takes out of the environment. All loops share them, and none is ever
 * closed before the end. How many there are. */
size_t kept_sockets_adopt(struct kept_sockets *kept);
/* 0, or -EADDRINUSE where somebody else listens. */
NODISCARD int kept_sockets_may(const struct kept_sockets *kept, struct listening_place place);
/* The one kept for that place and loop, else a new one. The descriptor stays the keeper's. -errno:
 * -EADDRINUSE also where another program has such a socket that would let us share it. */
NODISCARD int kept_sockets_get(struct kept_sockets *kept, unsigned loop,
                               struct listening_place place);
/* A new worker begins: nothing is asked for yet. When it has what it wants, what it did not ask for
 * is closed: where nobody accepts, clients would wait for ever. */
void kept_sockets_begin(struct kept_sockets *kept);
void kept_sockets_sweep(struct kept_sockets *kept);
void kept_sockets_release(struct kept_sockets *kept, unsigned loop, struct listening_place place);
/* Closes all and frees. */
void kept_sockets_done(struct kept_sockets *kept);
