/* login_process.h: the process that finds out who a user is (`serve --login`). It does what may
 * take long, or needs libraries and files that the worker's fence has no room for: password hashes,
 * and questions to where users are kept. The worker's loops ask it over sockets that come through
 * its door (supervise/channel.h). */
#pragma once

#include "login/exchange.h"

enum {
    LOGIN_SOCKETS_MAX = 256,
    LOGIN_EXCHANGES_MAX = 4096, /* under way at once, most of them waiting for a client; one more
                                 * takes the place of one of the network that has most */
    LOGIN_THREADS_MAX = 16,     /* at work at once; started when they are wanted */
};

/* Answers until the door and all sockets are closed by the other side; threads may still use
 * `maker` then, so the process ends by _exit(). 0 or -errno. */
NODISCARD int login_process_run(struct exchange_maker *maker, int door);
