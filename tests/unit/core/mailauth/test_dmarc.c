#include "core/mailauth/dmarc.h"
#include "unit/core/mailauth/zones.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void records_are_read_and_others_told_apart(void **state)
{
    static const struct {
        const char *text;
        enum dmarc_record_finding finding;
        enum dmarc_policy policy, subdomain_policy;
        unsigned percent;
    } rows[] = {
        {"v=DMARC1; p=none", DMARC_RECORD_GOOD, DMARC_POLICY_NONE, DMARC_POLICY_NONE, 100},
        {"v=DMARC1;p=reject;", DMARC_RECORD_GOOD, DMARC_POLICY_REJECT, DMARC_POLICY_REJECT, 100},
        {"v=DMARC1; p=Reject; sp=quarantine; pct=5; fo=1; x_new=y", DMARC_RECORD_GOOD,
         DMARC_POLICY_REJECT, DMARC_POLICY_QUARANTINE, 5},
        {"v=DMARC1; p=none; pct=101", DMARC_RECORD_GOOD, DMARC_POLICY_NONE, DMARC_POLICY_NONE, 100},
        {"v=DMARC1; rua=mailto:a@b.example", DMARC_RECORD_GOOD, DMARC_POLICY_NONE,
         DMARC_POLICY_NONE, 100},
        {"v=DMARC1; p=junk; rua=mailto:a@b.example", DMARC_RECORD_GOOD, DMARC_POLICY_NONE,
         DMARC_POLICY_NONE, 100},
        {"v=DMARC1; p=reject; sp=junk", DMARC_RECORD_BROKEN, 0, 0, 0},
        {"v=DMARC1", DMARC_RECORD_BROKEN, 0, 0, 0},
        {"v=DMARC1; p=none; p=none", DMARC_RECORD_BROKEN, 0, 0, 0},
        {"v=dmarc1; p=none", DMARC_RECORD_OTHER, 0, 0, 0},
        {"v=DMARC10; p=none", DMARC_RECORD_OTHER, 0, 0, 0},
        {"p=none; v=DMARC1", DMARC_RECORD_OTHER, 0, 0, 0},
        {"v=spf1 -all", DMARC_RECORD_OTHER, 0, 0, 0},
        {"", DMARC_RECORD_OTHER, 0, 0, 0},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct dmarc_record record;
        enum dmarc_record_finding finding =
            dmarc_record_parse(str_from_cstr(rows[i].text), &record);
        assert_int_equal(finding, rows[i].finding);
        if (finding == DMARC_RECORD_GOOD) {
            assert_int_equal(record.policy, rows[i].policy);
            assert_int_equal(record.subdomain_policy, rows[i].subdomain_policy);
            assert_int_equal(record.percent, rows[i].percent);
        }
    }
}

static void from_must_name_one_domain(void **state)
{
    static const struct {
        const char *header;
        enum dmarc_from_finding finding;
        const char *domain;
    } rows[] = {
        {"From: a@Example.ORG\r\n", DMARC_FROM_GOOD, "example.org"},
        {"from: \"b@c.example\" (d@e.example) <a@example.org>\r\n", DMARC_FROM_GOOD, "example.org"},
        {"From: a@example.org,\r\n b@EXAMPLE.org\r\n", DMARC_FROM_GOOD, "example.org"},
        {"From: a@b\xc3\xbc.example\r\n", DMARC_FROM_GOOD, "xn--b-eha.example"},
        {"From: a@example.org, b@example.net\r\n", DMARC_FROM_SEVERAL, ""},
        {"From: a@example.org\r\nFrom: a@example.org\r\n", DMARC_FROM_SEVERAL, ""},
        {"From: a@example.org, \"unclosed <b@example.net>\r\n", DMARC_FROM_SEVERAL, ""},
        {"From: nobody\r\n", DMARC_FROM_NONE, ""},
        {"From:\r\n", DMARC_FROM_NONE, ""},
        {"To: a@example.org\r\n\r\nFrom: a@example.org\r\n", DMARC_FROM_NONE, ""},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena arena = {0};
        struct str domain = {0};
        assert_int_equal(dmarc_from(str_from_cstr(rows[i].header), &arena, &domain),
                         rows[i].finding);
        assert_true(str_eq(domain, str_from_cstr(rows[i].domain)));
        arena_done(&arena);
    }
}

static const char *const published[] = {
    "_dmarc.loose.example TXT v=DMARC1; p=reject; sp=quarantine",
    "_dmarc.strict.example TXT v=DMARC1; p=reject; adkim=s; aspf=s",
    "_dmarc.own.loose.example TXT v=DMARC1; p=none",
    "_dmarc.own.loose.example TXT something else",
    "_dmarc.two.example TXT v=DMARC1; p=reject",
    "_dmarc.two.example TXT v=DMARC1; p=none",
    "_dmarc.bad.example TXT v=DMARC1; q=reject",
};

/* `passed` and the organisations are the last two labels, or all. */
static struct str last_two(struct str name)
{
    size_t dot = str_rfind(name, '.');
    size_t before = dot == STR_NONE ? STR_NONE : str_rfind(str_head(name, dot), '.');
    return before == STR_NONE ? name : str_tail(name, before + 1);
}

static void run(struct dmarc *d, struct arena *arena, const struct zone *zone,
                const struct dmarc_request *request)
{
    size_t asked = 0;
    dmarc_start(d, arena, request);
    for (struct dns_question question; dmarc_question(d, &question); asked++) {
        struct zone_answer answer;
        struct dns_answer given = zones_answer(zone, &question, &answer);
        dmarc_answer(d, &given);
        buf_done(&answer.message);
    }
    assert_true(asked <= 3);
    assert_true(d->reason.len > 0);
}

static void what_passes_must_be_for_the_domain_in_from(void **state)
{
    static const struct {
        const char *from, *passed;
        bool by_spf, temporary;
        enum dmarc_result result;
        enum dmarc_policy policy;
    } rows[] = {
        {"loose.example", "loose.example", true, false, DMARC_PASS, 0},
        {"loose.example", "mail.loose.example", true, false, DMARC_PASS, 0},
        {"loose.example", "mail.loose.example", false, false, DMARC_PASS, 0},
        {"a.loose.example", "loose.example", false, false, DMARC_PASS, 0},
        {"loose.example", "strict.example", true, false, DMARC_FAIL, DMARC_POLICY_REJECT},
        {"loose.example", "strict.example", true, true, DMARC_TEMPERROR, DMARC_POLICY_REJECT},
        {"a.loose.example", "else.example", false, false, DMARC_FAIL, DMARC_POLICY_QUARANTINE},
        {"own.loose.example", "else.example", false, false, DMARC_FAIL, DMARC_POLICY_NONE},
        {"strict.example", "STRICT.example", true, false, DMARC_PASS, 0},
        {"strict.example", "a.strict.example", true, false, DMARC_FAIL, DMARC_POLICY_REJECT},
        {"strict.example", "a.strict.example", false, false, DMARC_FAIL, DMARC_POLICY_REJECT},
        {"two.example", "two.example", true, false, DMARC_NONE, 0},
        {"bad.example", "bad.example", true, false, DMARC_NONE, 0},
        {"none.example", "none.example", true, false, DMARC_NONE, 0},
        {"a.none.example", "none.example", true, false, DMARC_NONE, 0},
        {"broken.example", "broken.example", true, false, DMARC_TEMPERROR, 0},
    };
    struct zone zone = {.chase = true};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(published); i++) {
        zone_add(&zone, published[i]);
    }
    zone_break(&zone, "_dmarc.broken.example", 0, ZONE_SERVFAIL);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena arena = {0};
        struct str passed = str_from_cstr(rows[i].passed);
        struct str from = str_from_cstr(rows[i].from);
        struct dmarc_identifier one = {passed, last_two(passed), rows[i].by_spf};
        struct dmarc_request request = {from, last_two(from), &one, 1, rows[i].temporary};
        struct dmarc d;
        run(&d, &arena, &zone, &request);
        if (d.result != rows[i].result) {
            (void)printf("%s %s: %.*s\n", rows[i].from, rows[i].passed, STR_ARG(d.reason));
        }
        assert_int_equal(d.result, rows[i].result);
        assert_int_equal(d.policy, rows[i].policy);
        arena_done(&arena);
    }
    zone_done(&zone);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_are_read_and_others_told_apart),
        cmocka_unit_test(from_must_name_one_domain),
        cmocka_unit_test(what_passes_must_be_for_the_domain_in_from),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
