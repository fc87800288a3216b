/* link.h: the worker's end of the channel to its supervisor. */
#pragma once

#include "world/listening_socket.h"

#include <pthread.h>

/* Keeps listening sockets for the loops, in the supervisor's process. */
struct supervisor_link {
    struct socket_keeper keeper;
    pthread_mutex_t lock; /* one question at a time */
    int channel;
    bool keeps; /* nothing is released any more */
};

/* Takes the descriptor over: no program that the worker starts inherits it. 0, or -errno where it
 * is none. */
NODISCARD int supervisor_link_open(struct supervisor_link *link, int channel);
/* The socket of a new runner, the caller's, or -errno. `stuck`: the last one stands still or gave
 * no answer, and is to be ended. From any thread. */
NODISCARD int supervisor_link_runner(struct supervisor_link *link, bool stuck);
/* The same of one that delivers to system users. */
NODISCARD int supervisor_link_postman(struct supervisor_link *link, bool stuck);
/* The same to the process that holds the private keys of certificates. */
NODISCARD int supervisor_link_keys(struct supervisor_link *link, bool stuck);
/* To the one that holds those of DKIM. */
NODISCARD int supervisor_link_dkim(struct supervisor_link *link, bool stuck);
/* And to the one that finds out who users are. */
NODISCARD int supervisor_link_login(struct supervisor_link *link, bool stuck);
/* Mail is taken from now on. */
void supervisor_link_ready(struct supervisor_link *link);
/* A reload is over, whatever came of it. */
void supervisor_link_reloaded(struct supervisor_link *link);
/* What is released from now on stays open, for the next worker. */
void supervisor_link_keep_sockets(struct supervisor_link *link);
void supervisor_link_close(struct supervisor_link *link);
