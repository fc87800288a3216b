/* world.h: a real loop for the tests of this folder, and a log that keeps what it is told. */
#pragma once

// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "world/loop.h"
#include "world/system.h"

static inline void quiet_event(struct log *log, enum log_level level, const char *event,
                               const struct log_field *fields, size_t count)
{
    (void)log;
    (void)level;
    (void)event;
    (void)fields;
    (void)count;
}

static struct log quiet_log = {.event = quiet_event};

/* A loop that gives up, and fails the test, after twenty seconds. */
struct world {
    struct loop *loop;
    const struct ports *ports;
    struct timer too_long;
    bool was_too_long;
};

static inline void world_too_long(struct timer *timer)
{
    struct world *w = CONTAINER_OF(timer, struct world, too_long);
    w->was_too_long = true;
    loop_stop(w->loop);
}

static inline void world_begin(struct world *w, struct dns_service *dns)
{
    *w = (struct world){.too_long.fire = world_too_long};
    system_prepare();
    w->loop = loop_new(&quiet_log, dns);
    assert_non_null(w->loop);
    w->ports = loop_ports(w->loop);
}

/* Until somebody calls loop_stop(). */
static inline void world_run(struct world *w)
{
    w->ports->timers->arm(w->ports->timers, &w->too_long, SPAN_S(20));
    loop_run(w->loop);
    w->ports->timers->cancel(w->ports->timers, &w->too_long);
    assert_false(w->was_too_long);
}

static inline void world_end(struct world *w)
{
    loop_free(w->loop);
}
