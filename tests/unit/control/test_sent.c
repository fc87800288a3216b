#include "control/sent.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct allowance_state *sent_by(struct allowances *all, struct str user, struct arena *arena,
                                       size_t *count)
{
    (void)all;
    struct allowance_state *states = arena_array(arena, 3, sizeof *states);
    assert_non_null(states);
    states[0] = (struct allowance_state){.user = STR("anna"), .used = {{1, 9}}};
    states[1] =
        (struct allowance_state){.user = STR("ben"), .used = {{3, 2}}, .reserved = {{1, 0}}};
    states[2] = (struct allowance_state){.user = STR("zoe"), .used = {{11, 0}}};
    *count = user.len == 0 ? 3 : 0;
    return states;
}

static struct config_user_limits zoes = {
    .user = STR_INIT("zoe"), .an_hour = {{100, 100}}, .size = 900000};
static const struct config config = {.limits = {.message = 70000},
                                     .user_limits = {.an_hour = {{10, 0}}, .size = 60000},
                                     .limited_users = &zoes,
                                     .limited_user_count = 1};
static struct allowances allowances = {.list = sent_by};

static void expect(struct sent *sent, const char *line)
{
    json_t *value = sent_next(sent);
    char *text = value ? json_dumps(value, JSON_COMPACT) : strdup("");
    assert_string_equal(text, line);
    free(text);
    json_decref(value);
}

static void who_is_nearest_to_a_limit_stands_first(void **state)
{
    (void)state;
    struct sent sent = {.allowances = &allowances, .config = &config};
    sent_open(&sent, STR(""), 2);
    expect(&sent, "{\"user\":{\"name\":\"ben\",\"messages\":{\"used\":4,\"limit\":10,\"left\":6},"
                  "\"recipients\":{\"used\":0,\"limit\":null,\"left\":null},\"size\":60000}}");
    expect(&sent,
           "{\"user\":{\"name\":\"zoe\",\"messages\":{\"used\":11,\"limit\":100,\"left\":89},"
           "\"recipients\":{\"used\":0,\"limit\":100,\"left\":100},\"size\":70000}}");
    expect(&sent, "");
    assert_true(sent.more);
    sent_done(&sent);
}

static void a_user_who_has_sent_nothing_has_all_left(void **state)
{
    (void)state;
    struct sent sent = {.allowances = &allowances, .config = &config};
    sent_open(&sent, STR("Ben"), 0);
    expect(&sent, "{\"user\":{\"name\":\"Ben\",\"messages\":{\"used\":0,\"limit\":10,\"left\":10},"
                  "\"recipients\":{\"used\":0,\"limit\":null,\"left\":null},\"size\":60000}}");
    expect(&sent, "");
    assert_false(sent.more);
    sent_done(&sent);
}

static void where_nobody_logs_in_nobody_is_told_of(void **state)
{
    (void)state;
    struct sent sent = {.config = &config};
    sent_open(&sent, STR(""), 0);
    expect(&sent, "");
    sent_done(&sent);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_is_nearest_to_a_limit_stands_first),
        cmocka_unit_test(a_user_who_has_sent_nothing_has_all_left),
        cmocka_unit_test(where_nobody_logs_in_nobody_is_told_of),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
