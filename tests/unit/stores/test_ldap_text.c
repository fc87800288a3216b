#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "stores/ldap_text.h"

static const struct {
    struct str name, filter, dn;
} rows[] = {
    {STR_INIT("anna"), STR_INIT("(&(uid=anna)(l=anna)(d=))"), STR_INIT("uid=anna,o=")},
    {STR_INIT("anna@a.example"), STR_INIT("(&(uid=anna@a.example)(l=anna)(d=a.example))"),
     STR_INIT("uid=anna@a.example,o=a.example")},
    {STR_INIT("*)(uid=*"), STR_INIT("(&(uid=\\2a\\29\\28uid=\\2a)(l=\\2a\\29\\28uid=\\2a)(d=))"),
     STR_INIT("uid=*)(uid\\3d*,o=")},
    {STR_INIT("a,b+c"), STR_INIT("(&(uid=a,b+c)(l=a,b+c)(d=))"), STR_INIT("uid=a\\2cb\\2bc,o=")},
    {STR_INIT("{domain}"), STR_INIT("(&(uid={domain})(l={domain})(d=))"),
     STR_INIT("uid={domain},o=")},
    {STR_INIT(" #\\"), STR_INIT("(&(uid= #\\5c)(l= #\\5c)(d=))"), STR_INIT("uid=\\20\\23\\5c,o=")},
};

static void a_name_is_a_value_and_nothing_else(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct buf out = {0};
        ldap_filter(&out, STR("(&(uid={user})(l={local})(d={domain}))"), rows[i].name);
        assert_true(str_eq(buf_str(&out), rows[i].filter));
        buf_clear(&out);
        ldap_dn(&out, STR("uid={user},o={domain}"), rows[i].name);
        assert_true(str_eq(buf_str(&out), rows[i].dn));
        buf_done(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_is_a_value_and_nothing_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
