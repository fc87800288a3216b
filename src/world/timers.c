#include "world/timers.h"

#include "world/inside.h"

/* libuv counts in milliseconds: the uv_timer is set to the millisecond after the earliest timer.
 * It is never set later than need be, so a cancelled timer costs at most one idle wake-up. */
static void on_due(uv_timer_t *uv);

static void set(struct loop_timers *t, int64_t due)
{
    if (due >= t->set_for || t->loop->closing) {
        return;
    }
    int64_t wait = due - clock_monotonic_us();
    t->set_for = due;
    uv_update_time(&t->loop->uv);
    uv_timer_start(&t->uv, on_due, wait > 0 ? (uint64_t)(wait + 999) / 1000 : 0, 0);
}

static void drop_spare(struct loop_timers *t, struct timer *timer)
{
    for (size_t i = 0; i < t->spare_count; i++) {
        if (t->spare[i] == timer) {
            t->spare[i] = t->spare[--t->spare_count];
            return;
        }
    }
}

/* The earliest timer, taken out, if it is due. */
static struct timer *take_due(struct loop_timers *t, int64_t now)
{
    for (size_t i = 0; i < t->spare_count; i++) {
        struct timer *timer = t->spare[i];
        if (timer->node.key <= now) {
            drop_spare(t, timer);
            return timer;
        }
    }
    struct heap_node *first = heap_min(&t->heap);
    if (!first || first->key > now) {
        return NULL;
    }
    heap_remove(&t->heap, first);
    return CONTAINER_OF(first, struct timer, node);
}

static void on_due(uv_timer_t *uv)
{
    struct loop_timers *t = uv->data;
    int64_t now = clock_monotonic_us();
    t->set_for = INT64_MAX;
    for (struct timer *timer; (timer = take_due(t, now));) {
        timer->fire(timer);
    }
    struct heap_node *first = heap_min(&t->heap);
    if (first) {
        set(t, first->key);
    }
    for (size_t i = 0; i < t->spare_count; i++) {
        set(t, t->spare[i]->node.key);
    }
}

static void arm(struct timers *timers, struct timer *timer, struct span after)
{
    struct loop_timers *t = CONTAINER_OF(timers, struct loop_timers, port);
    int64_t now = clock_monotonic_us();
    int64_t due = after.us <= 0 ? now : after.us > INT64_MAX - now ? INT64_MAX - 1 : now + after.us;
    if (timer->node.place) {
        heap_move(&t->heap, &timer->node, due);
    } else {
        drop_spare(t, timer);
        if (!heap_push(&t->heap, &timer->node, due)) {
            timer->node.key = due;
            if (t->spare_count == TIMERS_SPARE) {
                log_event(t->loop->ports.log, LOG_ERROR, "timer_lost", F_INT("after_us", after.us));
                return;
            }
            t->spare[t->spare_count++] = timer;
        }
    }
    set(t, due);
}

static void cancel(struct timers *timers, struct timer *timer)
{
    struct loop_timers *t = CONTAINER_OF(timers, struct loop_timers, port);
    heap_remove(&t->heap, &timer->node);
    drop_spare(t, timer);
}

int loop_timers_init(struct loop_timers *t, struct loop *loop)
{
    t->port = (struct timers){.arm = arm, .cancel = cancel};
    t->loop = loop;
    t->set_for = INT64_MAX;
    t->uv.data = t;
    return uv_timer_init(&loop->uv, &t->uv);
}

void loop_timers_close(struct loop_timers *t)
{
    if (t->loop) {
        uv_close((uv_handle_t *)&t->uv, NULL);
    }
}

void loop_timers_done(struct loop_timers *t)
{
    heap_done(&t->heap);
}
