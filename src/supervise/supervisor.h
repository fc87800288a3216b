/* supervisor.h: starts the worker, keeps its listening sockets, passes signals on to it, and starts
 * another one when it crashes. It has one thread, reads nothing from the network, and holds nothing
 * that a crash of the worker could spoil. */
#pragma once

#include "core/base/instant.h"
#include "port/log.h"
#include "supervise/file_watch.h"
#include "supervise/kept_sockets.h"

#include <signal.h>

struct supervisor_options {
    struct log *log;
    /* The worker's arguments, ended by null; the program is the one that runs now. The channel's
     * descriptor in the worker is SUPERVISOR_CHANNEL. */
    char *const *worker;
    char *const *runner;  /* the same of the process that runs programs for it */
    char *const *postman; /* and of the one that delivers to system users */
    char *const *keys;    /* and of the one that signs for certificates */
    char *const *dkim;    /* and of the one that signs mail */
    char *const *login;   /* and of the one that finds out who users are */
    /* May the worker listen there? What it says is not trusted. */
    bool (*allows)(void *owner, struct listening_place place);
    /* SIGHUP has come; the worker will hear of it after this. False: nothing was changed. */
    bool (*reload)(void *owner);
    void (*ready)(void *owner); /* once: mail is taken */
    void *owner;
    struct kept_sockets *kept; /* there may be some in it already */
    /* The files of certificates and keys; reload() sets it anew. When they change, and after a
     * reload, the worker is told by SUPERVISOR_RENEW; before, where keys are apart, another key
     * process has read them and found them right. */
    struct file_watch *certificates;
    bool (*keys_apart)(void *owner);
};

/* The exit code of a worker that asks for another one in its place. */
enum { SUPERVISOR_AGAIN = 90 };
/* The signal that certificates are to be loaded anew; it is blocked in a worker until it watches.
 */
enum { SUPERVISOR_RENEW = SIGUSR1 };
enum { SUPERVISOR_CHANNEL = 3 }; /* the runner finds its socket there too */

/* Until the worker ends by itself, which gives its exit code; also where it was asked to end, by
 * SIGTERM or SIGINT. A worker that was ready and then is killed by a signal, or fails, is replaced:
 * at once, but after a growing pause (pause.h) where it does not live long. One that exits
 * before the first was ready has told the reason: there is no other try. */
NODISCARD int supervise(const struct supervisor_options *options);
