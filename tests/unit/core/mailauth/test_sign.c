#include "core/mailauth/sign.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

struct made {
    struct arena arena;
    struct sign sign;
    struct buf body, field, input;
};

static void take(struct made *m, struct str message)
{
    char out[5];
    *m = (struct made){.arena = {0}};
    sign_begin(&m->sign, &m->arena);
    while (message.len > 0) {
        size_t n = sign_take(&m->sign, &message, out, sizeof out);
        buf_add(&m->body, str_from(out, n));
    }
    for (size_t n; (n = sign_end(&m->sign, out, sizeof out)) > 0;) {
        buf_add(&m->body, str_from(out, n));
    }
}

static void done(struct made *m)
{
    sign_done(&m->sign);
    buf_done(&m->body);
    buf_done(&m->field);
    buf_done(&m->input);
    arena_done(&m->arena);
}

static const struct sign_terms terms = {.domain = STR_INIT("example.org"),
                                        .selector = STR_INIT("s1"),
                                        .algorithm = ALGORITHM_RSA_SHA256,
                                        .time = 1000,
                                        .body_hash = STR_INIT("hash")};

static void what_is_signed_is_what_a_verifier_will_see(void **state)
{
    struct made m;
    (void)state;
    take(&m,
         STR("Subject: a  b\r\n\tc \r\nX: y\r\nFrom: A <a@Sub.Example.org>\r\n\r\nx  y \r\n\r\n"));
    assert_int_equal(m.sign.state, SIGN_IN_BODY);
    assert_true(str_eq(m.sign.from, STR("sub.example.org")));
    assert_true(str_eq(buf_str(&m.body), STR("x y\r\n")));
    struct sign_terms own = terms;
    own.fields = STR("Subject:From");
    own.end = 2000;
    assert_true(sign_field(&m.sign, &own, &m.field, &m.input));
    assert_true(str_eq(buf_str(&m.input),
                       STR("subject:a b c\r\nfrom:A <a@Sub.Example.org>\r\n"
                           "dkim-signature:v=1; a=rsa-sha256; c=relaxed/relaxed; d=example.org; "
                           "s=s1; t=1000; x=2000; h=subject:subject:from:from; bh=aGFzaA==; b=")));
    sign_seal(&m.field, STR("0123456789012345678901234567890123456789012345678901234567890"));
    assert_true(str_ends(buf_str(&m.field),
                         STR("\tb=MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3"
                             "ODkwMTIz\r\n\tNDU2Nzg5MA==\r\n")));
    done(&m);
}

static size_t count(struct str text, struct str word)
{
    size_t found = 0;
    for (size_t at; (at = str_find_str(text, word)) != STR_NONE; found++) {
        text = str_tail(text, at + word.len);
    }
    return found;
}

static void what_people_see_can_be_neither_changed_nor_added(void **state)
{
    static const struct {
        const char *name;
        size_t times; /* in h= */
    } rows[] = {
        {"from:", 2},         {"subject:", 3}, {"cc:", 1},        {"reply-to:", 1},
        {"content-type:", 2}, {"sender:", 0},  {"list-id:", 1},   {"received:", 0},
        {"mime-version:", 0}, {"x-other:", 0}, {"resent-to:", 2},
    };
    struct made m;
    (void)state;
    take(&m, STR("Received: x\r\nFrom: a@example.org\r\nSubject: a\r\nsubject: b\r\nList-ID: l\r\n"
                 "Content-Type: text/plain\r\nResent-To: a\r\nResent-To: b\r\nX-Other: c\r\n\r\n"));
    assert_true(sign_field(&m.sign, &terms, &m.field, &m.input));
    struct buf names = {0};
    size_t start = str_find_str(buf_str(&m.field), STR("h=")) + 2;
    size_t end = str_find_str(buf_str(&m.field), STR(";\r\n\tbh="));
    buf_add_char(&names, ':');
    for (size_t i = start; i < end; i++) {
        char c = m.field.ptr[i];
        if (c == ':') {
            buf_add_char(&names, ':'); /* so that a name stands between two of its own */
        }
        if (c != '\r' && c != '\n' && c != '\t') {
            buf_add_char(&names, c);
        }
    }
    buf_add_char(&names, ':');
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char wanted[64];
        (void)snprintf(wanted, sizeof wanted, ":%s", rows[i].name);
        size_t found = count(buf_str(&names), str_from_cstr(wanted));
        if (found != rows[i].times) {
            fail_msg("%s %zu times, not %zu", rows[i].name, found, rows[i].times);
        }
    }
    buf_done(&names);
    done(&m);
}

static void no_line_of_the_field_is_long(void **state)
{
    struct made m;
    (void)state;
    take(&m, STR("From: a@example.org\r\n\r\n"));
    assert_true(sign_field(&m.sign, &terms, &m.field, &m.input));
    char octets[512] = {0};
    sign_seal(&m.field, str_from(octets, sizeof octets));
    struct str rest = buf_str(&m.field);
    while (rest.len > 0) {
        struct str line = str_split(&rest, '\n');
        assert_true(line.len <= 79);
    }
    done(&m);
}

static void a_header_without_one_domain_in_from_is_unfit(void **state)
{
    static const struct {
        const char *header;
        enum sign_state state;
    } rows[] = {
        {"From: a@example.org\r\n\r\n", SIGN_IN_BODY},
        {"From: a@example.org", SIGN_IN_BODY},
        {"From: a@example.org, b@example.org\r\n\r\n", SIGN_IN_BODY},
        {"From: a@example.org, b@example.com\r\n\r\n", SIGN_UNFIT},
        {"From: a@example.org\r\nFrom: a@example.org\r\n\r\n", SIGN_UNFIT},
        {"From: nobody\r\n\r\n", SIGN_UNFIT},
        {"Subject: x\r\n\r\nFrom: a@example.org\r\n", SIGN_UNFIT},
        {"\r\nFrom: a@example.org\r\n\r\n", SIGN_UNFIT},
        {"From: a@example.org\r\nno field\r\n\r\n", SIGN_UNFIT},
        {"", SIGN_UNFIT},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct made m;
        take(&m, str_from_cstr(rows[i].header));
        if (m.sign.state != rows[i].state) {
            fail_msg("%s: %d", rows[i].header, (int)m.sign.state);
        }
        assert_false(m.sign.failed);
        done(&m);
    }
}

static void a_header_has_bounds(void **state)
{
    struct buf text = {0};
    struct made m;
    (void)state;
    buf_add(&text, STR("From: a@example.org\r\n"));
    for (int i = 0; i < SIGNATURE_NAMES_MAX; i++) {
        buf_add(&text, STR("To: b@example.org\r\n"));
    }
    take(&m, buf_str(&text));
    assert_int_equal(m.sign.state, SIGN_IN_BODY);
    assert_false(sign_field(&m.sign, &terms, &m.field, &m.input));
    done(&m);
    while (text.len <= SIGN_HEADER_MAX) {
        buf_add(&text, STR("To: b@example.org\r\n"));
    }
    take(&m, buf_str(&text));
    assert_int_equal(m.sign.state, SIGN_UNFIT);
    done(&m);
    buf_done(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_signed_is_what_a_verifier_will_see),
        cmocka_unit_test(what_people_see_can_be_neither_changed_nor_added),
        cmocka_unit_test(no_line_of_the_field_is_long),
        cmocka_unit_test(a_header_without_one_domain_in_from_is_unfit),
        cmocka_unit_test(a_header_has_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
