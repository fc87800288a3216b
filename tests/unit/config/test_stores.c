#include "config/load.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static struct config *load(const char *text)
{
    struct config_source source = {.file = STR("/etc/f.yaml"),
                                   .text = str_from_cstr(text),
                                   .hostname = STR("host.example"),
                                   .text_only = true};
    struct config_problems problems = {0};
    struct config *config = NULL;
    assert_int_equal(config_load(&source, &config, &problems), 0);
    config_problems_done(&problems);
    return config;
}

static void the_file_is_asked_first_wherever_it_stands(void **state)
{
    (void)state;
    struct config *config = load("users:\n"
                                 "  stores: [{pam: p}, {sqlite: u.db, query: q}]\n"
                                 "  file: users\n");
    static const char *const names[] = {"file:/etc/users", "pam:p", "sqlite:/etc/u.db"};
    assert_int_equal(config->store_count, ARRAY_LEN(names));
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        assert_true(str_eq(config->stores[i].name, str_from_cstr(names[i])));
        assert_true(config->stores[i].timeout.us == 5000000);
    }
    assert_true(str_eq(config->users_file, STR("/etc/users")));
    config_drop(config);
}

static void a_password_in_a_connection_is_in_no_name(void **state)
{
    (void)state;
    struct config *config =
        load("users: {stores: [{postgresql: \"host=h password=secret\", query: q}]}");
    assert_true(str_eq(config->stores[0].name, STR("postgresql")));
    config_drop(config);
}

static void mechanisms_are_those_that_the_stores_can_judge(void **state)
{
    (void)state;
    const sasl_set tokens = SASL_ONE(SASL_OAUTHBEARER) | SASL_ONE(SASL_XOAUTH2);
    const sasl_set plain = SASL_ONE(SASL_PLAIN) | SASL_ONE(SASL_LOGIN);
    const struct {
        const char *text;
        sasl_set expected;
    } rows[] = {
        {"hostname: x", 0},
        {"users: {file: u}", SASL_ALL & ~tokens},
        {"users: {file: u, stores: [{pam: p}]}", plain},
        {"users: {stores: [{introspection: \"https://x\"}]}", tokens},
        {"users: {file: u, stores: [{introspection: \"https://x\"}]}", SASL_ALL},
        {"users: {stores: [{dovecot: d}, {introspection: \"https://x\"}]}", plain | tokens},
        {"users: {file: u, mechanisms: scram-sha-256}", SASL_ONE(SASL_SCRAM_SHA_256)},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct config *config = load(rows[i].text);
        assert_int_equal(config->mechanisms, rows[i].expected);
        config_drop(config);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_file_is_asked_first_wherever_it_stands),
        cmocka_unit_test(a_password_in_a_connection_is_in_no_name),
        cmocka_unit_test(mechanisms_are_those_that_the_stores_can_judge),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
