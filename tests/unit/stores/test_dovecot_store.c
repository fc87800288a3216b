/* Dovecot's authentication service as it is, and as it should not be. */
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include "stores/stores.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define HELLO "VERSION\t1\t2\nMECH\tPLAIN\tplaintext\nSPID\t7\nCUID\t1\nCOOKIE\tc\nDONE\n"

static const struct row {
    const char *name, *greeting, *answer;
    enum store_answer expected;
} rows[] = {
    {"right", HELLO, "OK\t1\tuser=anna\n", STORE_RIGHT},
    {"more words", HELLO, "OK\t1\tuser=anna\tnologin\textra=1\n", STORE_RIGHT},
    {"wrong or unknown", HELLO, "FAIL\t1\tuser=anna\n", STORE_WRONG},
    {"disabled", HELLO, "FAIL\t1\tuser=anna\tcode=user_disabled\n", STORE_WRONG},
    {"trouble of its own", HELLO, "FAIL\t1\tuser=anna\ttemp\n", STORE_DOWN},
    {"the same, newer", HELLO, "FAIL\t1\tcode=temp_fail\tuser=anna\n", STORE_DOWN},
    {"another's answer first", HELLO, "OK\t2\tuser=anna\nFAIL\t1\n", STORE_WRONG},
    {"no number", HELLO, "OK\n", STORE_DOWN},
    {"a question", HELLO, "CONT\t1\t\n", STORE_DOWN},
    {"half a line", HELLO, "OK\t1", STORE_DOWN},
    {"silence", HELLO, "", STORE_DOWN},
    {"no greeting", "", "OK\t1\n", STORE_DOWN},
    {"another version", "VERSION\t2\t0\nMECH\tPLAIN\nDONE\n", "OK\t1\n", STORE_DOWN},
    {"no PLAIN", "VERSION\t1\t2\nMECH\tDIGEST-MD5\nDONE\n", "OK\t1\n", STORE_DOWN},
    {"no end", "VERSION\t1\t2\nMECH\tPLAIN\n", "OK\t1\n", STORE_DOWN},
};

struct service {
    int listener;
    const struct row *row; /* null: it talks without end */
    char asked[4096];
};

static void say(int to, const char *text)
{
    (void)!send(to, text, strlen(text), MSG_NOSIGNAL);
}

static void talk_without_end(int to)
{
    static char much[65536];
    memset(much, 'x', sizeof much);
    while (send(to, much, sizeof much, MSG_NOSIGNAL) > 0) {}
}

static void *serve(void *argument)
{
    struct service *service = argument;
    int client = accept(service->listener, NULL, NULL);
    size_t len = 0;
    if (!service->row) {
        talk_without_end(client);
        close(client);
        return NULL;
    }
    say(client, service->row->greeting);
    while (len < sizeof service->asked - 1 && !strstr(service->asked, "resp=")) {
        if (service->row->expected == STORE_DOWN && !strstr(service->row->greeting, "DONE")) {
            break;
        }
        ssize_t got = recv(client, service->asked + len, sizeof service->asked - 1 - len, 0);
        if (got <= 0) {
            break;
        }
        len += (size_t)got;
    }
    say(client, service->row->answer);
    close(client);
    return NULL;
}

static char path[64];
static struct config_store place = {.kind = STORE_DOVECOT, .timeout = {5000000}};
static const struct config config = {.stores = &place, .store_count = 1};

static enum store_answer check(struct service *service, const char *name)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    pthread_t thread;
    size_t which;
    (void)snprintf(path, sizeof path, "/tmp/postrider-dovecot-%d", (int)getpid());
    (void)snprintf(at.sun_path, sizeof at.sun_path, "%s", path);
    (void)unlink(path);
    place.place = str_from_cstr(path);
    service->listener = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(service->listener, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(service->listener, 4), 0);
    assert_int_equal(pthread_create(&thread, NULL, serve, service), 0);
    struct stores *stores = stores_new(&config, NULL);
    assert_non_null(stores);
    enum store_answer answer = stores_check(stores, str_from_cstr(name), STR("p\tq"), &which);
    stores_free(stores);
    assert_int_equal(pthread_join(thread, NULL), 0);
    close(service->listener);
    (void)unlink(path);
    return answer;
}

static void only_an_ok_of_our_number_is_one(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct service service = {.row = &rows[i]};
        enum store_answer answer = check(&service, "anna");
        if (answer != rows[i].expected) {
            print_error("%s\n", rows[i].name);
        }
        assert_int_equal(answer, rows[i].expected);
    }
}

static void a_password_goes_as_base64_and_says_nothing_more(void **state)
{
    (void)state;
    struct service service = {.row = &rows[0]};
    assert_int_equal(check(&service, "anna"), STORE_RIGHT);
    assert_non_null(strstr(
        service.asked,
        "\nAUTH\t1\tPLAIN\tservice=smtp\tsecured\tno-penalty\tnologin\tresp=AGFubmEAcAlx\n"));
}

static void a_line_without_end_ends(void **state)
{
    (void)state;
    struct service service = {.row = NULL};
    assert_int_equal(check(&service, "anna"), STORE_DOWN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_an_ok_of_our_number_is_one),
        cmocka_unit_test(a_password_goes_as_base64_and_says_nothing_more),
        cmocka_unit_test(a_line_without_end_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
