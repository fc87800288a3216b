// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include "supervise/kept_sockets.h"
#include "supervise/pause.h"
#include "world/address.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* A port of this address that was free a moment ago. */
static struct listening_place free_place(void)
{
    struct listening_place place = {0};
    assert_true(endpoint_parse(STR("127.77.3.9:0"), &place.at));
    int probe = listening_socket_open(place);
    assert_true(probe >= 0);
    place.at = address_local(probe);
    close(probe);
    return place;
}

static int try_connect(struct listening_place place)
{
    struct sockaddr_storage to;
    socklen_t len = address_put(&to, place.at);
    int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int result = connect(client, (struct sockaddr *)&to, len) == 0 ? 0 : -errno;
    close(client);
    return result;
}

static void test_the_same_place_is_the_same_socket(void **state)
{
    (void)state;
    struct kept_sockets kept = {0};
    struct listening_place place = free_place();
    int first = kept_sockets_get(&kept, 1, place);
    assert_true(first >= 0);
    assert_int_equal(kept_sockets_get(&kept, 1, place), first);
    int second = kept_sockets_get(&kept, 2, place);
    assert_true(second >= 0);
    assert_int_not_equal(second, first);
    assert_int_equal(try_connect(place), 0);
    kept_sockets_release(&kept, 1, place);
    assert_int_equal(try_connect(place), 0);
    kept_sockets_release(&kept, 2, place);
    assert_int_equal(try_connect(place), -ECONNREFUSED);
    kept_sockets_release(&kept, 2, place);
    kept_sockets_done(&kept);
}

static void test_what_the_next_worker_does_not_ask_for_is_closed(void **state)
{
    (void)state;
    struct kept_sockets kept = {0};
    struct listening_place place = free_place();
    int first = kept_sockets_get(&kept, 1, place);
    assert_true(first >= 0 && kept_sockets_get(&kept, 2, place) >= 0);
    kept_sockets_begin(&kept);
    assert_int_equal(kept_sockets_get(&kept, 1, place), first);
    kept_sockets_sweep(&kept);
    assert_int_equal(kept.count, 1);
    assert_int_equal(try_connect(place), 0);
    kept_sockets_begin(&kept);
    kept_sockets_sweep(&kept);
    assert_int_equal(try_connect(place), -ECONNREFUSED);
    kept_sockets_done(&kept);
}

static void test_a_place_of_others_is_not_shared(void **state)
{
    (void)state;
    struct kept_sockets kept = {0};
    struct listening_place place = free_place();
    int other = listening_socket_open(place); /* SO_REUSEPORT, of the same user */
    assert_int_equal(kept_sockets_get(&kept, 1, place), -EADDRINUSE);
    close(other);
    assert_true(kept_sockets_get(&kept, 1, place) >= 0);
    kept_sockets_done(&kept);
}

static void test_a_path_is_there_until_it_is_released(void **state)
{
    (void)state;
    char folder[] = "/tmp/postrider-kept-XXXXXX", path[64];
    assert_non_null(mkdtemp(folder));
    (void)snprintf(path, sizeof path, "%s/socket", folder);
    struct kept_sockets kept = {0};
    struct listening_place place = {.local_path = str_from_cstr(path)};
    assert_true(kept_sockets_get(&kept, 0, place) >= 0);
    assert_int_equal(access(path, F_OK), 0);
    kept_sockets_release(&kept, 0, place);
    assert_int_equal(access(path, F_OK), -1);
    assert_true(kept_sockets_get(&kept, 0, place) >= 0);
    kept_sockets_done(&kept);
    assert_int_equal(access(path, F_OK), -1);
    rmdir(folder);
}

static void test_a_pause_grows_only_after_several_failures_and_has_an_end(void **state)
{
    (void)state;
    static const struct {
        unsigned failures;
        int64_t ms;
    } rows[] = {{1, 0},   {3, 0},     {4, 100},    {5, 200},
                {6, 400}, {10, 6400}, {11, 10000}, {4000000000, 10000}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        assert_int_equal(restart_pause(rows[i].failures).us, rows[i].ms * 1000);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_same_place_is_the_same_socket),
        cmocka_unit_test(test_what_the_next_worker_does_not_ask_for_is_closed),
        cmocka_unit_test(test_a_place_of_others_is_not_shared),
        cmocka_unit_test(test_a_path_is_there_until_it_is_released),
        cmocka_unit_test(test_a_pause_grows_only_after_several_failures_and_has_an_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
