#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

#include "world.h"
#include "world/signals.h"

static struct world world;
static struct program_run run;
static const char *input; /* what is still to be written */
static size_t input_again;
static int asked;

static void on_done(struct program_run *r)
{
    assert_ptr_equal(r, &run);
    loop_stop(world.loop);
}

static void feed(struct program_run *r)
{
    struct programs *p = world.ports->programs;
    asked++;
    if (input_again) {
        input_again--;
        p->write_input(p, r, str_from_cstr(input));
    } else {
        p->end_input(p, r);
    }
}

static void start(const char *script, struct span limit, size_t output_limit)
{
    const struct str argv[] = {STR("/bin/sh"), STR("-c"), str_from_cstr(script), STR("name"),
                               STR("a b;c")};
    const struct str environment[] = {STR("COLOUR=red")};
    run = (struct program_run){.done = on_done,
                               .wants_input = feed,
                               .argv = argv,
                               .argc = 5,
                               .environment = environment,
                               .environment_count = 1,
                               .limit = limit,
                               .output_limit = output_limit};
    asked = 0;
    world.ports->programs->start(world.ports->programs, &run);
    assert_int_equal(asked, 0);
    world_run(&world);
}

static bool output_is(const char *expected)
{
    bool same = str_eq(buf_str(&run.output), str_from_cstr(expected));
    buf_done(&run.output);
    return same;
}

static int begin(void **state)
{
    (void)state;
    input = "";
    input_again = 0;
    world_begin(&world, NULL);
    return 0;
}

static int end(void **state)
{
    (void)state;
    world_end(&world);
    return 0;
}

static void the_exit_status_and_all_output_are_told(void **state)
{
    (void)state;
    start("echo out; echo err >&2; exit 75", SPAN_S(10), 1000);
    assert_int_equal(run.error, 0);
    assert_int_equal(run.exit_status, 75);
    assert_int_equal(run.signal, 0);
    assert_false(run.timed_out);
    assert_true(output_is("out\nerr\n"));
}

static void arguments_and_environment_are_passed_and_nothing_else(void **state)
{
    (void)state;
    start("echo \"$0|$1|$COLOUR|$HOME\"; ls /proc/self/fd | wc -l", SPAN_S(10), 1000);
    assert_true(output_is("name|a b;c|red|\n4\n")); /* 0, 1, 2 and that of ls itself */
}

static void input_is_given_until_it_ends(void **state)
{
    (void)state;
    input = "0123456789abcdefghijklmnopqrstuvwxyz\n";
    input_again = 10000; /* more than a pipe holds */
    start("wc -c", SPAN_S(20), 1000);
    assert_int_equal(run.exit_status, 0);
    assert_int_equal(asked, 10001);
    assert_true(output_is("370000\n"));
}

static void a_program_that_does_not_read_is_no_error(void **state)
{
    (void)state;
    input = "0123456789abcdefghijklmnopqrstuvwxyz\n";
    input_again = 10000;
    start("exec <&-; exit 3", SPAN_S(10), 1000);
    assert_int_equal(run.error, 0);
    assert_int_equal(run.exit_status, 3);
    assert_true(output_is(""));
}

static void a_program_that_takes_too_long_is_killed_with_its_children(void **state)
{
    (void)state;
    int64_t before = world.ports->clock->monotonic_us(world.ports->clock);
    start("echo begun; sleep 100 & sleep 100; echo no", SPAN_MS(300), 1000);
    assert_true(run.timed_out);
    assert_int_equal(run.exit_status, -1);
    assert_int_equal(run.signal, SIGKILL);
    assert_true(output_is("begun\n"));
    /* Its child would hold the output open. */
    assert_true(world.ports->clock->monotonic_us(world.ports->clock) - before < 1200000);
}

static void output_is_kept_up_to_its_limit(void **state)
{
    (void)state;
    start("yes | head -c 1000000", SPAN_S(10), 100);
    assert_int_equal(run.exit_status, 0);
    assert_int_equal(run.output.len, 100);
    buf_done(&run.output);
    start("printf 123", SPAN_S(10), 3);
    assert_true(output_is("123"));
}

static void a_child_left_behind_does_not_hold_us_up(void **state)
{
    (void)state;
    start("echo x; sleep 3 & exit 0", SPAN_S(20), 100);
    assert_int_equal(run.exit_status, 0);
    assert_false(run.timed_out);
    assert_true(output_is("x\n"));
}

static void a_program_that_is_not_there_is_told(void **state)
{
    (void)state;
    const struct str argv[] = {STR("/none/such")};
    run = (struct program_run){
        .done = on_done, .wants_input = feed, .argv = argv, .argc = 1, .limit = SPAN_S(1)};
    world.ports->programs->start(world.ports->programs, &run);
    world_run(&world);
    assert_int_equal(run.error, -ENOENT);
    const struct str hostile[] = {STR("/bin/sh\0x")};
    run = (struct program_run){
        .done = on_done, .wants_input = feed, .argv = hostile, .argc = 1, .limit = SPAN_S(1)};
    world.ports->programs->start(world.ports->programs, &run);
    world_run(&world);
    assert_int_equal(run.error, -EINVAL);
}

static void a_loop_may_end_while_a_program_runs(void **state)
{
    (void)state;
    const struct str argv[] = {STR("/bin/sleep"), STR("100")};
    run = (struct program_run){
        .done = on_done, .wants_input = feed, .argv = argv, .argc = 2, .limit = SPAN_S(100)};
    world.ports->programs->start(world.ports->programs, &run);
    loop_stop(world.loop);
    world_run(&world);
}

static void on_signal(struct signal_watch *watch)
{
    asked = watch->number;
    loop_stop(world.loop);
}

static void a_signal_is_an_event_of_the_loop(void **state)
{
    (void)state;
    struct signal_watch watch = {.arrived = on_signal, .number = SIGHUP};
    assert_int_equal(signal_watch_start(world.loop, &watch), 0);
    assert_int_equal(kill(getpid(), SIGHUP), 0);
    world_run(&world);
    assert_int_equal(asked, SIGHUP);
    signal_watch_stop(&watch);
    signal_watch_stop(&watch);
}

static void the_system_tells_its_name_and_processors(void **state)
{
    (void)state;
    struct buf text = {0};
    system_hostname(&text);
    assert_true(text.len > 0);
    assert_true(system_processors() >= 1);
    buf_done(&text);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_exit_status_and_all_output_are_told),
        TEST(arguments_and_environment_are_passed_and_nothing_else),
        TEST(input_is_given_until_it_ends),
        TEST(a_program_that_does_not_read_is_no_error),
        TEST(a_program_that_takes_too_long_is_killed_with_its_children),
        TEST(output_is_kept_up_to_its_limit),
        TEST(a_child_left_behind_does_not_hold_us_up),
        TEST(a_program_that_is_not_there_is_told),
        TEST(a_loop_may_end_while_a_program_runs),
        TEST(a_signal_is_an_event_of_the_loop),
        TEST(the_system_tells_its_name_and_processors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
