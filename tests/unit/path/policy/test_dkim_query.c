#include "path/policy/dkim_query.h"
#include "tls/crypto.h"
#include "unit/core/mailauth/zones.h"
#include "unit/path/policy/dns_bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* The message of RFC 8463 appendix A, with its two signatures. */
#define RSA_HEAD                                                                                   \
    "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed;\r\n"                                    \
    " d=football.example.com; i=@football.example.com;\r\n"                                        \
    " q=dns/txt; s=test; t=1528637909; h=from : to : subject :\r\n"                                \
    " date : message-id : from : subject : date;\r\n"                                              \
    " bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\r\n"                                        \
    " b=F45dVWDfMbQDGHJFlXUNB2HKfbCeLRyhDXgFpEL8GwpsRe0IeIixNTe3\r\n"                              \
    " DhCVlUrSjV4BwcVcOF6+FF3Zo9Rpo1tFOeS9mPYQTnGdaSGsgeefOsk2Jz\r\n"                              \
    " dA+L10TeYt9BgDfQNZtKdN1WO//KgIqXP7OdEFE4LjFYNcUxZQ4FADY+8=\r\n"
#define ED_HEAD                                                                                    \
    "DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;\r\n"                                \
    " d=football.example.com; i=@football.example.com;\r\n"                                        \
    " q=dns/txt; s=brisbane; t=1528637909; h=from : to :\r\n"                                      \
    " subject : date : message-id : from : subject : date;\r\n"                                    \
    " bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\r\n"                                        \
    " b=/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11Bus\r\n"                              \
    " Fa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==\r\n"
#define HEADER                                                                                     \
    "From: Joe SixPack <joe@football.example.com>\r\n"                                             \
    "To: Suzie Q <suzie@shopping.example.net>\r\n"                                                 \
    "Subject: Is dinner ready?\r\n"                                                                \
    "Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)\r\n"                                              \
    "Message-ID: <20030712040037.46341.5F8J@football.example.com>\r\n\r\n"
#define BODY "Hi.\r\n\r\nWe lost the game.  Are you hungry yet?\r\n\r\nJoe.\r\n"
#define RSA_KEY                                                                                    \
    "p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWRiGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQiY/" \
    "J16JYi0Qvx/byYzCNb3W91y3FutACDfzwQ/BC/e/"                                                     \
    "8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZyVYLzBfO"                                        \
    "2EeC3Ip3G+2kryOTIKT+l/K4w3QIDAQAB"
#define ED_KEY "p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
#define RSA_NAME "test._domainkey.football.example.com"
#define ED_NAME "brisbane._domainkey.football.example.com"

struct fixture {
    struct dns_bench bench;
    struct crypto *crypto;
    struct dkim_query query;
    unsigned done;
};

static void on_done(struct dkim_query *query)
{
    ((struct fixture *)query->owner)->done++;
}

static void setup(struct fixture *f)
{
    dns_bench_init(&f->bench);
    f->crypto = tls_crypto_new();
    assert_non_null(f->crypto);
}

static void teardown(struct fixture *f)
{
    dns_bench_done(&f->bench);
    tls_crypto_free(f->crypto);
}

static void check(struct fixture *f, struct str message, int64_t now)
{
    arena_done(&f->bench.arena);
    f->bench.arena = (struct arena){0};
    f->done = 0;
    f->query = (struct dkim_query){.done = on_done,
                                   .ports = &f->bench.ports,
                                   .crypto = f->crypto,
                                   .arena = &f->bench.arena,
                                   .message = message,
                                   .now = now,
                                   .owner = f};
    dkim_query_start(&f->query);
    assert_int_equal(f->done, 0);
    dns_bench_turn(&f->bench, SPAN_S(60));
    assert_int_equal(f->done, 1);
}

static enum dkim_result first_result(struct fixture *f, const char *message, int64_t now)
{
    check(f, str_from_cstr(message), now);
    assert_true(f->query.dkim.count > 0);
    assert_true(f->query.dkim.checks[0].reason.len > 0);
    return f->query.dkim.checks[0].result;
}

static void the_rfcs_own_message_verifies_by_rsa_and_by_ed25519(void **state)
{
    struct fixture f;
    (void)state;
    setup(&f);
    zone_add(&f.bench.zone, RSA_NAME " TXT v=DKIM1; k=rsa; " RSA_KEY);
    zone_add(&f.bench.zone, ED_NAME " TXT v=DKIM1; k=ed25519; " ED_KEY);
    assert_int_equal(first_result(&f, ED_HEAD RSA_HEAD HEADER BODY, 1), DKIM_PASS);
    assert_int_equal(f.query.dkim.count, 2);
    assert_int_equal(f.query.dkim.checks[1].result, DKIM_PASS);
    assert_ptr_equal(dkim_at(&f.query.dkim, 1), &f.query.dkim.checks[1]);
    assert_null(dkim_at(&f.query.dkim, 2));
    assert_int_equal(f.query.arc.result, ARC_NONE);
    teardown(&f);
}

static void a_changed_message_does_not_verify(void **state)
{
    static const struct {
        const char *message;
        enum dkim_result result;
        const char *reason;
    } rows[] = {
        {RSA_HEAD HEADER BODY "\r\n\r\n", DKIM_PASS, "verifies"},
        {RSA_HEAD "X-New: field\r\n" HEADER BODY, DKIM_PASS, "verifies"},
        {RSA_HEAD HEADER BODY "P.S.\r\n", DKIM_FAIL, "body was changed"},
        {RSA_HEAD HEADER, DKIM_FAIL, "body was changed"},
        {RSA_HEAD "\t; l=1000\r\n" HEADER BODY, DKIM_FAIL, "shorter than what was signed"},
        {RSA_HEAD "Subject: another\r\n" HEADER BODY, DKIM_FAIL, "header was changed"},
        {RSA_HEAD "From: a@b.example\r\n" HEADER BODY, DKIM_FAIL, "header was changed"},
        {ED_HEAD "Subject: another\r\n" HEADER BODY, DKIM_FAIL, "header was changed"},
    };
    struct fixture f;
    (void)state;
    setup(&f);
    zone_add(&f.bench.zone, RSA_NAME " TXT v=DKIM1; " RSA_KEY);
    zone_add(&f.bench.zone, ED_NAME " TXT v=DKIM1; k=ed25519; " ED_KEY);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        assert_int_equal(first_result(&f, rows[i].message, 1), rows[i].result);
        assert_true(str_find_str(f.query.dkim.checks[0].reason, str_from_cstr(rows[i].reason)) !=
                    STR_NONE);
    }
    teardown(&f);
}

static void the_key_record_decides(void **state)
{
    static const struct {
        const char *record;
        enum dkim_result result;
    } rows[] = {
        {" TXT " RSA_KEY, DKIM_PASS},
        {" TXT v=DKIM1; h=sha1:sha256; s=email; t=s; n=note; " RSA_KEY, DKIM_PASS},
        {" TXT v=DKIM1; s=*; t=y; x=unknown; " RSA_KEY, DKIM_PASS},
        {" TXT v=DKIM1; h=sha1; " RSA_KEY, DKIM_PERMERROR},
        {" TXT v=DKIM1; s=other; " RSA_KEY, DKIM_PERMERROR},
        {" TXT v=DKIM2; " RSA_KEY, DKIM_PERMERROR},
        {" TXT k=rsa; v=DKIM1; " RSA_KEY, DKIM_PERMERROR}, /* v= must be the first */
        {" TXT v=DKIM1; k=dsa; " RSA_KEY, DKIM_PERMERROR},
        {" TXT v=DKIM1; k=ed25519; " ED_KEY, DKIM_PERMERROR},
        {" TXT v=DKIM1; p=", DKIM_PERMERROR},
        {" TXT v=DKIM1", DKIM_PERMERROR},
        {" TXT v=DKIM1; p=AAAA", DKIM_PERMERROR},
        {" TXT v=DKIM1; p=*", DKIM_PERMERROR},
        {" TXT v=DKIM1; " RSA_KEY "; " RSA_KEY, DKIM_PERMERROR},
        {" TXT something else", DKIM_PERMERROR},
        {" A 192.0.2.1", DKIM_PERMERROR},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct fixture f;
        char line[600];
        setup(&f);
        (void)snprintf(line, sizeof line, "%s%s", RSA_NAME, rows[i].record);
        zone_add(&f.bench.zone, line);
        enum dkim_result result = first_result(&f, RSA_HEAD HEADER BODY, 1);
        if (result != rows[i].result) {
            (void)printf("%s: %.*s\n", rows[i].record, STR_ARG(f.query.dkim.checks[0].reason));
        }
        assert_int_equal(result, rows[i].result);
        assert_int_equal(f.query.dkim.checks[0].testing, strstr(rows[i].record, "t=y") != NULL);
        teardown(&f);
    }
}

static void a_strict_key_is_not_for_identities_below_its_domain(void **state)
{
    static const char message[] =
        "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=football.example.com; s=test;\r\n"
        " i=@sub.football.example.com; h=from; bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\r\n"
        " b=AAAA\r\n" HEADER BODY;
    (void)state;
    for (int strict = 0; strict <= 1; strict++) {
        struct fixture f;
        setup(&f);
        zone_add(&f.bench.zone, strict ? RSA_NAME " TXT t=s; " RSA_KEY : RSA_NAME " TXT " RSA_KEY);
        assert_int_equal(first_result(&f, message, 1), strict ? DKIM_PERMERROR : DKIM_FAIL);
        teardown(&f);
    }
}

static void of_several_keys_any_may_be_the_one(void **state)
{
    struct fixture f;
    (void)state;
    setup(&f);
    zone_add(&f.bench.zone, RSA_NAME " TXT p=AAAA");
    zone_add(&f.bench.zone, RSA_NAME " TXT v=DKIM1; k=ed25519; " ED_KEY);
    zone_add(&f.bench.zone, RSA_NAME " TXT " RSA_KEY);
    assert_int_equal(first_result(&f, RSA_HEAD HEADER BODY, 1), DKIM_PASS);
    teardown(&f);
}

static void a_dns_that_fails_is_temporary(void **state)
{
    static const enum zone_fault faults[] = {ZONE_SERVFAIL, ZONE_TIMEOUT};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(faults); i++) {
        struct fixture f;
        setup(&f);
        zone_break(&f.bench.zone, RSA_NAME, 0, faults[i]);
        assert_int_equal(first_result(&f, RSA_HEAD HEADER BODY, 1), DKIM_TEMPERROR);
        teardown(&f);
    }
    struct fixture f;
    setup(&f);
    zone_delay(&f.bench.zone, RSA_NAME, SPAN_S(30)); /* longer than patience lasts */
    assert_int_equal(first_result(&f, RSA_HEAD HEADER BODY, 1), DKIM_TEMPERROR);
    teardown(&f);
}

static void only_the_topmost_ten_signatures_are_looked_at(void **state)
{
    struct fixture f;
    struct buf message = {0};
    (void)state;
    setup(&f);
    for (int i = 0; i <= DKIM_SIGNATURES_MAX; i++) {
        buf_add(&message, STR(RSA_HEAD));
        check(&f, buf_str(&message), 1);
        assert_int_equal(f.query.dkim.count, i < DKIM_SIGNATURES_MAX ? i + 1 : i);
        assert_int_equal(f.query.dkim.left_out, i == DKIM_SIGNATURES_MAX);
    }
    assert_int_equal(f.query.dkim.checks[0].position, 0);
    buf_done(&message);
    teardown(&f);
}

/* `expect`, and where there are `signatures` their results from the top. */
static bool as_expected(const struct fixture *f, json_t *one)
{
    const struct dkim *d = &f->query.dkim;
    json_t *signatures = json_object_get(one, "signatures");
    const char *expect = json_string_value(json_object_get(one, "expect"));
    bool any = false;
    for (size_t i = 0; i < d->count; i++) {
        const char *result = dkim_result_name(d->checks[i].result);
        const json_t *theirs = json_array_get(signatures, i);
        any = any || strcmp(result, expect) == 0;
        if (theirs && strcmp(json_string_value(json_object_get(theirs, "result")), result) != 0) {
            return false;
        }
    }
    return any;
}

static bool run_message(struct fixture *f, json_t *one)
{
    static char text[65536];
    char path[512];
    const char *name = strrchr(json_string_value(json_object_get(one, "file")), '/');
    (void)snprintf(path, sizeof path, "%s/../shared/testdata/dkim%s", SOURCE_DIR, name);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t size = fread(text, 1, sizeof text, file);
    (void)fclose(file);
    check(f, str_from(text, size), 1);
    bool good = as_expected(f, one);
    for (size_t i = 0; i < f->query.dkim.count && !good; i++) {
        (void)printf("%s: %s (%.*s)\n", name, dkim_result_name(f->query.dkim.checks[i].result),
                     STR_ARG(f->query.dkim.checks[i].reason));
    }
    return good;
}

static void signatures_that_others_made_verify_as_they_say(void **state)
{
    json_t *all = zones_collection("dkim-verify.json");
    json_t *group;
    json_t *one;
    size_t at;
    size_t number;
    size_t count = 0;
    size_t bad = 0;
    (void)state;
    json_array_foreach(all, at, group)
    {
        struct fixture f;
        setup(&f);
        zones_load(&f.bench.zone, json_object_get(group, "zone"));
        json_array_foreach(json_object_get(group, "tests"), number, one)
        {
            bad += !run_message(&f, one);
            count++;
        }
        teardown(&f);
    }
    (void)printf("%zu messages\n", count);
    json_decref(all);
    assert_int_equal(bad, 0);
}

static void chains_that_others_made_are_whole_until_something_is_touched(void **state)
{
    json_t *all = zones_collection("arc-validation.json");
    json_t *group;
    json_t *one;
    size_t at;
    size_t number;
    (void)state;
    json_array_foreach(all, at, group)
    {
        struct fixture f;
        setup(&f);
        zones_load(&f.bench.zone, json_object_get(group, "zone"));
        json_array_foreach(json_object_get(group, "tests"), number, one)
        {
            struct str message = str_from_cstr(json_string_value(json_object_get(one, "message")));
            const char *chain = json_string_value(json_object_get(one, "cv"));
            check(&f, message, 1);
            if (strcmp(arc_result_name(f.query.arc.result), chain) != 0) {
                (void)printf("%s: %.*s\n", json_string_value(json_object_get(one, "name")),
                             STR_ARG(f.query.arc.reason));
            }
            assert_string_equal(arc_result_name(f.query.arc.result), chain);
            assert_true(f.query.arc.count > 0);

            struct buf touched = {0};
            buf_add(&touched, message);
            size_t results = str_find_str(message, STR("ARC-Authentication-Results:"));
            size_t equals = str_find_str(str_tail(message, results), STR("=pass"));
            touched.ptr[results + equals + 1] = 'P';
            check(&f, buf_str(&touched), 1);
            assert_int_equal(f.query.arc.result, ARC_FAIL);
            touched.ptr[results + equals + 1] = 'p';
            buf_add(&touched, STR("more\n")); /* which the newest message signature alone sees */
            check(&f, buf_str(&touched), 1);
            assert_int_equal(f.query.arc.result, ARC_FAIL);
            buf_done(&touched);
        }
        teardown(&f);
    }
    json_decref(all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_rfcs_own_message_verifies_by_rsa_and_by_ed25519),
        cmocka_unit_test(a_changed_message_does_not_verify),
        cmocka_unit_test(the_key_record_decides),
        cmocka_unit_test(a_strict_key_is_not_for_identities_below_its_domain),
        cmocka_unit_test(of_several_keys_any_may_be_the_one),
        cmocka_unit_test(a_dns_that_fails_is_temporary),
        cmocka_unit_test(only_the_topmost_ten_signatures_are_looked_at),
        cmocka_unit_test(signatures_that_others_made_verify_as_they_say),
        cmocka_unit_test(chains_that_others_made_are_whole_until_something_is_touched),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
