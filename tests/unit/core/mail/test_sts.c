/* test_sts.c: MTA-STS records and policies (RFC 8461), and the records of RFC 8460. */
#include "core/mail/sts.h"

#include "core/base/buf.h"
#include "core/mail/tlsrpt_record.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>
#include <jansson.h>

static bool is_record(struct str text)
{
    struct str id;
    return sts_record_parse(text, &id);
}

static bool is_report_record(struct str text)
{
    struct tlsrpt_record record;
    return tlsrpt_record_parse(text, &record);
}

static bool is_policy(struct str text)
{
    struct arena arena = {0};
    struct sts_policy policy;
    bool good = sts_policy_parse(text, &arena, &policy);
    arena_done(&arena);
    return good;
}

static void check_group(json_t *all, const char *group, bool (*good)(struct str))
{
    size_t i;
    json_t *one;
    assert_true(json_array_size(json_object_get(all, group)) > 10);
    json_array_foreach(json_object_get(all, group), i, one)
    {
        const char *text = json_string_value(json_object_get(one, "text"));
        struct str s = str_from(text, json_string_length(json_object_get(one, "text")));
        if (good(s) != json_is_true(json_object_get(one, "valid"))) {
            fail_msg("%s: %s", group, text);
        }
    }
}

static void others_records_and_policies_are_judged_as_they_say(void **state)
{
    (void)state;
    json_t *all = json_load_file(SOURCE_DIR "/../shared/testdata/record-grammar-mox.json", 0, NULL);
    if (!all) {
        print_message("record-grammar-mox.json is not there: skipped\n");
        skip();
    }
    check_group(all, "mtasts-record", is_record);
    check_group(all, "mtasts-policy", is_policy);
    check_group(all, "tlsrpt-record", is_report_record);
    json_decref(all);
}

static void a_policy_is_read_whole(void **state)
{
    (void)state;
    struct arena arena = {0};
    struct sts_policy policy;
    struct str id;
    assert_true(sts_policy_parse(STR("version: STSv1\r\nmode: enforce\r\nmx: MX1.example.com\r\n"
                                     "mx: *.example.net\r\nmax_age: 1296000\r\n"
                                     "mode: none\r\nmax_age: 1\r\n"),
                                 &arena, &policy));
    assert_int_equal(policy.mode, STS_ENFORCE);
    assert_int_equal(policy.max_age, 1296000);
    assert_true(str_eq(policy.mx, STR("mx1.example.com *.example.net")));
    assert_true(
        sts_policy_parse(STR("version:STSv1\nmode:none\nmax_age:9999999999"), &arena, &policy));
    assert_int_equal(policy.max_age, STS_AGE_MAX);
    assert_true(sts_record_parse(STR("v=STSv1; id=first; id=second"), &id));
    assert_true(str_eq(id, STR("first")));
    arena_done(&arena);
}

static void a_policy_of_64_kib_is_read_and_one_octet_more_is_not(void **state)
{
    (void)state;
    struct arena arena = {0};
    struct sts_policy policy;
    struct buf text = {0};
    buf_add(&text, STR("version:STSv1\nmode:none\nmax_age:1\nx:"));
    while (text.len < STS_POLICY_MAX) {
        buf_add_char(&text, 'a');
    }
    assert_true(sts_policy_parse(buf_str(&text), &arena, &policy));
    buf_add_char(&text, 'a');
    assert_false(sts_policy_parse(buf_str(&text), &arena, &policy));
    buf_done(&text);
    arena_done(&arena);
}

static void a_star_is_one_label(void **state)
{
    (void)state;
    static const struct {
        const char *patterns, *host;
        bool named;
    } rows[] = {
        {"mx.example", "MX.Example", true},
        {"mx.example", "mx.example.", true},
        {"mx.example", "a.mx.example", false},
        {"*.example", "mx.example", true},
        {"*.example", "a.mx.example", false},
        {"*.example", "example", false},
        {"*.example", ".example", false},
        {"a.example *.b.example", "x.b.example", true},
        {"", "mx.example", false},
        {"*.mx.example", "xmx.example", false},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (sts_names_host(str_from_cstr(rows[i].patterns), str_from_cstr(rows[i].host)) !=
            rows[i].named) {
            fail_msg("%s %s", rows[i].patterns, rows[i].host);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(others_records_and_policies_are_judged_as_they_say),
        cmocka_unit_test(a_policy_is_read_whole),
        cmocka_unit_test(a_policy_of_64_kib_is_read_and_one_octet_more_is_not),
        cmocka_unit_test(a_star_is_one_label),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
