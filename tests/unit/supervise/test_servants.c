/* Servants are this program itself, which dies at once or stands still. */
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include "supervise/servants.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { DIES = 7, LONG_AGO_US = 5000000 };

static char name[] = "test_servants", dies[] = "dies", stands[] = "stands";
static char *const arguments_dies[] = {name, dies, NULL};
static char *const arguments_stands[] = {name, stands, NULL};
static char last_event[32];

static void note_event(struct log *log, enum log_level level, const char *event,
                       const struct log_field *fields, size_t count)
{
    (void)log;
    (void)level;
    (void)fields;
    (void)count;
    (void)snprintf(last_event, sizeof last_event, "%s", event);
}

static struct log log_here = {.event = note_event};

static struct servants made(char *const *arguments)
{
    struct servants s = {.log = &log_here};
    for (size_t i = 0; i < SERVANT_ROLES; i++) {
        s.arguments[i] = arguments;
    }
    servants_init(&s);
    return s;
}

static void bury(struct servants *s)
{
    int status = 0;
    pid_t process = waitpid(-1, &status, 0);
    assert_true(process > 0);
    servants_ended(s, process, status);
}

static void one_that_dies_at_each_start_is_started_at_growing_intervals(void **state)
{
    (void)state;
    static const enum servant_role roles[] = {SERVANT_RUNNER, SERVANT_LOGIN};
    for (size_t i = 0; i < ARRAY_LEN(roles); i++) {
        struct servants s = made(arguments_dies);
        for (int tries = 0; tries < 4; tries++) {
            int socket = servants_get(&s, roles[i], false);
            assert_true(socket >= 0);
            close(socket);
            bury(&s);
        }
        assert_string_equal(last_event, roles[i] == SERVANT_RUNNER ? "runner-died" : "login-died");
        assert_int_equal(servants_get(&s, roles[i], false), -EAGAIN);
        assert_true(servants_get(&s, SERVANT_KEYS, false) >= 0); /* others are not held up */
        s.trials[roles[i]].next_at = 0;                          /* later */
        assert_true(servants_get(&s, roles[i], false) >= 0);
        servants_close(&s);
        bury(&s);
        bury(&s);
    }
}

static void one_that_has_lived_long_is_replaced_at_once(void **state)
{
    (void)state;
    struct servants s = made(arguments_dies);
    for (int tries = 0; tries < 10; tries++) {
        assert_true(servants_get(&s, SERVANT_LOGIN, false) >= 0);
        s.all[0].started_at -= LONG_AGO_US;
        bury(&s);
    }
    servants_close(&s);
}

static void one_that_is_stuck_is_killed_and_replaced_unless_it_is_new(void **state)
{
    (void)state;
    struct servants s = made(arguments_stands);
    assert_true(servants_get(&s, SERVANT_KEYS, false) >= 0);
    pid_t first = s.doors[SERVANT_KEYS].process;
    assert_true(servants_get(&s, SERVANT_KEYS, true) >= 0);
    assert_int_equal(s.doors[SERVANT_KEYS].process, first);
    s.all[0].started_at -= LONG_AGO_US;
    assert_true(servants_get(&s, SERVANT_KEYS, true) >= 0);
    assert_string_equal(last_event, "keys-started");
    pid_t second = s.doors[SERVANT_KEYS].process;
    assert_int_not_equal(second, first);
    bury(&s); /* the first one: its end is not the second's */
    assert_true(s.doors[SERVANT_KEYS].end >= 0);
    kill(second, SIGKILL);
    bury(&s);
    assert_int_equal(s.doors[SERVANT_KEYS].end, -1);
    servants_close(&s);
}

static void one_that_each_asker_has_for_itself_is_ended_too_when_it_is_stuck(void **state)
{
    (void)state;
    struct servants s = made(arguments_stands);
    assert_true(servants_get(&s, SERVANT_POSTMAN, false) >= 0);
    s.all[0].started_at -= LONG_AGO_US;
    assert_true(servants_get(&s, SERVANT_POSTMAN, true) >= 0);
    bury(&s);
    assert_string_equal(last_event, "postman-died");
    kill(s.doors[SERVANT_POSTMAN].process, SIGKILL);
    bury(&s);
}

static void the_supervisor_never_waits_for_one_that_stands_still(void **state)
{
    (void)state;
    struct servants s = made(arguments_stands);
    int got = 0;
    for (int i = 0; i < 100000 && got >= 0; i++) {
        got = servants_get(&s, SERVANT_LOGIN, false);
        if (got >= 0) {
            close(got);
        }
    }
    assert_int_equal(got, -EAGAIN);
    kill(s.doors[SERVANT_LOGIN].process, SIGKILL);
    bury(&s);
    servants_close(&s);
}

static void there_are_so_many_at_once(void **state)
{
    (void)state;
    struct servants s = made(arguments_stands);
    for (int i = 0; i < SERVANTS_MAX; i++) {
        assert_true(servants_get(&s, SERVANT_RUNNER, false) >= 0);
    }
    assert_int_equal(servants_get(&s, SERVANT_RUNNER, false), -EAGAIN);
    for (int i = 0; i < SERVANTS_MAX; i++) {
        kill(s.all[i].process, SIGKILL);
    }
    for (int i = 0; i < SERVANTS_MAX; i++) {
        bury(&s);
    }
    assert_true(servants_get(&s, SERVANT_POSTMAN, false) >= 0);
    kill(s.all[0].process, SIGKILL);
    bury(&s);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_that_dies_at_each_start_is_started_at_growing_intervals),
        cmocka_unit_test(one_that_has_lived_long_is_replaced_at_once),
        cmocka_unit_test(one_that_is_stuck_is_killed_and_replaced_unless_it_is_new),
        cmocka_unit_test(one_that_each_asker_has_for_itself_is_ended_too_when_it_is_stuck),
        cmocka_unit_test(the_supervisor_never_waits_for_one_that_stands_still),
        cmocka_unit_test(there_are_so_many_at_once),
    };
    if (argc > 1 && strcmp(argv[1], dies) == 0) {
        return DIES;
    }
    while (argc > 1 && strcmp(argv[1], stands) == 0) {
        pause();
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
