#include "config/users.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void users_are_sorted_in_lower_case_without_quotes(void **state)
{
    (void)state;
    struct arena arena = {0};
    struct config_domain domain = {0};
    struct config_problems problems = {0};
    static const struct {
        const char *local, *full;
    } want[] = {{"a:b c", "Q"}, {"ann", "Ann: of A"}, {"zoe", ""}};
    users_parse(STR("/u"), STR("# people\r\n\r\nZoe\r\nANN :  Ann: of A \n\"A:b C\": Q"), &arena,
                &domain, &problems);
    assert_int_equal(problems.count, 0);
    assert_int_equal(domain.user_count, ARRAY_LEN(want));
    for (size_t i = 0; i < ARRAY_LEN(want); i++) {
        assert_true(str_eq(domain.users[i].local, str_from_cstr(want[i].local)));
        assert_true(str_eq(domain.users[i].full_name, str_from_cstr(want[i].full)));
    }
    arena_done(&arena);
}

static void what_is_wrong_is_told_with_its_place(void **state)
{
    (void)state;
    static const struct {
        struct str text;
        const char *problem;
    } rows[] = {
        {STR_INIT("a\n*\n"), "/u:2:1: error: \"*\" stands in the configuration itself"},
        {STR_INIT("a b\n"), "/u:1:1: error: expected a user's local part"},
        {STR_INIT(": x\n"), "/u:1:1: error: expected a user's local part"},
        {STR_INIT("\"a\n"), "/u:1:1: error: expected a user's local part"},
        {STR_INIT("a@b.example\n"), "/u:1:1: error: a user is named by the local part alone"},
        {STR_INIT("a: b\001c\n"), "error: a control character in a full name"},
        {STR_INIT("a\0b\n"), "/u:1:1: error: expected a user's local part"},
        {STR_INIT("a\nb\nA\n"), "/u:3:1: error: the user \"a\" stands in line 1 already"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena arena = {0};
        struct config_domain domain = {0};
        struct config_problems problems = {0};
        users_parse(STR("/u"), rows[i].text, &arena, &domain, &problems);
        struct str first = config_problems_first(&problems);
        if (str_find_str(first, str_from_cstr(rows[i].problem)) == STR_NONE) {
            fail_msg("%s\n%.*s", rows[i].problem, STR_ARG(first));
        }
        config_problems_done(&problems);
        arena_done(&arena);
    }
}

static void problems_without_end_stop_the_reading(void **state)
{
    (void)state;
    struct arena arena = {0};
    struct config_domain domain = {0};
    struct config_problems problems = {0};
    struct buf text = {0};
    for (int i = 0; i < 1000; i++) {
        buf_add(&text, STR("a b\n"));
    }
    users_parse(STR("/u"), buf_str(&text), &arena, &domain, &problems);
    assert_int_equal(problems.errors, 100);
    assert_int_equal(domain.user_count, 0);
    buf_done(&text);
    config_problems_done(&problems);
    arena_done(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(users_are_sorted_in_lower_case_without_quotes),
        cmocka_unit_test(what_is_wrong_is_told_with_its_place),
        cmocka_unit_test(problems_without_end_stop_the_reading),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
