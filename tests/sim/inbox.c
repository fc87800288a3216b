#include "sim/inbox.h"

enum { LATEST_US = 100 };

static void open_parcels(struct timer *timer)
{
    struct sim_inbox *in = CONTAINER_OF(timer, struct sim_inbox, timer);
    struct parcel *parcel = in->first;
    in->first = parcel->next;
    in->last = in->first ? in->last : NULL;
    if (in->first) {
        in->loop->timers.arm(&in->loop->timers, timer, (struct span){0});
    }
    parcel->open(parcel);
}

static void post(struct inbox *inbox, struct parcel *parcel)
{
    struct sim_inbox *in = CONTAINER_OF(inbox, struct sim_inbox, inbox);
    parcel->next = NULL;
    if (in->last) {
        in->last->next = parcel;
    } else {
        in->first = parcel;
        struct span after = {(int64_t)sim_below(in->loop->world, LATEST_US)};
        in->loop->timers.arm(&in->loop->timers, &in->timer, after);
    }
    in->last = parcel;
}

void sim_inbox_init(struct sim_inbox *in, struct sim_loop *loop)
{
    *in = (struct sim_inbox){.inbox = {post}, .timer = {.fire = open_parcels}, .loop = loop};
}
