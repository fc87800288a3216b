/* A runner in a process of its own, and a loop that has it run programs. */
#include "unit/world/world.h"

#include "runner/runner.h"
#include "runner/starter.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

static struct str shell[] = {STR_INIT("/bin/sh"), STR_INIT("-c"), STR_INIT("{local}")};
static struct str absent[] = {STR_INIT("/nowhere/there")};
static struct config_domain domains[] = {
    {.mailboxes = {.kind = MAILBOX_PIPE, .argv = shell, .argc = 3}},
    {.mailboxes = {.kind = MAILBOX_PIPE, .argv = absent, .argc = 1}}};
static struct config config = {.domains = domains, .domain_count = 2};

static struct world world;
static struct runner_starter starter;
static struct program_run run;
static pid_t runner;
static int runners, stuck_runners;

static int connect_runner(void *owner, enum runner_kind kind, bool stuck)
{
    int ends[2];
    (void)owner;
    if (stuck) {
        kill(runner, SIGKILL);
        stuck_runners++;
    }
    assert_int_equal(kind, RUNNER_PROGRAMS);
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
    runner = fork();
    if (runner == 0) {
        if (ends[1] != RUNNER_SOCKET) {
            dup2(ends[1], RUNNER_SOCKET);
        }
        close(ends[0]); /* and no more: libuv looks after its own at the next fork() */
        _exit(runner_run(&config, &runner_programs));
    }
    close(ends[1]);
    runners++;
    return ends[0];
}

static void on_done(struct program_run *r)
{
    (void)r;
    loop_stop(world.loop);
}

static void no_input(struct program_run *r)
{
    world.ports->programs->end_input(world.ports->programs, r);
}

static void start(struct str program, const char *script, struct span limit)
{
    const struct str argv[] = {program, STR("-c"), str_from_cstr(script)};
    run = (struct program_run){.done = on_done,
                               .wants_input = no_input,
                               .argv = argv,
                               .argc = str_eq(program, absent[0]) ? 1 : 3,
                               .limit = limit,
                               .output_limit = 100};
    world.ports->programs->start(world.ports->programs, &run);
    world_run(&world);
}

static int begin(void **state)
{
    (void)state;
    runners = 0;
    world_begin(&world, NULL);
    assert_int_equal(runner_starter_open(&starter, connect_runner, NULL), 0);
    loop_set_starter(world.loop, &starter.starter);
    return 0;
}

/* Without a socket to it, and no program left, a runner ends. */
static int end(void **state)
{
    int status = 0;
    (void)state;
    loop_free(world.loop);
    runner_starter_close(&starter);
    while (waitpid(-1, &status, 0) > 0) {
        assert_true(status == 0 || WTERMSIG(status) == SIGKILL);
    }
    return 0;
}

static void test_a_program_is_run_and_its_end_told(void **state)
{
    (void)state;
    start(shell[0], "echo out; echo err >&2; exit 7", SPAN_S(10));
    assert_int_equal(run.error, 0);
    assert_int_equal(run.exit_status, 7);
    assert_true(str_eq(buf_str(&run.output), STR("out\nerr\n")));
    buf_done(&run.output);
    start(shell[0], "kill -9 $$", SPAN_S(10));
    assert_int_equal(run.signal, SIGKILL);
    assert_int_equal(run.exit_status, -1);
    assert_int_equal(runners, 1);
}

static void test_a_program_inherits_nothing_but_its_streams(void **state)
{
    (void)state;
    start(shell[0], "ls /proc/self/fd | wc -l", SPAN_S(10));
    assert_true(str_eq(buf_str(&run.output), STR("4\n"))); /* and the folder that ls reads */
    buf_done(&run.output);
}

static void test_a_program_that_takes_too_long_dies_with_its_children(void **state)
{
    (void)state;
    start(shell[0], "sleep 60 & sleep 60", SPAN_MS(100));
    assert_true(run.timed_out);
    assert_int_equal(run.signal, SIGKILL);
}

static void test_what_is_not_there_or_not_named_is_told(void **state)
{
    (void)state;
    start(absent[0], "", SPAN_S(10));
    assert_int_equal(run.error, -ENOENT);
    start(STR("/bin/ls"), "", SPAN_S(10));
    assert_int_equal(run.error, -EPERM);
}

static void test_a_runner_that_died_is_replaced(void **state)
{
    (void)state;
    start(shell[0], "exit 0", SPAN_S(10));
    kill(runner, SIGKILL);
    waitpid(runner, NULL, 0);
    start(shell[0], "exit 3", SPAN_S(10));
    assert_int_equal(run.error, 0);
    assert_int_equal(run.exit_status, 3);
    assert_int_equal(runners, 2);
}

static void test_a_runner_that_dies_leaves_a_told_failure(void **state)
{
    (void)state;
    start(shell[0], "kill -9 $PPID; sleep 0.1", SPAN_S(10));
    assert_int_equal(run.error, -EPIPE);
}

static void test_a_runner_that_stands_still_holds_nothing_up_and_is_replaced(void **state)
{
    (void)state;
    stuck_runners = 0;
    start(shell[0], "exit 0", SPAN_S(10));
    kill(runner, SIGSTOP);
    start(shell[0], "exit 0", SPAN_MS(1));
    assert_true(run.timed_out);
    start(shell[0], "exit 3", SPAN_S(10));
    assert_int_equal(run.exit_status, 3);
    assert_int_equal(stuck_runners, 1);
    assert_int_equal(runners, 2);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_a_program_is_run_and_its_end_told),
        CASE(test_a_program_inherits_nothing_but_its_streams),
        CASE(test_a_program_that_takes_too_long_dies_with_its_children),
        CASE(test_what_is_not_there_or_not_named_is_told),
        CASE(test_a_runner_that_died_is_replaced),
        CASE(test_a_runner_that_stands_still_holds_nothing_up_and_is_replaced),
        CASE(test_a_runner_that_dies_leaves_a_told_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
