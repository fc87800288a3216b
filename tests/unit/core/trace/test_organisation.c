/* Whose a name or an address is. */
#include "core/trace/organisation.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

static void names_that_the_internet_could_know(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        bool is_public;
    } rows[] = {
        {"mail.example.org", true},
        {"mail.example.org.", true},
        {"example.co.uk", true},
        {"mail", false},
        {"localhost", false},
        {"ex01.corp.local", false},
        {"srv.fritz.lan", false},
        {"192.0.2.1", false},
        {"", false},
        {".example.org", false},
        {"a@b.example", false},
        {"host.internal", false},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (name_is_public(str_from_cstr(rows[i].name)) != rows[i].is_public) {
            fail_msg("%s", rows[i].name);
        }
    }
}

static void domains_as_they_are_registered(void **state)
{
    (void)state;
    static const struct {
        const char *name, *domain;
    } rows[] = {
        {"mail.example.org", "example.org"},
        {"a.b.c.example.co.uk", "example.co.uk"},
        {"example.co.uk", "example.co.uk"},
        {"co.uk", "co.uk"},
        {"mail.example.com.br", "example.com.br"},
        {"mail.example.de", "example.de"},
        {"org", "org"},
        {"example.org.", "example.org"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct str domain = registered_domain(str_from_cstr(rows[i].name));
        if (!str_eq(domain, str_from_cstr(rows[i].domain))) {
            fail_msg("%s: %.*s", rows[i].name, STR_ARG(domain));
        }
    }
}

static void one_organisation_has_one_domain_or_one_brand_or_is_one_provider(void **state)
{
    (void)state;
    static const struct {
        const char *a, *b;
        bool same;
    } rows[] = {
        {"mx1.example.org", "imap.EXAMPLE.org", true},
        {"mx.example.co.uk", "mx.other.co.uk", false},
        {"mail.sourceforge.net", "a.sourceforge.com", true},
        {"a.mail.com", "b.mail.net", false}, /* too short to be a brand */
        {"a.prod.outlook.com", "b.office365.com", true},
        {"mail.google.com", "mx.outlook.com", false},
        {"a.example", "b.example", false},
        {"", "", false},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (same_organisation(str_from_cstr(rows[i].a), str_from_cstr(rows[i].b)) != rows[i].same) {
            fail_msg("%s %s", rows[i].a, rows[i].b);
        }
    }
}

static void addresses_and_what_they_are_for(void **state)
{
    (void)state;
    static const struct {
        const char *ip;
        enum address_kind kind;
    } rows[] = {
        {"127.0.0.1", ADDRESS_HERE},           {"::1", ADDRESS_HERE},
        {"10.255.0.1", ADDRESS_PRIVATE},       {"172.31.0.1", ADDRESS_PRIVATE},
        {"172.32.0.1", ADDRESS_PUBLIC},        {"100.64.0.1", ADDRESS_PRIVATE},
        {"fe80::1", ADDRESS_PRIVATE},          {"fd00::1", ADDRESS_PRIVATE},
        {"2002:a05:6402::1", ADDRESS_PRIVATE}, {"198.19.0.1", ADDRESS_RESERVED},
        {"192.0.2.1", ADDRESS_DOCUMENTATION},  {"2001:db8::1", ADDRESS_DOCUMENTATION},
        {"224.0.0.1", ADDRESS_IMPOSSIBLE},     {"255.255.255.255", ADDRESS_IMPOSSIBLE},
        {"0.0.0.0", ADDRESS_IMPOSSIBLE},       {"::", ADDRESS_IMPOSSIBLE},
        {"::ffff:10.0.0.1", ADDRESS_PRIVATE},  {"8.8.8.8", ADDRESS_PUBLIC},
        {"2a00::1", ADDRESS_PUBLIC},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct ip ip;
        assert_true(ip_parse(str_from_cstr(rows[i].ip), &ip));
        if (address_kind(ip) != rows[i].kind) {
            fail_msg("%s", rows[i].ip);
        }
    }
    struct ip a, b;
    assert_true(ip_parse(STR("8.8.8.8"), &a));
    assert_true(ip_parse(STR("8.8.8.200"), &b));
    assert_true(addresses_near(a, b));
    assert_true(ip_parse(STR("8.8.9.8"), &b));
    assert_false(addresses_near(a, b));
    assert_int_equal(address_kind((struct ip){0}), ADDRESS_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_that_the_internet_could_know),
        cmocka_unit_test(domains_as_they_are_registered),
        cmocka_unit_test(one_organisation_has_one_domain_or_one_brand_or_is_one_provider),
        cmocka_unit_test(addresses_and_what_they_are_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
