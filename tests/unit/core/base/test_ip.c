#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/ip.h"

static struct ip ip_of(const char *text)
{
    struct ip ip;
    assert_true(ip_parse(str_from_cstr(text), &ip));
    return ip;
}

static void addresses_are_printed_as_the_rfc_recommends(void **state)
{
    (void)state;
    /* RFC 5952 */
    static const char *const pairs[][2] = {
        {"192.0.2.1", "192.0.2.1"},
        {"0.0.0.0", "0.0.0.0"},
        {"2001:DB8:0:0:0:0:0:1", "2001:db8::1"},
        {"2001:db8::0:1:0:0:1", "2001:db8::1:0:0:1"},
        {"2001:0:0:1:0:0:0:1", "2001:0:0:1::1"},
        {"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},
        {"::", "::"},
        {"::1", "::1"},
        {"1::", "1::"},
        {"::ffff:192.0.2.1", "::ffff:192.0.2.1"},
        {"fe80::0202:b3ff:fe1e:8329", "fe80::202:b3ff:fe1e:8329"},
    };
    for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
        struct buf out = {0};
        char text[IP_TEXT_MAX];
        struct ip ip = ip_of(pairs[i][0]);
        ip_format(&out, ip);
        if (!str_eq(buf_str(&out), str_from_cstr(pairs[i][1]))) {
            fail_msg("%s became %.*s", pairs[i][0], STR_ARG(buf_str(&out)));
        }
        assert_true(str_eq(ip_text(ip, text), buf_str(&out)));
        buf_done(&out);
    }
}

static void what_is_no_address_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      "1",
                                      "1.2.3",
                                      "1.2.3.4.5",
                                      "256.1.1.1",
                                      "1.2.3.256",
                                      "01.2.3.4",
                                      "1.2.3.04",
                                      "1.2.3.4 ",
                                      " 1.2.3.4",
                                      "1..2.3",
                                      "1.2.3.-4",
                                      ":",
                                      ":::",
                                      "1:2:3:4:5:6:7",
                                      "1:2:3:4:5:6:7:8:9",
                                      "1::2::3",
                                      "12345::",
                                      "g::",
                                      "::1.2.3",
                                      "::1.2.3.4.5",
                                      "fe80::1%eth0",
                                      "[::1]",
                                      "1:2:3:4:5:6:7:1.2.3.4",
                                      "1:2:3:4:5:6:7::8:9"};
    struct ip ip;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        if (ip_parse(str_from_cstr(bad[i]), &ip)) {
            fail_msg("took \"%s\"", bad[i]);
        }
    }
    assert_false(ip_parse_v4(STR("::1"), &ip) || ip_parse_v6(STR("1.2.3.4"), &ip));
}

static void mapped_addresses_are_what_they_are(void **state)
{
    (void)state;
    assert_true(ip_eq(ip_unmap(ip_of("::ffff:192.0.2.1")), ip_of("192.0.2.1")));
    assert_true(ip_eq(ip_unmap(ip_of("::fffe:192.0.2.1")), ip_of("::fffe:192.0.2.1")));
    assert_false(ip_eq(ip_of("::"), ip_of("0.0.0.0")));
}

static void reverse_names(void **state)
{
    (void)state;
    struct buf out = {0};
    ip_reverse_name(&out, ip_of("192.0.2.10"));
    assert_true(str_eq(buf_str(&out), STR("10.2.0.192.in-addr.arpa")));
    buf_clear(&out);
    ip_reverse_name(&out, ip_of("2001:db8::567:89ab"));
    assert_true(
        str_eq(buf_str(&out),
               STR("b.a.9.8.7.6.5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa")));
    buf_done(&out);
}

static bool inside(const char *network, const char *address)
{
    struct network net;
    assert_true(network_parse(str_from_cstr(network), &net));
    return network_contains(net, ip_of(address));
}

static void networks_end_at_their_prefix(void **state)
{
    (void)state;
    assert_true(inside("192.0.2.0/24", "192.0.2.255") && !inside("192.0.2.0/24", "192.0.3.0"));
    assert_true(inside("192.0.2.128/25", "192.0.2.128"));
    assert_false(inside("192.0.2.128/25", "192.0.2.127"));
    assert_true(inside("192.0.2.1", "192.0.2.1") && !inside("192.0.2.1", "192.0.2.2"));
    assert_true(inside("0.0.0.0/0", "8.8.8.8") && !inside("0.0.0.0/0", "::1"));
    assert_true(inside("2001:db8::/33", "2001:db8:7fff::1"));
    assert_false(inside("2001:db8::/33", "2001:db8:8000::1"));
    assert_true(inside("::/0", "::1") && !inside("::/0", "1.2.3.4"));
    struct network net;
    assert_false(network_parse(STR("192.0.2.0/33"), &net) || network_parse(STR("::/129"), &net));
    assert_false(network_parse(STR("192.0.2.0/"), &net) || network_parse(STR("/8"), &net));
    assert_false(network_parse(STR("192.0.2.0/-1"), &net) || network_parse(STR("x/8"), &net));
}

static void endpoints(void **state)
{
    (void)state;
    static const char *const good[] = {"192.0.2.1:25", "[2001:db8::1]:65535", "0.0.0.0:0"};
    static const char *const bad[] = {"192.0.2.1",      "192.0.2.1:", "192.0.2.1:65536",
                                      "2001:db8::1:25", "[::1]",      "[::1]:x",
                                      "[192.0.2.1]:25", ":25",        "host:25"};
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        struct endpoint e;
        struct buf out = {0};
        assert_true(endpoint_parse(str_from_cstr(good[i]), &e));
        endpoint_format(&out, e);
        assert_true(str_eq(buf_str(&out), str_from_cstr(good[i])));
        buf_done(&out);
    }
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct endpoint e;
        if (endpoint_parse(str_from_cstr(bad[i]), &e)) {
            fail_msg("took \"%s\"", bad[i]);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_are_printed_as_the_rfc_recommends),
        cmocka_unit_test(what_is_no_address_is_refused),
        cmocka_unit_test(mapped_addresses_are_what_they_are),
        cmocka_unit_test(reverse_names),
        cmocka_unit_test(networks_end_at_their_prefix),
        cmocka_unit_test(endpoints),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
