/* test_tally.c: sessions counted, kept, taken out, and written as the report that others read. */
#include "tlsrpt/read.h"
#include "tlsrpt/tally.h"
#include "tlsrpt/write.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <time.h>

#include <cmocka.h>

static const struct instant far_away = {INT64_MAX / 4};

static void count(struct tally *tally, const char *domain, enum tls_failure failure)
{
    struct tls_session session = {.domain = str_from_cstr(domain),
                                  .promise = PROMISE_STS,
                                  .promised_by = str_from_cstr(domain),
                                  .mx = STR("mx.example *.mx.example"),
                                  .policy = STR("version: STSv1\nmode: enforce\n"),
                                  .host = STR("mx.example"),
                                  .ip = {IP_V4, {192, 0, 2, 1}},
                                  .source = {IP_V4, {192, 0, 2, 9}},
                                  .failure = failure};
    tally_port(tally)->count(tally_port(tally), &session);
}

static json_int_t number(const json_t *object, const char *key)
{
    return json_integer_value(json_object_get(object, key));
}

static void what_is_counted_outlives_a_restart_and_becomes_a_report(void **state)
{
    (void)state;
    struct buf saved = {0}, report = {0};
    struct tally *tally = tally_new(SPAN_D(1));
    count(tally, "a.example", TLS_FAILED_NOT);
    count(tally, "a.example", TLS_FAILED_EXPIRED);
    count(tally, "a.example", TLS_FAILED_EXPIRED);
    assert_true(tally_save(tally, &saved));
    assert_false(tally_save(tally, &(struct buf){0}));
    tally_free(tally);

    tally = tally_new(SPAN_D(1));
    tally_load(tally, buf_str(&saved));
    count(tally, "a.example", TLS_FAILED_STARTTLS);
    assert_null(tally_take(tally, (struct instant){(int64_t)time(NULL) * 1000000}));
    json_t *taken = tally_take(tally, far_away);
    assert_non_null(taken);
    assert_null(tally_take(tally, far_away));
    struct tlsrpt_frame frame = {.hostname = STR("mx.here.example"),
                                 .from = STR("postmaster@mx.here.example"),
                                 .begin = {0},
                                 .end = {86399LL * 1000000},
                                 .id = STR("x1")};
    assert_true(tlsrpt_write(taken, &frame, &report));
    const char *reason = NULL;
    json_t *read = tlsrpt_read(buf_str(&report), &reason);
    json_t *policy = json_array_get(json_object_get(read, "policies"), 0);
    json_t *detail = json_array_get(json_object_get(policy, "details"), 0);
    assert_string_equal(json_string_value(json_object_get(read, "to")), "1970-01-01T23:59:59Z");
    assert_int_equal(number(policy, "successes"), 1);
    assert_int_equal(number(policy, "failures"), 3);
    assert_int_equal(json_array_size(json_object_get(policy, "mx")), 2);
    const json_t *lines = json_object_get(policy, "policy");
    assert_int_equal(json_array_size(lines), 2);
    assert_string_equal(json_string_value(json_array_get(lines, 1)), "mode: enforce");
    assert_int_equal(json_array_size(json_object_get(policy, "details")), 2);
    assert_string_equal(json_string_value(json_object_get(detail, "result")),
                        "certificate-expired");
    assert_int_equal(number(detail, "count"), 2);
    assert_string_equal(json_string_value(json_object_get(detail, "sending_ip")), "192.0.2.9");
    json_decref(read);
    tally_return(tally, taken);
    json_decref(tally_take(tally, far_away));
    tally_free(tally);
    buf_done(&saved);
    buf_done(&report);
}

static const json_t *first_policy(json_t *taken)
{
    return json_array_get(json_object_get(taken, "policies"), 0);
}

static void sessions_without_a_policy_are_a_number_until_there_is_more_to_tell(void **state)
{
    (void)state;
    struct buf saved = {0};
    struct tls_session plain = {.domain = STR("p.example"), .promised_by = STR("p.example")};
    struct tally *tally = tally_new(SPAN_D(1));
    tally_port(tally)->count(tally_port(tally), &plain);
    tally_port(tally)->count(tally_port(tally), &plain);
    assert_true(tally_save(tally, &saved));
    assert_true(str_ends(buf_str(&saved), STR("{\"p.example\":2}}")));
    json_t *taken = tally_take(tally, far_away);
    assert_int_equal(number(first_policy(taken), "successes"), 2);
    json_decref(taken);
    tally_free(tally);

    tally = tally_new(SPAN_D(1));
    tally_load(tally, buf_str(&saved));
    plain.failure = TLS_FAILED_STARTTLS;
    tally_port(tally)->count(tally_port(tally), &plain);
    taken = tally_take(tally, far_away);
    assert_int_equal(json_array_size(json_object_get(taken, "policies")), 1);
    assert_int_equal(number(first_policy(taken), "successes"), 2);
    assert_int_equal(number(first_policy(taken), "failures"), 1);
    json_decref(taken);
    plain.promise = PROMISE_STS; /* a second policy: no longer kept as a text */
    for (int i = 0; i < 2; i++) {
        tally_port(tally)->count(tally_port(tally), &plain);
        plain.promise = PROMISE_NONE;
    }
    tally_port(tally)->count(tally_port(tally), &plain);
    taken = tally_take(tally, far_away);
    assert_int_equal(json_array_size(json_object_get(taken, "policies")), 2);
    assert_int_equal(number(json_array_get(json_object_get(taken, "policies"), 1), "failures"), 2);
    json_decref(taken);
    tally_free(tally);
    buf_done(&saved);
}

static void one_failure_of_a_domain_is_kept_in_a_hundred_octets(void **state)
{
    (void)state;
    struct buf saved = {0};
    struct tls_session failed = {.domain = STR("site1234.example"),
                                 .promised_by = STR("site1234.example"),
                                 .host = STR("site1234.example"),
                                 .failure = TLS_FAILED_STARTTLS};
    assert_true(ip_parse(STR("192.0.2.17"), &failed.ip) &&
                ip_parse(STR("192.0.2.1"), &failed.source));
    struct tally *tally = tally_new(SPAN_D(1));
    for (int i = 0; i < 3; i++) {
        tally_port(tally)->count(tally_port(tally), &failed);
    }
    assert_true(tally_save(tally, &saved));
    assert_in_range(saved.len, 80, 160);
    tally_free(tally);

    tally = tally_new(SPAN_D(1));
    tally_load(tally, buf_str(&saved));
    json_t *taken = tally_take(tally, far_away);
    const json_t *policy = first_policy(taken);
    assert_string_equal(json_string_value(json_object_get(policy, "domain")), "site1234.example");
    assert_int_equal(number(policy, "failures"), 3);
    const json_t *detail = json_array_get(json_object_get(policy, "details"), 0);
    assert_string_equal(json_string_value(json_object_get(detail, "host")), "site1234.example");
    assert_string_equal(json_string_value(json_object_get(detail, "ip")), "192.0.2.17");
    assert_int_equal(number(detail, "count"), 3);
    json_decref(taken);
    tally_free(tally);
    buf_done(&saved);
}

static void what_was_saved_before_texts_were_short_still_counts(void **state)
{
    (void)state;
    struct tally *tally = tally_new(SPAN_D(1));
    tally_load(
        tally,
        STR("{\"1\":{\"a.example\":\"[{\\\"type\\\":\\\"sts\\\",\\\"domain\\\":\\\"a.example\\\","
            "\\\"mx\\\":\\\"mx.example\\\",\\\"policy\\\":\\\"\\\",\\\"successes\\\":4,"
            "\\\"failures\\\":0,"
            "\\\"details\\\":[]}]\"}}"));
    json_t *taken = tally_take(tally, far_away);
    assert_int_equal(number(first_policy(taken), "successes"), 4);
    json_decref(taken);
    tally_free(tally);
}

static void a_text_that_is_no_list_of_policies_counts_nothing(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "{\"1\":{\"p.example\":\"[1]\"}}", "{\"1\":{\"p.example\":\"[1,2,3,4,5,6]\"}}",
        "{\"1\":{\"p.example\":\"[1,2,3,4,5,6,7]\"}}", "{\"1\":{\"p.example\":\"[\"}}",
        "{\"1\":{\"p.example\":-3}}"};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct tally *tally = tally_new(SPAN_D(1));
        tally_load(tally, str_from_cstr(texts[i]));
        json_t *taken = tally_take(tally, far_away);
        assert_int_equal(json_array_size(json_object_get(taken, "policies")), 0);
        json_decref(taken);
        tally_free(tally);
    }
}

static void a_damaged_file_is_passed_over(void **state)
{
    (void)state;
    static const char *const texts[] = {"",
                                        "[]",
                                        "{\"1\": 1}",
                                        "{\"1\": {\"a\": [1]}}",
                                        "{\"1\": {\"a\": [{\"type\": \"sts\"}]}}",
                                        "{\"1\": {"};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct tally *tally = tally_new(SPAN_D(1));
        tally_load(tally, str_from_cstr(texts[i]));
        assert_null(tally_take(tally, far_away));
        count(tally, "a.example", TLS_FAILED_NOT);
        json_t *taken = tally_take(tally, far_away);
        assert_non_null(taken);
        json_decref(taken);
        tally_free(tally);
    }
}

static void no_stranger_fills_the_memory(void **state)
{
    (void)state;
    struct tally *tally = tally_new(SPAN_D(1));
    char name[32];
    for (int i = 0; i < TALLY_DOMAINS_MAX + 10; i++) {
        (void)snprintf(name, sizeof name, "d%d.example", i);
        count(tally, name, TLS_FAILED_NOT);
    }
    int domains = 0;
    for (json_t *taken; (taken = tally_take(tally, far_away)); domains++) {
        json_decref(taken);
    }
    assert_int_equal(domains, TALLY_DOMAINS_MAX);
    tally_free(tally);
}

static void of_a_long_policy_whole_lines_are_kept(void **state)
{
    (void)state;
    struct tally *tally = tally_new(SPAN_D(1));
    struct buf lines = {0};
    while (lines.len < 10 * TALLY_TEXT_MAX) {
        buf_add(&lines, STR("mx: a-name-that-stands-there-a-thousand-times.example\n"));
    }
    struct tls_session session = {.domain = STR("a.example"),
                                  .promise = PROMISE_STS,
                                  .promised_by = STR("a.example"),
                                  .policy = buf_str(&lines),
                                  .host = STR("mx.example")};
    tally_port(tally)->count(tally_port(tally), &session);
    tally_port(tally)->count(tally_port(tally), &session);
    json_t *taken = tally_take(tally, far_away);
    json_t *policies = json_object_get(taken, "policies");
    json_t *kept = json_object_get(json_array_get(policies, 0), "policy");
    assert_int_equal(json_array_size(policies), 1);
    assert_in_range(json_string_length(kept), TALLY_TEXT_MAX - 64, TALLY_TEXT_MAX);
    assert_true(str_ends(str_from_cstr(json_string_value(kept)), STR("times.example")));
    json_decref(taken);
    buf_done(&lines);
    tally_free(tally);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_counted_outlives_a_restart_and_becomes_a_report),
        cmocka_unit_test(sessions_without_a_policy_are_a_number_until_there_is_more_to_tell),
        cmocka_unit_test(one_failure_of_a_domain_is_kept_in_a_hundred_octets),
        cmocka_unit_test(what_was_saved_before_texts_were_short_still_counts),
        cmocka_unit_test(a_text_that_is_no_list_of_policies_counts_nothing),
        cmocka_unit_test(a_damaged_file_is_passed_over),
        cmocka_unit_test(no_stranger_fills_the_memory),
        cmocka_unit_test(of_a_long_policy_whole_lines_are_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
