/* listening_socket.h: sockets to listen at, and who keeps them. A loop makes its own unless it was
 * given a keeper, which holds them beyond the life of the process that accepts from them. */
#pragma once

#include "core/base/ip.h"

struct loop;

/* Where to listen. A path goes before an endpoint. */
struct listening_place {
    struct endpoint at;
    struct str local_path; /* empty: none */
};

/* A non-blocking descriptor that listens, or -errno. Several sockets (of one user's processes) may
 * listen at one Internet endpoint, but only one at a path. A socket left behind at the path by a
 * process that is gone is removed; the new one may be used by its owner and group. */
NODISCARD int listening_socket_open(struct listening_place place);
/* Takes a local socket's path away. The descriptor is the caller's to close. */
void listening_socket_remove(struct listening_place place);

/* Keeps sockets for loops, each by its place and the loop's number. Called from any loop's thread.
 */
struct socket_keeper {
    /* A descriptor for the caller to close, or -errno. */
    int (*get)(struct socket_keeper *keeper, unsigned loop, struct listening_place place);
    /* No longer wanted: nobody listens there any more once the caller has closed his. */
    void (*release)(struct socket_keeper *keeper, unsigned loop, struct listening_place place);
};

/* Before the loop listens anywhere. The keeper is borrowed for the loop's life. */
void loop_set_keeper(struct loop *loop, struct socket_keeper *keeper, unsigned number);
