#include "world.h"
#include "world/threads.h"

enum { LOOPS = 3, PARCELS = 2000 };

/* Every loop sends parcels to its neighbour, who sends each back; order is kept per sender. */
struct sent {
    struct parcel parcel;
    int from;
    int number;
    bool back;
};

static struct loop *loops[LOOPS];
static struct sent parcels[LOOPS][PARCELS];
static int seen[LOOPS];     /* by the receiver: the number expected from its one sender */
static int returned[LOOPS]; /* by the sender */
static struct parcel finished[LOOPS];
static int finished_count; /* loop 0's alone */

static void post(int to, struct parcel *parcel)
{
    struct inbox *inbox = loop_ports(loops[to])->inbox;
    inbox->post(inbox, parcel);
}

static void on_finished(struct parcel *parcel)
{
    (void)parcel;
    if (++finished_count == LOOPS) {
        for (int i = 0; i < LOOPS; i++) {
            loop_stop(loops[i]);
        }
    }
}

static void on_parcel(struct parcel *parcel)
{
    struct sent *s = CONTAINER_OF(parcel, struct sent, parcel);
    int here = (s->from + 1) % LOOPS;
    if (!s->back) {
        assert_int_equal(s->number, seen[here]);
        seen[here]++;
        s->back = true;
        post(s->from, parcel);
        return;
    }
    assert_int_equal(s->number, returned[s->from]);
    if (++returned[s->from] == PARCELS) {
        finished[s->from].open = on_finished;
        post(0, &finished[s->from]);
    }
}

static void begin(struct loop *loop, size_t number, void *owner)
{
    (void)loop;
    (void)owner;
    for (int i = 0; i < PARCELS; i++) {
        struct sent *s = &parcels[number][i];
        *s = (struct sent){.parcel.open = on_parcel, .from = (int)number, .number = i};
        post(((int)number + 1) % LOOPS, &s->parcel);
    }
}

static void parcels_are_opened_in_order_on_the_loop_they_were_posted_to(void **state)
{
    (void)state;
    system_prepare();
    for (int i = 0; i < LOOPS; i++) {
        loops[i] = loop_new(&quiet_log, NULL);
        assert_non_null(loops[i]);
    }
    struct threads *threads = threads_start(loops, LOOPS, begin, NULL);
    assert_non_null(threads);
    threads_join(threads);
    for (int i = 0; i < LOOPS; i++) {
        assert_int_equal(returned[i], PARCELS);
        loop_free(loops[i]);
    }
}

static int opened;

static void on_self(struct parcel *parcel)
{
    opened++;
    if (opened == 3) {
        loop_stop(loops[0]);
    } else {
        post(0, parcel);
    }
}

static void a_parcel_may_be_posted_to_oneself_from_its_opening(void **state)
{
    (void)state;
    struct world w;
    world_begin(&w, NULL);
    loops[0] = w.loop;
    struct parcel parcel = {.open = on_self};
    post(0, &parcel);
    assert_int_equal(opened, 0);
    world_run(&w);
    assert_int_equal(opened, 3);
    world_end(&w);
}

static void on_endless(struct parcel *parcel)
{
    post(0, parcel);
}

static void on_time(struct timer *timer)
{
    (void)timer;
    loop_stop(loops[0]);
}

static void a_parcel_posted_to_oneself_without_end_keeps_nobody_waiting(void **state)
{
    (void)state;
    struct world w;
    world_begin(&w, NULL);
    loops[0] = w.loop;
    struct parcel parcel = {.open = on_endless};
    struct timer timer = {.fire = on_time};
    post(0, &parcel);
    w.ports->timers->arm(w.ports->timers, &timer, SPAN_MS(5));
    world_run(&w);
    world_end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parcels_are_opened_in_order_on_the_loop_they_were_posted_to),
        cmocka_unit_test(a_parcel_may_be_posted_to_oneself_from_its_opening),
        cmocka_unit_test(a_parcel_posted_to_oneself_without_end_keeps_nobody_waiting),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
