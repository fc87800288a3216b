#include "world.h"

struct fired {
    struct timer timer;
    struct world *world;
    int number;
    int rearm;
    int64_t due;
};

static int order[64];
static size_t order_count;

static void on_fire(struct timer *timer)
{
    struct fired *f = CONTAINER_OF(timer, struct fired, timer);
    struct clock *clock = f->world->ports->clock;
    assert_true(clock->monotonic_us(clock) >= f->due);
    order[order_count++] = f->number;
    if (f->rearm-- > 0) {
        f->world->ports->timers->arm(f->world->ports->timers, timer, (struct span){0});
    }
    if (f->number == 99) {
        loop_stop(f->world->loop);
    }
}

static void arm(struct world *w, struct fired *f, int number, struct span after)
{
    f->world = w;
    f->number = number;
    f->timer.fire = on_fire;
    f->due = w->ports->clock->monotonic_us(w->ports->clock) + after.us;
    w->ports->timers->arm(w->ports->timers, &f->timer, after);
}

static void timers_fire_in_the_order_of_their_due_times_and_never_early(void **state)
{
    (void)state;
    struct world w;
    world_begin(&w, NULL);
    struct fired t[6] = {0};
    order_count = 0;
    arm(&w, &t[0], 99, SPAN_MS(60));
    arm(&w, &t[1], 3, SPAN_MS(30));
    arm(&w, &t[2], 1, SPAN_MS(-5));
    arm(&w, &t[3], 2, SPAN_MS(10));
    arm(&w, &t[4], 7, SPAN_MS(20));
    w.ports->timers->cancel(w.ports->timers, &t[4].timer);
    w.ports->timers->cancel(w.ports->timers, &t[4].timer);
    arm(&w, &t[5], 4, SPAN_MS(5));
    arm(&w, &t[5], 4, SPAN_MS(45)); /* armed again: later */
    world_run(&w);
    static const int expected[] = {1, 2, 3, 4, 99};
    assert_int_equal(order_count, 5);
    assert_memory_equal(order, expected, sizeof expected);
    world_end(&w);
}

static void a_timer_may_arm_itself_again_and_starves_nobody(void **state)
{
    (void)state;
    struct world w;
    world_begin(&w, NULL);
    struct fired t[2] = {0};
    t[0].rearm = 10;
    order_count = 0;
    arm(&w, &t[0], 1, (struct span){0});
    arm(&w, &t[1], 99, SPAN_MS(30));
    world_run(&w);
    assert_int_equal(order_count, 12);
    assert_int_equal(order[11], 99);
    world_end(&w);
}

static void a_stop_before_the_run_ends_it(void **state)
{
    (void)state;
    struct world w;
    world_begin(&w, NULL);
    loop_stop(w.loop);
    world_run(&w);
    loop_stop(w.loop);
    world_run(&w);
    world_end(&w);
}

static void random_numbers_differ_and_wall_time_is_of_this_century(void **state)
{
    (void)state;
    struct world w;
    world_begin(&w, NULL);
    uint64_t before = 0;
    uint64_t ones = 0;
    for (int i = 0; i < 100; i++) {
        uint64_t now = w.ports->entropy->u64(w.ports->entropy);
        assert_true(now != before);
        before = now;
        ones |= now;
    }
    assert_true(ones == UINT64_MAX);
    assert_true(instant_seconds(w.ports->clock->wall(w.ports->clock)) > 1700000000);
    world_end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(timers_fire_in_the_order_of_their_due_times_and_never_early),
        cmocka_unit_test(a_timer_may_arm_itself_again_and_starves_nobody),
        cmocka_unit_test(a_stop_before_the_run_ends_it),
        cmocka_unit_test(random_numbers_differ_and_wall_time_is_of_this_century),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
