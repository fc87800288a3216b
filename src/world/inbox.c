#include "world/inbox.h"

#include "world/inside.h"

enum { ROUNDS = 8 }; /* of own parcels that post own parcels, until other events have their turn */

static _Thread_local struct loop_inbox *of_this_thread;

/* The newest parcel stands first in what was taken; turned round, parcels are opened in the order
 * of posting. */
static void open_all(struct parcel *newest)
{
    struct parcel *first = NULL;
    while (newest) {
        struct parcel *next = newest->next;
        newest->next = first;
        first = newest;
        newest = next;
    }
    while (first) {
        struct parcel *parcel = first;
        first = parcel->next;
        parcel->next = NULL;
        parcel->open(parcel);
    }
}

static void on_again(uv_idle_t *again)
{
    (void)again; /* its being active keeps the loop from waiting */
}

static void on_events_seen(uv_check_t *check)
{
    struct loop_inbox *in = check->data;
    for (int round = 0; in->own && round < ROUNDS && !in->loop->closing; round++) {
        struct parcel *newest = in->own;
        in->own = NULL;
        open_all(newest);
    }
    if (!in->own) {
        uv_idle_stop(&in->again);
    }
}

static void on_wake(uv_async_t *wake)
{
    struct loop_inbox *in = wake->data;
    if (in->loop->closing) {
        return;
    }
    open_all(atomic_exchange_explicit(&in->posted, NULL, memory_order_acquire));
    if (atomic_exchange(&in->stop, false)) {
        uv_stop(&in->loop->uv);
    }
}

static void post_own(struct loop_inbox *in, struct parcel *parcel)
{
    if (!in->own) {
        uv_idle_start(&in->again, on_again); /* for who posts before the wait, as a timer does */
    }
    parcel->next = in->own;
    in->own = parcel;
}

/* Only who finds the stack empty wakes the loop: whoever comes later is taken with the first. */
static void post(struct inbox *inbox, struct parcel *parcel)
{
    struct loop_inbox *in = CONTAINER_OF(inbox, struct loop_inbox, port);
    if (in == of_this_thread) {
        post_own(in, parcel);
        return;
    }
    struct parcel *newest = atomic_load_explicit(&in->posted, memory_order_relaxed);
    do {
        parcel->next = newest;
    } while (!atomic_compare_exchange_weak_explicit(&in->posted, &newest, parcel,
                                                    memory_order_release, memory_order_relaxed));
    if (!newest) {
        uv_async_send(&in->wake);
    }
}

void loop_inbox_stop_loop(struct loop_inbox *in)
{
    atomic_store(&in->stop, true);
    uv_async_send(&in->wake);
}

int loop_inbox_init(struct loop_inbox *in, struct loop *loop)
{
    in->port = (struct inbox){.post = post};
    in->wake.data = in;
    atomic_init(&in->posted, NULL);
    atomic_init(&in->stop, false);
    int error = uv_async_init(&loop->uv, &in->wake, on_wake);
    if (error == 0) {
        in->loop = loop;
        uv_check_init(&loop->uv, &in->after_events);
        in->after_events.data = in;
        uv_check_start(&in->after_events, on_events_seen);
        uv_unref((uv_handle_t *)&in->after_events);
        uv_idle_init(&loop->uv, &in->again);
    }
    return error;
}

void loop_inbox_settle(struct loop_inbox *in)
{
    of_this_thread = in;
}

void loop_inbox_close(struct loop_inbox *in)
{
    if (in->loop) {
        uv_close((uv_handle_t *)&in->wake, NULL);
        uv_close((uv_handle_t *)&in->after_events, NULL);
        uv_close((uv_handle_t *)&in->again, NULL);
    }
}
