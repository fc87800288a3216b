// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include "login/guard.h"

#include <stdio.h>

static struct guard *guard;
static const struct str anna = STR_INIT("anna"), nobody = STR_INIT("");
static const int64_t half_life_us = INT64_C(600000000);

static int begin(void **state)
{
    (void)state;
    guard = guard_new((struct hash_seed){1, 2});
    return guard ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    guard_free(guard);
    return 0;
}

static struct ip at(const char *text)
{
    struct ip ip;
    assert_true(ip_parse(str_from_cstr(text), &ip));
    return ip;
}

static void fail_often(const char *from, struct str user, unsigned times)
{
    for (unsigned i = 0; i < times; i++) {
        (void)guard_failed(guard, at(from), user, 0);
    }
}

static void a_network_that_fails_often_is_refused_until_that_fades(void **state)
{
    (void)state;
    fail_often("192.0.2.1", nobody, GUARD_NETWORK_FAILURES - 1);
    assert_true(guard_allows(guard, at("192.0.2.1"), anna, 0));
    fail_often("192.0.2.1", nobody, 1);
    assert_false(guard_allows(guard, at("192.0.2.1"), anna, 0));
    assert_false(guard_allows(guard, at("::ffff:192.0.2.1"), anna, 0));
    assert_true(guard_allows(guard, at("192.0.2.2"), anna, 0));
    assert_true(guard_allows(guard, at("192.0.2.1"), anna, half_life_us));
}

static void an_ipv6_network_is_64_bits(void **state)
{
    (void)state;
    fail_often("2001:db8:1:1::1", nobody, GUARD_NETWORK_FAILURES);
    assert_false(guard_allows(guard, at("2001:db8:1:1:ffff::9"), anna, 0));
    assert_true(guard_allows(guard, at("2001:db8:1:2::1"), anna, 0));
}

static void who_has_an_ipv6_site_does_not_guess_from_each_of_its_networks(void **state)
{
    (void)state;
    char text[64];
    for (unsigned i = 0; i < GUARD_SITE_FAILURES; i++) {
        assert_true(guard_allows(guard, at("2001:db8:1:ffff::1"), anna, 0));
        (void)snprintf(text, sizeof text, "2001:db8:1:%x::1", i);
        (void)guard_failed(guard, at(text), nobody, 0);
    }
    assert_false(guard_allows(guard, at("2001:db8:1:ffff::1"), anna, 0));
    assert_true(guard_allows(guard, at("2001:db8:2:ffff::1"), anna, 0));
    assert_true(guard_allows(guard, at("32.1.13.184"), anna, 0)); /* the same octets */
}

static void an_owner_comes_in_while_others_guess(void **state)
{
    (void)state;
    char text[64];
    for (unsigned i = 0; i < GUARD_ACCOUNT_FAILURES * 2; i++) {
        (void)snprintf(text, sizeof text, "198.51.100.%u", i);
        fail_often(text, anna, GUARD_PAIR_FAILURES);
    }
    assert_false(guard_allows(guard, at("198.51.100.1"), anna, 0));
    assert_true(guard_allows(guard, at("192.0.2.1"), anna, 0));
}

static void own_slips_are_forgotten_and_failures_at_other_accounts_are_not(void **state)
{
    (void)state;
    fail_often("2001:db8::1", anna, GUARD_PAIR_FAILURES - 1);
    fail_often("2001:db8::1", STR("ben"), GUARD_NETWORK_FAILURES - GUARD_PAIR_FAILURES);
    guard_succeeded(guard, at("2001:db8::1"), anna, 0);
    fail_often("2001:db8::1", STR("ben"), GUARD_PAIR_FAILURES - 1);
    assert_true(guard_allows(guard, at("2001:db8::1"), anna, 0));
    fail_often("2001:db8::1", STR("ben"), 1);
    assert_false(guard_allows(guard, at("2001:db8::1"), anna, 0));
}

#define T(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_network_that_fails_often_is_refused_until_that_fades),
        T(an_ipv6_network_is_64_bits),
        T(who_has_an_ipv6_site_does_not_guess_from_each_of_its_networks),
        T(an_owner_comes_in_while_others_guess),
        T(own_slips_are_forgotten_and_failures_at_other_accounts_are_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
