#include "world/signals.h"

#include <errno.h>
#include <stdlib.h>
#include <uv.h>

#include "world/inside.h"

static void on_signal(uv_signal_t *uv, int number)
{
    struct signal_watch *watch = uv->data;
    (void)number;
    if (watch) {
        watch->arrived(watch);
    }
}

static void on_closed(uv_handle_t *handle)
{
    free(handle);
}

int signal_watch_start(struct loop *loop, struct signal_watch *watch)
{
    uv_signal_t *uv = calloc(1, sizeof *uv);
    if (!uv) {
        return -ENOMEM;
    }
    int error = uv_signal_init(&loop->uv, uv);
    if (error) {
        free(uv);
        return error;
    }
    uv->data = watch;
    error = uv_signal_start(uv, on_signal, watch->number);
    if (error) {
        uv_close((uv_handle_t *)uv, on_closed);
        return error;
    }
    watch->impl = uv;
    return 0;
}

void signal_watch_stop(struct signal_watch *watch)
{
    uv_signal_t *uv = watch->impl;
    if (uv) {
        watch->impl = NULL;
        uv->data = NULL;
        uv_close((uv_handle_t *)uv, on_closed);
    }
}
