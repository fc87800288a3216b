#include "core/dns/name.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void assert_round(const char *text, const char *expected)
{
    struct dns_name name;
    struct buf out = {0};
    assert_true(dns_name_parse(str_from_cstr(text), &name));
    dns_name_format(&out, &name);
    assert_true(str_eq(buf_str(&out), str_from_cstr(expected)));
    buf_done(&out);
}

static void a_name_is_read_and_printed_without_its_final_dot(void **state)
{
    (void)state;
    assert_round("mx.Example.org", "mx.Example.org");
    assert_round("mx.example.org.", "mx.example.org");
    assert_round(".", ".");
    assert_round("a", "a");
    assert_round("_dmarc.example.org", "_dmarc.example.org");
}

static void odd_octets_are_escaped(void **state)
{
    (void)state;
    assert_round("a\\.b.c", "a\\.b.c");
    assert_round("a\\032b", "a\\032b");
    assert_round("a b", "a\\032b");
    assert_round("\\255\\000", "\\255\\000");
    assert_round("\\\\", "\\\\");
    assert_round("\xc3\xbc", "\\195\\188");
}

static void what_is_no_name_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"",    "..",   ".a",    "a..b",  "a..",
                                      "a\\", "a\\2", "a\\25", "\\256", "a\\2x4"};
    struct dns_name name;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        assert_false(dns_name_parse(str_from_cstr(bad[i]), &name));
    }
}

static void a_label_has_63_octets_and_no_64(void **state)
{
    (void)state;
    char text[64];
    struct dns_name name;
    memset(text, 'a', sizeof text);
    assert_true(dns_name_parse(str_from(text, 63), &name));
    assert_int_equal(name.len, 65);
    assert_false(dns_name_parse(str_from(text, 64), &name));
}

static void a_name_has_255_octets_and_no_256(void **state)
{
    (void)state;
    char text[255];
    struct dns_name name;
    memset(text, 'a', sizeof text);
    text[63] = text[127] = text[191] = '.';
    /* 253 characters are 253 + 1 length + 1 root. */
    assert_true(dns_name_parse(str_from(text, 253), &name));
    assert_int_equal(name.len, 255);
    assert_false(dns_name_parse(str_from(text, 254), &name));
    text[253] = '.';
    assert_true(dns_name_parse(str_from(text, 254), &name));
    assert_int_equal(name.len, 255);
}

static void names_compare_without_regard_to_case(void **state)
{
    (void)state;
    struct dns_name a;
    struct dns_name b;
    assert_true(dns_name_parse(STR("MX.example.ORG"), &a));
    assert_true(dns_name_parse(STR("mx.EXAMPLE.org."), &b));
    assert_true(dns_name_eq(&a, &b));
    assert_true(dns_name_parse(STR("mxexample.org"), &b));
    assert_false(dns_name_eq(&a, &b));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_is_read_and_printed_without_its_final_dot),
        cmocka_unit_test(odd_octets_are_escaped),
        cmocka_unit_test(what_is_no_name_is_refused),
        cmocka_unit_test(a_label_has_63_octets_and_no_64),
        cmocka_unit_test(a_name_has_255_octets_and_no_256),
        cmocka_unit_test(names_compare_without_regard_to_case),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
