#include "core/mailauth/arc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static enum dkim_result result_of(const char *tags, int64_t now)
{
    struct arena arena = {0};
    struct dkim d;
    char header[1000];
    (void)snprintf(header, sizeof header, "DKIM-Signature: %s\r\nFrom: a@example.org\r\n\r\n",
                   tags);
    assert_true(dkim_start(&d, &arena, str_from_cstr(header), now));
    assert_int_equal(d.count, 1);
    enum dkim_result result = d.checks[0].result;
    assert_true(result == DKIM_OPEN || d.checks[0].reason.len > 0);
    arena_done(&arena);
    return result;
}

#define REST "h=From; bh=AAAA; b=AAAA"
#define WHOLE "v=1; a=rsa-sha256; d=example.org; s=sel; " REST

static void a_signature_must_be_well_formed(void **state)
{
    static const struct {
        const char *tags;
        enum dkim_result result; /* OPEN: its key is asked for */
    } rows[] = {
        {WHOLE, DKIM_OPEN},
        {WHOLE ";", DKIM_OPEN},
        {WHOLE "; unknown=what", DKIM_OPEN},
        {"v=1;a=ed25519-sha256;d=example.org;s=sel;" REST, DKIM_OPEN},
        {"v = 1 ; a=RSA-SHA256; d=example.org; s=a.b;\r\n\th=to:\r\n from;bh=A\r\n AAA; b=AAAA",
         DKIM_OPEN},
        {"v=1; a=rsa-sha1; d=example.org; s=sel; " REST, DKIM_POLICY},
        {"a=rsa-sha256; d=example.org; s=sel; " REST, DKIM_PERMERROR},
        {"v=2; a=rsa-sha256; d=example.org; s=sel; " REST, DKIM_PERMERROR},
        {"v=1; a=rsa-md5; d=example.org; s=sel; " REST, DKIM_PERMERROR},
        {"v=1; a=rsa-sha256; s=sel; " REST, DKIM_PERMERROR},
        {"v=1; a=rsa-sha256; d=example..org; s=sel; " REST, DKIM_PERMERROR},
        {"v=1; a=rsa-sha256; d=example.org; " REST, DKIM_PERMERROR},
        {"v=1; a=rsa-sha256; d=example.org; s=sel; h=To; bh=AAAA; b=AAAA", DKIM_PERMERROR},
        {"v=1; a=rsa-sha256; d=example.org; s=sel; h=From; b=AAAA", DKIM_PERMERROR},
        {"v=1; a=rsa-sha256; d=example.org; s=sel; h=From; bh=AAAA; b=", DKIM_PERMERROR},
        {"v=1; a=rsa-sha256; d=example.org; s=sel; h=From; bh=AAAA; b=A*AA", DKIM_PERMERROR},
        {WHOLE "; d=example.org", DKIM_PERMERROR}, /* twice */
        {WHOLE ";; t=1", DKIM_PERMERROR},
        {WHOLE "; junk", DKIM_PERMERROR},
        {WHOLE "; c=relaxed", DKIM_OPEN},
        {WHOLE "; c=simple/relaxed", DKIM_OPEN},
        {WHOLE "; c=relaxed/", DKIM_PERMERROR},
        {WHOLE "; c=nowsp", DKIM_PERMERROR},
        {WHOLE "; q=dns/txt", DKIM_OPEN},
        {WHOLE "; q=http:dns/txt", DKIM_OPEN},
        {WHOLE "; q=http", DKIM_PERMERROR},
        {WHOLE "; i=@example.org", DKIM_OPEN},
        {WHOLE "; i=a@sub.example.org", DKIM_OPEN},
        {WHOLE "; i=a@notexample.org", DKIM_PERMERROR},
        {WHOLE "; i=example.org", DKIM_PERMERROR},
        {WHOLE "; l=0", DKIM_OPEN},
        {WHOLE "; l=-1", DKIM_PERMERROR},
        {WHOLE "; t=10; x=9", DKIM_PERMERROR},
        {WHOLE "; t=10; x=1000", DKIM_OPEN},
        {WHOLE "; x=999", DKIM_FAIL},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        enum dkim_result result = result_of(rows[i].tags, 1000);
        if (result != rows[i].result) {
            (void)printf("%s: %s\n", rows[i].tags, dkim_result_name(result));
        }
        assert_int_equal(result, rows[i].result);
    }
    assert_int_equal(result_of(WHOLE "; x=999", 0), DKIM_OPEN); /* the present is not known */
}

static void a_domain_beyond_ascii_is_asked_about_in_a_labels(void **state)
{
    struct arena arena = {0};
    struct dkim d;
    struct dns_question question;
    (void)state;
    assert_true(
        dkim_start(&d, &arena,
                   STR("DKIM-Signature: v=1; a=rsa-sha256; d=b\xc3\xbc.example; s=s\xc3\xbc; "
                       "i=\xc3\xbc@a.b\xc3\xbc.example; " REST "\r\n\r\n"),
                   0));
    assert_true(dkim_question(&d, &question));
    assert_true(str_eq(question.name, STR("xn--s-eha._domainkey.xn--b-eha.example")));
    assert_true(d.checks[0].signature.identity_below);
    arena_done(&arena);
}

static void signatures_of_one_body_share_its_hash(void **state)
{
    struct arena arena = {0};
    struct dkim d;
    (void)state;
    assert_true(dkim_start(&d, &arena,
                           STR("DKIM-Signature: " WHOLE "\r\n"
                               "DKIM-Signature: " WHOLE "; c=relaxed\r\n"
                               "DKIM-Signature: " WHOLE "; c=relaxed/relaxed\r\n"
                               "DKIM-Signature: " WHOLE "; l=5\r\n"
                               "DKIM-Signature: " WHOLE "; l=5\r\n\r\n"),
                           0));
    assert_int_equal(d.count, 5);
    assert_int_equal(d.body_count, 3);
    arena_done(&arena);
}

#define RESULTS(i) "ARC-Authentication-Results: i=" i "; mx.example; spf=pass\r\n"
#define MESSAGE(i)                                                                                 \
    "ARC-Message-Signature: i=" i "; a=rsa-sha256; d=mx.example; s=s; h=from; bh=AAAA; b=AAAA\r\n"
#define SEAL(i, cv) "ARC-Seal: i=" i "; a=rsa-sha256; d=mx.example; s=s; b=AAAA; cv=" cv "\r\n"
#define SET(i, cv) SEAL(i, cv) MESSAGE(i) RESULTS(i)

static void a_chain_is_asked_about_only_if_it_is_whole(void **state)
{
    static const struct {
        const char *header;
        enum arc_result result;
        size_t checks; /* one message signature, and a seal for each set */
    } rows[] = {
        {"From: a@example.org\r\n", ARC_NONE, 0},
        {SET("1", "none"), ARC_FAIL, 2},
        {SET("2", "pass") SET("1", "none"), ARC_FAIL, 3},
        {RESULTS("1") SEAL("1", "NONE") MESSAGE("1"), ARC_FAIL, 2},
        {SET("2", "pass"), ARC_FAIL, 0},
        {SET("3", "pass") SET("1", "none"), ARC_FAIL, 0},
        {SET("1", "none") SET("1", "none"), ARC_FAIL, 0},
        {SET("1", "pass"), ARC_FAIL, 0},
        {SET("2", "none") SET("1", "none"), ARC_FAIL, 0},
        {SET("2", "fail") SET("1", "none"), ARC_FAIL, 0},
        {SEAL("1", "none") MESSAGE("1"), ARC_FAIL, 0},
        {SEAL("1", "none") RESULTS("1"), ARC_FAIL, 0},
        {MESSAGE("1") RESULTS("1"), ARC_FAIL, 0},
        {SET("0", "none"), ARC_FAIL, 0},
        {SET("51", "pass"), ARC_FAIL, 0},
        {SET("x", "none"), ARC_FAIL, 0},
        {"ARC-Seal: \r\n", ARC_FAIL, 0},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena arena = {0};
        struct dkim d;
        struct arc a;
        assert_true(dkim_start(&d, &arena, str_from_cstr(rows[i].header), 0));
        arc_start(&a, &d);
        assert_int_equal(d.count, rows[i].checks);
        dkim_give_up(&d, "nobody answers");
        arc_conclude(&a, &d);
        assert_int_equal(a.result, rows[i].result);
        assert_int_equal(a.temporary, rows[i].checks > 0);
        assert_true(a.reason.len > 0);
        arena_done(&arena);
    }
}

static void fifty_sets_are_a_chain(void **state)
{
    struct arena arena = {0};
    struct buf header = {0};
    struct dkim d;
    struct arc a;
    (void)state;
    for (int i = 0; i < DKIM_SIGNATURES_MAX; i++) {
        buf_add(&header, STR("DKIM-Signature: " WHOLE "\r\n"));
    }
    for (int i = ARC_SETS_MAX; i > 0; i--) {
        buf_add_format(&header,
                       "ARC-Seal: i=%d; a=rsa-sha256; d=mx.example; s=s; b=AAAA; cv=%s\r\n"
                       "ARC-Message-Signature: i=%d; a=rsa-sha256; d=mx.example; s=s; h=from; "
                       "bh=AAAA; b=AAAA\r\n"
                       "ARC-Authentication-Results: i=%d; mx.example; none\r\n",
                       i, i > 1 ? "pass" : "none", i, i);
    }
    assert_true(dkim_start(&d, &arena, buf_str(&header), 0));
    arc_start(&a, &d);
    assert_null(a.fault);
    assert_int_equal(a.count, ARC_SETS_MAX);
    assert_int_equal(d.count, DKIM_CHECKS_MAX);
    buf_done(&header);
    arena_done(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_signature_must_be_well_formed),
        cmocka_unit_test(a_domain_beyond_ascii_is_asked_about_in_a_labels),
        cmocka_unit_test(signatures_of_one_body_share_its_hash),
        cmocka_unit_test(a_chain_is_asked_about_only_if_it_is_whole),
        cmocka_unit_test(fifty_sets_are_a_chain),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
