/* The login process, asked over its sockets, also by who breaks the rules. */
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include "login/login_process.h"
#include "login/question.h"
#include "stores/user_file.h"
#include "supervise/channel.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static char path[64];
static struct config_store place = {.kind = STORE_FILE, .timeout = {1000000}};
static const struct config config = {.stores = &place, .store_count = 1};
static struct exchange_maker *maker;
static pthread_t thread;
static int door, line;

static void *run(void *argument)
{
    assert_int_equal(login_process_run(maker, *(int *)argument), 0);
    return NULL;
}

static int connect_line(void)
{
    int ends[2];
    assert_int_equal(channel_pair(ends), 0);
    struct message message = {.kind = MESSAGE_SOCKET, .descriptor = ends[1]};
    assert_int_equal(channel_send(door, &message), 0);
    close(ends[1]);
    return ends[0];
}

static int begin(void **state)
{
    static const struct login_secret secret = {{{1, 2}, {3, 4}}};
    static int ends[2];
    struct buf fields = {0};
    (void)state;
    (void)snprintf(path, sizeof path, "/tmp/postrider-login-%d", (int)getpid());
    (void)unlink(path);
    assert_int_equal(verifier_make(&fields, STR("p")), 0);
    assert_int_equal(user_file_change(path, USER_ADD, STR("anna"), buf_str(&fields)), 0);
    buf_done(&fields);
    place.place = str_from_cstr(path);
    maker = exchange_maker_new(stores_new(&config, NULL), SASL_ALL, &secret);
    assert_non_null(maker);
    assert_int_equal(channel_pair(ends), 0);
    door = ends[0];
    assert_int_equal(pthread_create(&thread, NULL, run, &ends[1]), 0);
    line = connect_line();
    return 0;
}

static int end(void **state)
{
    (void)state;
    close(line);
    close(door);
    assert_int_equal(pthread_join(thread, NULL), 0);
    return unlink(path);
}

static uint64_t network = 1; /* of the clients */

static void ask(int at, enum login_asked asked, uint32_t id, enum sasl_kind kind,
                struct str response)
{
    struct login_question question = {.asked = asked,
                                      .id = id,
                                      .kind = kind,
                                      .network = network,
                                      .encrypted = true,
                                      .response = response};
    struct buf bytes = {0};
    login_question_format(&bytes, &question);
    assert_int_equal(send(at, bytes.ptr, bytes.len, MSG_NOSIGNAL), (ssize_t)bytes.len);
    buf_done(&bytes);
}

static void expect(int at, uint32_t id, enum login_result result)
{
    static char bytes[LOGIN_DATAGRAM_MAX];
    struct login_answer answer;
    ssize_t got = recv(at, bytes, sizeof bytes, 0);
    assert_true(got > 0 && login_answer_parse(str_from(bytes, (size_t)got), &answer));
    assert_int_equal(answer.id, id);
    assert_int_equal(answer.result, result);
    assert_true(result != LOGIN_YES || str_eq(answer.user, STR("anna")));
}

static const struct str right = STR_INIT("AGFubmEAcA=="), wrong = STR_INIT("AGFubmEAcQ==");

static void a_question_is_answered_by_its_number(void **state)
{
    (void)state;
    ask(line, LOGIN_BEGIN, 7, SASL_PLAIN, right);
    expect(line, 7, LOGIN_YES);
    ask(line, LOGIN_END, 7, SASL_PLAIN, STR(""));
    ask(line, LOGIN_BEGIN, 8, SASL_PLAIN, wrong);
    expect(line, 8, LOGIN_NO);
    ask(line, LOGIN_END, 8, SASL_PLAIN, STR(""));
}

static void an_exchange_goes_on_where_it_was(void **state)
{
    (void)state;
    ask(line, LOGIN_BEGIN, 1, SASL_LOGIN, STR(""));
    expect(line, 1, LOGIN_MORE);
    ask(line, LOGIN_BEGIN, 2, SASL_LOGIN, STR(""));
    expect(line, 2, LOGIN_MORE);
    ask(line, LOGIN_STEP, 1, SASL_LOGIN, STR("YW5uYQ=="));
    expect(line, 1, LOGIN_MORE);
    ask(line, LOGIN_STEP, 1, SASL_LOGIN, STR("cA=="));
    expect(line, 1, LOGIN_YES);
    ask(line, LOGIN_END, 1, SASL_LOGIN, STR(""));
    ask(line, LOGIN_END, 2, SASL_LOGIN, STR(""));
}

static void nobody_reaches_into_the_exchange_of_another_line(void **state)
{
    (void)state;
    int other = connect_line();
    ask(line, LOGIN_BEGIN, 5, SASL_LOGIN, STR("YW5uYQ=="));
    expect(line, 5, LOGIN_MORE);
    ask(other, LOGIN_STEP, 5, SASL_LOGIN, STR("cA==")); /* there is none of that number */
    expect(other, 5, LOGIN_LATER);
    ask(other, LOGIN_BEGIN, 5, SASL_PLAIN, wrong);
    expect(other, 5, LOGIN_NO);
    close(other);
    ask(line, LOGIN_STEP, 5, SASL_LOGIN, STR("cA=="));
    expect(line, 5, LOGIN_YES);
    ask(line, LOGIN_END, 5, SASL_LOGIN, STR(""));
}

static void what_is_no_question_is_passed_over(void **state)
{
    (void)state;
    static char much[LOGIN_DATAGRAM_MAX + 1];
    assert_true(send(line, "x", 1, 0) == 1);
    assert_true(send(line, much, sizeof much, 0) == (ssize_t)sizeof much);
    ask(line, LOGIN_END, 99, SASL_PLAIN, STR(""));
    ask(line, LOGIN_BEGIN, 3, SASL_LOGIN, STR(""));
    expect(line, 3, LOGIN_MORE);
    ask(line, LOGIN_BEGIN, 3, SASL_PLAIN, right); /* it has begun already */
    ask(line, LOGIN_STEP, 3, SASL_LOGIN, STR("!"));
    expect(line, 3, LOGIN_MALFORMED);
    ask(line, LOGIN_END, 3, SASL_LOGIN, STR(""));
}

static void begin_many(uint32_t first, uint32_t count)
{
    for (uint32_t id = first; id < first + count; id++) {
        ask(line, LOGIN_BEGIN, id, SASL_LOGIN, STR(""));
        expect(line, id, LOGIN_MORE);
    }
}

/* One from a network, all others from another, then one each of two more and of the second. */
static void where_there_is_no_room_the_network_that_has_most_gives_it(void **state)
{
    (void)state;
    enum { MAX = LOGIN_EXCHANGES_MAX, FIRST = 1, OTHER = MAX + 1, THIRD, MORE };
    network = 4;
    begin_many(FIRST, 1);
    network = 1;
    begin_many(2, MAX - 1);
    network = 2;
    begin_many(OTHER, 1);
    ask(line, LOGIN_STEP, 2, SASL_LOGIN, STR("YW5uYQ=="));
    expect(line, 2, LOGIN_LATER); /* the oldest of those who have most, and not of all */
    network = 3;
    begin_many(THIRD, 1);
    network = 1;
    begin_many(MORE, 1);
    static const uint32_t lost[] = {3, 4}, kept[] = {FIRST, 5, OTHER, THIRD, MORE};
    for (size_t i = 0; i < ARRAY_LEN(lost); i++) {
        ask(line, LOGIN_STEP, lost[i], SASL_LOGIN, STR("YW5uYQ=="));
        expect(line, lost[i], LOGIN_LATER);
    }
    for (size_t i = 0; i < ARRAY_LEN(kept); i++) {
        ask(line, LOGIN_STEP, kept[i], SASL_LOGIN, STR("YW5uYQ=="));
        expect(line, kept[i], LOGIN_MORE);
    }
    for (uint32_t id = 1; id <= MORE; id++) {
        ask(line, LOGIN_END, id, SASL_LOGIN, STR(""));
    }
}

static void a_sign_of_life_is_given_at_once(void **state)
{
    (void)state;
    ask(line, LOGIN_PING, LOGIN_NOBODY, SASL_LOGIN, STR(""));
    expect(line, LOGIN_NOBODY, LOGIN_MORE);
}

static void who_leaves_while_a_hash_is_made_harms_nobody(void **state)
{
    (void)state;
    for (int i = 0; i < 8; i++) {
        int other = connect_line();
        ask(other, LOGIN_BEGIN, 1, SASL_PLAIN, wrong);
        ask(other, LOGIN_END, 1, SASL_PLAIN, STR(""));
        ask(other, LOGIN_BEGIN, 2, SASL_PLAIN, wrong);
        close(other);
    }
    ask(line, LOGIN_BEGIN, 1, SASL_PLAIN, right);
    expect(line, 1, LOGIN_YES);
    ask(line, LOGIN_END, 1, SASL_PLAIN, STR(""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_question_is_answered_by_its_number),
        cmocka_unit_test(an_exchange_goes_on_where_it_was),
        cmocka_unit_test(nobody_reaches_into_the_exchange_of_another_line),
        cmocka_unit_test(what_is_no_question_is_passed_over),
        cmocka_unit_test(where_there_is_no_room_the_network_that_has_most_gives_it),
        cmocka_unit_test(a_sign_of_life_is_given_at_once),
        cmocka_unit_test(who_leaves_while_a_hash_is_made_harms_nobody),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
