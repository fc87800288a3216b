/* starter.h: the worker's way to the runner. */
#pragma once

#include "world/program_starter.h"

#include <pthread.h>

enum runner_kind {
    RUNNER_PROGRAMS, /* runner.h */
    RUNNER_POSTMAN,  /* postman/postman.h: orders whose first word is no path */
    RUNNER_KINDS,
};

struct runner_starter {
    struct program_starter starter;
    /* A new end of a socket to that process, or -errno; `stuck`: the last one stands still. */
    int (*connect)(void *owner, enum runner_kind kind, bool stuck);
    void *owner;
    pthread_mutex_t lock;
    int runners[RUNNER_KINDS]; /* the sockets; -1: none yet, or it is gone */
    bool stuck[RUNNER_KINDS];
};

NODISCARD int runner_starter_open(struct runner_starter *s,
                                  int (*connect)(void *owner, enum runner_kind kind, bool stuck),
                                  void *owner); /* 0 or -errno */
/* The next program is started by a new runner, which reads the configuration of then. */
void runner_starter_renew(struct runner_starter *s);
void runner_starter_close(struct runner_starter *s);
