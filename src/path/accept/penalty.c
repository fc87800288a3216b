#include "path/accept/penalty.h"

#include <stdlib.h>

struct penalty {
    struct timer timer;
    struct list node;
    struct penalties *all;
    struct ip client;
};

void penalties_init(struct penalties *p, const struct ports *ports, struct crowd *crowd)
{
    p->ports = ports;
    p->crowd = crowd;
    list_init(&p->running);
}

static void end(struct penalty *penalty)
{
    penalty->all->count--;
    crowd_forget(penalty->all->crowd, penalty->client);
    list_remove(&penalty->node);
    free(penalty);
}

static void on_timer(struct timer *timer)
{
    end(CONTAINER_OF(timer, struct penalty, timer));
}

void penalties_add(struct penalties *p, struct ip client, struct span how_long)
{
    struct penalty *penalty = p->count < PENALTIES_MAX ? calloc(1, sizeof *penalty) : NULL;
    if (!penalty) {
        crowd_forget(p->crowd, client);
        return;
    }
    penalty->timer.fire = on_timer;
    penalty->all = p;
    penalty->client = client;
    list_append(&p->running, &penalty->node);
    p->count++;
    p->ports->timers->arm(p->ports->timers, &penalty->timer, how_long);
}

void penalties_done(struct penalties *p)
{
    while (!list_empty(&p->running)) {
        struct penalty *penalty = CONTAINER_OF(p->running.next, struct penalty, node);
        p->ports->timers->cancel(p->ports->timers, &penalty->timer);
        end(penalty);
    }
}
