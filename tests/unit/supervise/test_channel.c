// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include "supervise/channel.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int ends[2];

static int open_pair(void **state)
{
    (void)state;
    return channel_pair(ends);
}

static int close_pair(void **state)
{
    (void)state;
    close(ends[0]);
    close(ends[1]);
    return 0;
}

static void test_a_message_arrives_as_it_was_sent(void **state)
{
    (void)state;
    struct message got, sent = {.kind = MESSAGE_LISTEN, .loop = 7, .local_path = STR("/run/x")};
    assert_true(endpoint_parse(STR("[2001:db8::1]:25"), &sent.at));
    assert_int_equal(channel_send(ends[0], &sent), 0);
    assert_int_equal(channel_receive(ends[1], &got), 0);
    assert_int_equal(got.kind, MESSAGE_LISTEN);
    assert_int_equal(got.loop, 7);
    assert_true(ip_eq(got.at.ip, sent.at.ip));
    assert_int_equal(got.at.port, 25);
    assert_true(str_eq(got.local_path, STR("/run/x")));
    assert_int_equal(got.descriptor, -1);
}

static void test_a_descriptor_comes_with_its_message(void **state)
{
    (void)state;
    int pipe_ends[2];
    char byte = 0;
    assert_int_equal(pipe2(pipe_ends, O_CLOEXEC), 0);
    struct message got, sent = {.kind = MESSAGE_SOCKET, .descriptor = pipe_ends[0]};
    assert_int_equal(channel_send(ends[0], &sent), 0);
    close(pipe_ends[0]);
    assert_int_equal(channel_receive(ends[1], &got), 0);
    assert_int_equal(write(pipe_ends[1], "x", 1), 1);
    assert_int_equal(read(got.descriptor, &byte, 1), 1);
    assert_int_equal(byte, 'x');
    assert_int_equal(fcntl(got.descriptor, F_GETFD), FD_CLOEXEC);
    close(got.descriptor);
    close(pipe_ends[1]);
}

static void test_a_path_is_taken_up_to_its_longest_and_not_beyond(void **state)
{
    (void)state;
    char path[CHANNEL_PATH_MAX];
    memset(path, 'p', sizeof path);
    struct message got,
        sent = {.kind = MESSAGE_RELEASE, .local_path = str_from(path, CHANNEL_PATH_MAX - 1)};
    assert_int_equal(channel_send(ends[0], &sent), 0);
    assert_int_equal(channel_receive(ends[1], &got), 0);
    assert_int_equal(got.local_path.len, CHANNEL_PATH_MAX - 1);
    sent.local_path.len = CHANNEL_PATH_MAX;
    assert_int_equal(channel_send(ends[0], &sent), -ENAMETOOLONG);
}

/* The form's first field is the kind, its fourth the family; the path is its end. */
static void test_what_has_not_the_form_is_refused(void **state)
{
    (void)state;
    enum { FORM = 4 + 4 + 4 + 2 + 2 + 16 + CHANNEL_PATH_MAX };
    unsigned char bytes[FORM + 1];
    static const struct {
        const char *name;
        size_t len, at;
        unsigned char value;
        bool path_without_end;
    } rows[] = {{"no kind", FORM, 0, 0, false},
                {"a kind too high", FORM, 0, MESSAGE_KINDS, false},
                {"another family", FORM, 12, 5, false},
                {"a path without end", FORM, 0, MESSAGE_LISTEN, true},
                {"too short", FORM - 1, 0, MESSAGE_LISTEN, false},
                {"too long", FORM + 1, 0, MESSAGE_LISTEN, false}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct message got;
        memset(bytes, 0, sizeof bytes);
        bytes[0] = MESSAGE_LISTEN;
        bytes[rows[i].at] = rows[i].value;
        if (rows[i].path_without_end) {
            memset(bytes + FORM - CHANNEL_PATH_MAX, 'p', CHANNEL_PATH_MAX);
        }
        assert_int_equal(send(ends[0], bytes, rows[i].len, 0), rows[i].len);
        if (channel_receive(ends[1], &got) != -EPROTO) {
            fail_msg("%s", rows[i].name);
        }
    }
}

static void test_the_end_of_the_other_side_is_told(void **state)
{
    (void)state;
    struct message got;
    shutdown(ends[0], SHUT_WR);
    assert_int_equal(channel_receive(ends[1], &got), -EPIPE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_message_arrives_as_it_was_sent, open_pair,
                                        close_pair),
        cmocka_unit_test_setup_teardown(test_a_descriptor_comes_with_its_message, open_pair,
                                        close_pair),
        cmocka_unit_test_setup_teardown(test_a_path_is_taken_up_to_its_longest_and_not_beyond,
                                        open_pair, close_pair),
        cmocka_unit_test_setup_teardown(test_what_has_not_the_form_is_refused, open_pair,
                                        close_pair),
        cmocka_unit_test_setup_teardown(test_the_end_of_the_other_side_is_told, open_pair,
                                        close_pair),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
