/* signals.c: handlers of our own that only wake the loop. libuv's would do, but for the end: it
 * gives a signal its default action back when the last watch stops, and a second SIGTERM in the
 * moments between that and exit() would kill a server that has already ended well. */
#include "world/signals.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <uv.h>

#include "world/inside.h"

enum { SIGNALS = 65 }; /* Linux numbers them from 1 to 64 */

static _Atomic(uv_async_t *) wakers[SIGNALS];

static void on_signal(int number)
{
    int saved = errno;
    uv_async_t *waker = atomic_load(&wakers[number]);
    if (waker) {
        uv_async_send(waker); /* the one call of libuv that a handler may make */
    }
    errno = saved;
}

static void on_awake(uv_async_t *waker)
{
    struct signal_watch *watch = waker->data;
    if (watch) {
        watch->arrived(watch);
    }
}

static void on_closed(uv_handle_t *handle)
{
    free(handle);
}

static int set_action(int number, void (*handler)(int))
{
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
    sigfillset(&action.sa_mask);
    return sigaction(number, &action, NULL) == 0 ? 0 : -errno;
}

int signal_watch_start(struct loop *loop, struct signal_watch *watch)
{
    if (watch->number < 1 || watch->number >= SIGNALS) {
        return -EINVAL;
    }
    uv_async_t *waker = calloc(1, sizeof *waker);
    if (!waker) {
        return -ENOMEM;
    }
    int error = uv_async_init(&loop->uv, waker, on_awake);
    if (error) {
        free(waker);
        return error;
    }
    waker->data = watch;
    watch->impl = waker;
    atomic_store(&wakers[watch->number], waker);
    error = set_action(watch->number, on_signal);
    if (error) {
        signal_watch_stop(watch);
        return error;
    }
    sigset_t watched; /* a supervisor starts us with it blocked */
    sigemptyset(&watched);
    sigaddset(&watched, watch->number);
    return -pthread_sigmask(SIG_UNBLOCK, &watched, NULL);
}

void signal_watch_stop(struct signal_watch *watch)
{
    uv_async_t *waker = watch->impl;
    if (waker) {
        watch->impl = NULL;
        waker->data = NULL;
        (void)set_action(watch->number, SIG_IGN);
        atomic_store(&wakers[watch->number], NULL);
        uv_close((uv_handle_t *)waker, on_closed);
    }
}
