#include "world/inbox.h"

#include "world/inside.h"

/* The newest parcel stands first in what was taken; turned round, parcels are opened in the order
 * of posting. */
static void open_all(struct loop_inbox *in)
{
    struct parcel *newest = atomic_exchange_explicit(&in->posted, NULL, memory_order_acquire);
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

static void on_wake(uv_async_t *wake)
{
    struct loop_inbox *in = wake->data;
    if (in->loop->closing) {
        return;
    }
    open_all(in);
    if (atomic_exchange(&in->stop, false)) {
        uv_stop(&in->loop->uv);
    }
}

/* Only who finds the stack empty wakes the loop: whoever comes later is taken with the first. */
static void post(struct inbox *inbox, struct parcel *parcel)
{
    struct loop_inbox *in = CONTAINER_OF(inbox, struct loop_inbox, port);
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
    }
    return error;
}

void loop_inbox_close(struct loop_inbox *in)
{
    if (in->loop) {
        uv_close((uv_handle_t *)&in->wake, NULL);
    }
}
