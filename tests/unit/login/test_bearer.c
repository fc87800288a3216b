#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "login/bearer.h"

static const struct {
    struct str message;
    bool xoauth2, taken;
    struct str user, token;
} rows[] = {
    {STR_INIT("n,a=anna@a.example,\1host=h\1port=143\1auth=Bearer vF9==\1\1"), false, true,
     STR_INIT("anna@a.example"), STR_INIT("vF9==")},
    {STR_INIT("y,,\1auth=bearer t\1\1"), false, true, STR_INIT(""), STR_INIT("t")},
    {STR_INIT("n,a=a=2Cb=3Dc,\1auth=Bearer t\1\1"), false, true, STR_INIT("a,b=c"), STR_INIT("t")},
    {STR_INIT("n,a=a=2c,\1auth=Bearer t\1\1"), false, false, STR_INIT(""), STR_INIT("")},
    {STR_INIT("p=tls-exporter,,\1auth=Bearer t\1\1"), false, false, STR_INIT(""), STR_INIT("")},
    {STR_INIT("n,,\1auth=Bearer t\1"), false, false, STR_INIT(""), STR_INIT("")},
    {STR_INIT("n,,\1auth=Bearer t\1\1 "), false, false, STR_INIT(""), STR_INIT("")},
    {STR_INIT("n,,\1auth=Bearer t&x=y\1\1"), false, false, STR_INIT(""), STR_INIT("")},
    {STR_INIT("n,,\1auth=Bearer t=x\1\1"), false, false, STR_INIT(""), STR_INIT("")},
    {STR_INIT("n,,\1auth=Bearer \1\1"), false, false, STR_INIT(""), STR_INIT("")},
    {STR_INIT("n,,\1auth=Bearer a\1auth=Bearer a\1\1"), false, false, STR_INIT(""), STR_INIT("")},
    {STR_INIT("user=anna\1auth=Bearer t\1\1"), true, true, STR_INIT("anna"), STR_INIT("t")},
    {STR_INIT("user=\1auth=Bearer t\1\1"), true, false, STR_INIT(""), STR_INIT("")},
    {STR_INIT("user=an\nna\1auth=Bearer t\1\1"), true, false, STR_INIT(""), STR_INIT("")},
    {STR_INIT("user=anna\1auth=Bearer t\1\1"), false, false, STR_INIT(""), STR_INIT("")},
};

static void a_message_is_taken_only_if_all_of_it_is_of_the_form(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct buf user = {0};
        struct str token;
        bool taken = bearer_parse(rows[i].message, rows[i].xoauth2, &user, &token);
        assert_int_equal(taken, rows[i].taken);
        if (taken) {
            assert_true(str_eq(buf_str(&user), rows[i].user));
            assert_true(str_eq(token, rows[i].token));
        }
        buf_done(&user);
    }
}

static void a_token_is_at_most_so_long(void **state)
{
    (void)state;
    for (size_t over = 0; over <= 1; over++) {
        struct buf message = {0}, user = {0};
        struct str token;
        buf_add(&message, STR("n,,\1auth=Bearer "));
        for (size_t i = 0; i < BEARER_TOKEN_MAX + over; i++) {
            buf_add_char(&message, 'a');
        }
        buf_add(&message, STR("\1\1"));
        assert_int_equal(bearer_parse(buf_str(&message), false, &user, &token), over == 0);
        buf_done(&message);
        buf_done(&user);
    }
}

static void a_refusal_is_json_with_what_is_known(void **state)
{
    (void)state;
    struct buf out = {0};
    bearer_refuse(&out, false, STR("a \"b\""), STR("https://id.example/x"));
    assert_true(str_eq(buf_str(&out),
                       STR("{\"status\":\"invalid_token\",\"schemes\":\"bearer\",\"scope\":\"a "
                           "\\\"b\\\"\",\"openid-configuration\":\"https://id.example/x\"}")));
    buf_clear(&out);
    bearer_refuse(&out, true, STR(""), STR(""));
    assert_true(str_eq(buf_str(&out), STR("{\"status\":\"401\",\"schemes\":\"bearer\"}")));
    buf_done(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_is_taken_only_if_all_of_it_is_of_the_form),
        cmocka_unit_test(a_token_is_at_most_so_long),
        cmocka_unit_test(a_refusal_is_json_with_what_is_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
