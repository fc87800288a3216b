#include "core/mailauth/results.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void no_results_are_said_to_be_none(void **state)
{
    struct buf out = {0};
    struct results r;
    (void)state;
    results_begin(&r, &out, STR("mx.example.org"));
    results_end(&r);
    assert_true(str_eq(buf_str(&out), STR("mx.example.org; none")));
    buf_done(&out);
}

static void each_result_has_a_line_of_its_own(void **state)
{
    struct buf out = {0};
    struct results r;
    struct spf spf = {.result = SPF_PASS, .reason = STR("192.0.2.1 matches")};
    struct dkim_check check = {.result = DKIM_FAIL,
                               .reason = STR("the body was changed"),
                               .signature = {.domain = STR("example.org"),
                                             .selector = STR("s1"),
                                             .algorithm = ALGORITHM_RSA_SHA256}};
    (void)state;
    results_begin(&r, &out, STR("mx.example.org"));
    results_spf(&r, &spf, "smtp.mailfrom", STR("a@example.org"));
    results_dkim(&r, &check);
    results_end(&r);
    assert_true(str_eq(buf_str(&out),
                       STR("mx.example.org;\r\n"
                           "\tspf=pass (192.0.2.1 matches) smtp.mailfrom=a@example.org;\r\n"
                           "\tdkim=fail (the body was changed) header.d=example.org header.s=s1 "
                           "header.a=rsa-sha256")));
    buf_done(&out);
}

static void what_others_wrote_cannot_break_out_of_its_place(void **state)
{
    struct buf out = {0};
    struct results r;
    struct spf spf = {.result = SPF_FAIL, .reason = STR("a) dkim=pass (b\\\r\n\x01")};
    (void)state;
    results_begin(&r, &out, STR("mx"));
    results_spf(&r, &spf, "smtp.mailfrom", STR("\"x; dkim=pass\"@b.example\r\nTo: c"));
    results_spf(&r, &spf, "smtp.helo", (struct str){0});
    results_end(&r);
    assert_true(
        str_eq(buf_str(&out), STR("mx;\r\n\tspf=fail (a\\) dkim=pass \\(b\\\\) "
                                  "smtp.mailfrom=\"\\\"x; dkim=pass\\\"@b.exampleTo: c\";\r\n"
                                  "\tspf=fail (a\\) dkim=pass \\(b\\\\)")));
    buf_done(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_results_are_said_to_be_none),
        cmocka_unit_test(each_result_has_a_line_of_its_own),
        cmocka_unit_test(what_others_wrote_cannot_break_out_of_its_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
