#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "core/smtp/param.h"

static void parameters_are_taken_refused_or_unknown(void **state)
{
    (void)state;
    static const struct {
        bool rcpt;
        struct str text;
        enum param_result result;
    } rows[] = {
        {false, STR_INIT(""), PARAM_OK},
        {false, STR_INIT(" SIZE=1 BODY=8bitmime smtputf8 RET=hdrs ENVID=a+2Bb"), PARAM_OK},
        {false, STR_INIT("  SIZE=1  "), PARAM_OK},
        {false, STR_INIT(" SIZE=12345678901234567890"), PARAM_OK},
        {false, STR_INIT(" SIZE=99999999999999999999"), PARAM_OK},
        {false, STR_INIT(" SIZE=123456789012345678901"), PARAM_BAD},
        {false, STR_INIT(" SIZE=-1"), PARAM_BAD},
        {false, STR_INIT(" SIZE="), PARAM_BAD},
        {false, STR_INIT(" SIZE"), PARAM_BAD},
        {false, STR_INIT(" SIZE=1 size=1"), PARAM_BAD},
        {false, STR_INIT(" BODY=9BIT"), PARAM_BAD},
        {false, STR_INIT(" SMTPUTF8=yes"), PARAM_BAD},
        {false, STR_INIT(" RET=ALL"), PARAM_BAD},
        {false, STR_INIT(" ENVID=a+0D+0Ab"), PARAM_BAD},
        {false, STR_INIT(" ENVID=a+2b"), PARAM_BAD},
        {false, STR_INIT(" ENVID=a+2"), PARAM_BAD},
        {false, STR_INIT(" ENVID=a=b"), PARAM_BAD},
        {false, STR_INIT(" FOO"), PARAM_UNKNOWN},
        {false, STR_INIT(" FOO=1 SIZE=1"), PARAM_UNKNOWN},
        {false, STR_INIT(" FOO SIZE=x"), PARAM_BAD},
        {false, STR_INIT(" -X=1"), PARAM_BAD},
        {false, STR_INIT(" ="), PARAM_BAD},
        {false, STR_INIT(" NOTIFY=NEVER"), PARAM_UNKNOWN},
        {true, STR_INIT(" NOTIFY=success,DELAY,FAILURE ORCPT=rfc822;a+2Bb@c"), PARAM_OK},
        {true, STR_INIT(" NOTIFY=NEVER"), PARAM_OK},
        {true, STR_INIT(" NOTIFY=NEVER,DELAY"), PARAM_BAD},
        {true, STR_INIT(" NOTIFY="), PARAM_BAD},
        {true, STR_INIT(" NOTIFY=DELAY,"), PARAM_BAD},
        {true, STR_INIT(" ORCPT=a@b"), PARAM_BAD},
        {true, STR_INIT(" ORCPT=rfc822;"), PARAM_BAD},
        {true, STR_INIT(" ORCPT=rfc822;a+00b"), PARAM_BAD},
        {true, STR_INIT(" ORCPT=utf-8;a\\x{2B}b@\xc3\xa9.example"), PARAM_OK},
        {true, STR_INIT(" SIZE=1"), PARAM_UNKNOWN},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct mail_params mail;
        struct rcpt_params rcpt;
        enum param_result result = rows[i].rcpt ? param_parse_rcpt(rows[i].text, &rcpt)
                                                : param_parse_mail(rows[i].text, &mail);
        if (result != rows[i].result) {
            fail_msg("\"%.*s\" gave %d", STR_ARG(rows[i].text), (int)result);
        }
    }
}

static void a_priority_is_one_digit_with_or_without_a_sign(void **state)
{
    (void)state;
    static const struct {
        struct str text;
        int priority; /* 99: refused */
    } rows[] = {
        {STR_INIT(""), 0},
        {STR_INIT(" MT-PRIORITY=0"), 0},
        {STR_INIT(" mt-priority=9"), 9},
        {STR_INIT(" MT-PRIORITY=-9"), -9},
        {STR_INIT(" MT-PRIORITY=-0"), 99},
        {STR_INIT(" MT-PRIORITY=+1"), 99},
        {STR_INIT(" MT-PRIORITY=10"), 99},
        {STR_INIT(" MT-PRIORITY=-10"), 99},
        {STR_INIT(" MT-PRIORITY=-"), 99},
        {STR_INIT(" MT-PRIORITY="), 99},
        {STR_INIT(" MT-PRIORITY"), 99},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct mail_params mail;
        bool read = param_parse_mail(rows[i].text, &mail) == PARAM_OK;
        if ((read ? mail.priority : 99) != rows[i].priority) {
            fail_msg("\"%.*s\"", STR_ARG(rows[i].text));
        }
    }
}

static void a_message_is_held_by_one_parameter_that_makes_sense(void **state)
{
    (void)state;
    static const struct {
        struct str text;
        enum param_result result;
    } rows[] = {
        {STR_INIT(" HOLDFOR=1"), PARAM_OK},
        {STR_INIT(" HOLDFOR=999999999"), PARAM_OK},
        {STR_INIT(" HOLDFOR=1000000000"), PARAM_BAD},
        {STR_INIT(" HOLDFOR=0"), PARAM_BAD},
        {STR_INIT(" HOLDFOR=01"), PARAM_BAD},
        {STR_INIT(" HOLDFOR=-1"), PARAM_BAD},
        {STR_INIT(" HOLDFOR="), PARAM_BAD},
        {STR_INIT(" HOLDFOR"), PARAM_BAD},
        {STR_INIT(" HOLDUNTIL=2026-11-24T07:15:30Z"), PARAM_OK},
        {STR_INIT(" holduntil=2026-11-24t07:15:30.25+01:00"), PARAM_OK},
        {STR_INIT(" HOLDUNTIL=2026-11-24"), PARAM_BAD},
        {STR_INIT(" HOLDUNTIL=2026-11-24T07:15:30"), PARAM_BAD},
        {STR_INIT(" HOLDUNTIL=2026-11-24T07:15:30Z HOLDFOR=1"), PARAM_BAD},
        {STR_INIT(" HOLDFOR=1 HOLDUNTIL=2026-11-24T07:15:30Z"), PARAM_BAD},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct mail_params mail;
        enum param_result result = param_parse_mail(rows[i].text, &mail);
        if (result != rows[i].result) {
            fail_msg("\"%.*s\" gave %d", STR_ARG(rows[i].text), (int)result);
        }
    }
}

static void a_time_to_deliver_by_has_a_mode_in_which_it_makes_sense(void **state)
{
    (void)state;
    static const struct {
        struct str text;
        struct deliver_by by; /* NONE: refused */
    } rows[] = {
        {STR_INIT(" BY=600;R"), {600, BY_RETURN, false}},
        {STR_INIT(" by=+600;rt"), {600, BY_RETURN, true}},
        {STR_INIT(" BY=600;N"), {600, BY_NOTIFY, false}},
        {STR_INIT(" BY=-600;NT"), {-600, BY_NOTIFY, true}},
        {STR_INIT(" BY=0;N"), {0, BY_NOTIFY, false}},
        {STR_INIT(" BY=-000000001;N"), {-1, BY_NOTIFY, false}},
        {STR_INIT(" BY=1;R"), {1, BY_RETURN, false}},
        {STR_INIT(" BY=999999999;R"), {999999999, BY_RETURN, false}},
        {STR_INIT(" BY=-999999999;N"), {-999999999, BY_NOTIFY, false}},
        {STR_INIT(" BY=0;R"), {0}},
        {STR_INIT(" BY=-1;R"), {0}},
        {STR_INIT(" BY=1000000000;N"), {0}},
        {STR_INIT(" BY=0000000001;N"), {0}},
        {STR_INIT(" BY=+-1;N"), {0}},
        {STR_INIT(" BY=;N"), {0}},
        {STR_INIT(" BY=-;N"), {0}},
        {STR_INIT(" BY=1"), {0}},
        {STR_INIT(" BY=1;"), {0}},
        {STR_INIT(" BY=1;T"), {0}},
        {STR_INIT(" BY=1;RN"), {0}},
        {STR_INIT(" BY=1;RTT"), {0}},
        {STR_INIT(" BY=1R"), {0}},
        {STR_INIT(" BY=1.5;R"), {0}},
        {STR_INIT(" BY="), {0}},
        {STR_INIT(" BY"), {0}},
        {STR_INIT(" BY=1;R BY=1;R"), {0}},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct mail_params mail = {0};
        bool read = param_parse_mail(rows[i].text, &mail) == PARAM_OK;
        if (read != (rows[i].by.mode != BY_NONE) || mail.by.mode != rows[i].by.mode ||
            mail.by.seconds != rows[i].by.seconds || mail.by.trace != rows[i].by.trace) {
            fail_msg("\"%.*s\"", STR_ARG(rows[i].text));
        }
    }
}

static void an_envelope_gets_texts_decoded(void **state)
{
    (void)state;
    struct arena arena = {0};
    struct mail_params mail;
    struct rcpt_params rcpt;
    assert_int_equal(param_parse_mail(STR(" ENVID=a+2Bb+20c"), &mail), PARAM_OK);
    assert_true(str_eq(param_envid(&mail, &arena), STR("a+b c")));
    assert_int_equal(param_parse_rcpt(STR(" ORCPT=rfc822;a+2Bb@c"), &rcpt), PARAM_OK);
    assert_true(str_eq(param_orcpt(&rcpt, &arena), STR("rfc822;a+b@c")));
    assert_int_equal(param_parse_rcpt(STR(" ORCPT=utf-8;a\\x{2B}b"), &rcpt), PARAM_OK);
    assert_true(str_eq(param_orcpt(&rcpt, &arena), STR("utf-8;a\\x{2B}b")));
    assert_int_equal(param_parse_rcpt(STR(""), &rcpt), PARAM_OK);
    assert_int_equal(param_orcpt(&rcpt, &arena).len, 0);
    arena_done(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parameters_are_taken_refused_or_unknown),
        cmocka_unit_test(a_priority_is_one_digit_with_or_without_a_sign),
        cmocka_unit_test(a_message_is_held_by_one_parameter_that_makes_sense),
        cmocka_unit_test(a_time_to_deliver_by_has_a_mode_in_which_it_makes_sense),
        cmocka_unit_test(an_envelope_gets_texts_decoded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
