#include "path/accept/doorstep.h"

#include <stdlib.h>

/* Long for somebody who knocks without end; short for a server, which gives the greeting minutes to
 * come (RFC 5321 4.5.3.2.1). */
#define WAIT SPAN_S(1)

struct caller {
    struct timer timer;
    struct list node;
    struct doorstep *doorstep;
    struct stream *stream;
};

static const char over_limit[] = "421 4.7.0 Too many connections; come back later\r\n";

static void ignore_data(struct stream *stream, struct str bytes)
{
    (void)stream;
    (void)bytes;
}

static void ignore_end(struct stream *stream, int error)
{
    (void)stream;
    (void)error;
}

static const struct stream_events deaf = {ignore_data, ignore_end, NULL};

static void tell(struct stream *stream)
{
    stream_write(stream, str_from(over_limit, sizeof over_limit - 1));
    stream_close(stream);
}

static void send_away(struct caller *c)
{
    tell(c->stream);
    list_remove(&c->node);
    c->doorstep->count--;
    free(c);
}

static void on_timer(struct timer *timer)
{
    send_away(CONTAINER_OF(timer, struct caller, timer));
}

void doorstep_init(struct doorstep *d, const struct ports *ports)
{
    d->ports = ports;
    list_init(&d->waiting);
}

void doorstep_refuse(struct doorstep *d, struct stream *stream, uint32_t most)
{
    struct caller *c = d->count < most ? calloc(1, sizeof *c) : NULL;
    stream->events = &deaf;
    if (!c) {
        tell(stream);
        return;
    }
    *c = (struct caller){.timer = {.fire = on_timer}, .doorstep = d, .stream = stream};
    list_append(&d->waiting, &c->node);
    d->count++;
    d->ports->timers->arm(d->ports->timers, &c->timer, WAIT);
}

void doorstep_clear(struct doorstep *d)
{
    while (!list_empty(&d->waiting)) {
        struct caller *c = CONTAINER_OF(d->waiting.next, struct caller, node);
        d->ports->timers->cancel(d->ports->timers, &c->timer);
        send_away(c);
    }
}
