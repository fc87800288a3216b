#include "core/mailauth/spf_record.h"

#include "core/mailauth/spf_macro.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static bool well_formed(const char *terms)
{
    char text[300];
    (void)snprintf(text, sizeof text, "v=spf1%s%s", terms[0] ? " " : "", terms);
    struct spf_terms it = spf_terms_begin(str_from_cstr(text));
    struct spf_term term;
    while (spf_term_next(&it, &term)) {}
    return it.wrong.len == 0;
}

static const struct {
    const char *terms;
    bool good;
} grammar[] = {
    {"", true},
    {"   -all  ", true},
    {"+a ?mx ~ptr -ALL", true},
    {"a/24", true},
    {"a/24//64", true},
    {"a//64", true},
    {"a//128", true},
    {"a/32", true},
    {"a/0", true},
    {"a/33", false},
    {"a//129", false},
    {"a/024", false},
    {"a/24/64", false},
    {"a/", false},
    {"a//", false},
    {"a:", false},
    {"a:/24", false},
    {"a:example.com/24", true},
    {"a:foo:bar/baz.example.com", true},
    {"a:%{d}/8", true},
    {"a:%{d2r./}/8", true},
    {"a:museum", false},
    {"a:museum.", false},
    {"a:example.com.", true},
    {"a:1.2.3.4", false},
    {"a:example.-com", false},
    {"a:example.c-m", true},
    {"mx:%{d}com", false},
    {"mx:%{d}.com", true},
    {"all:", false},
    {"all/8", false},
    {"-all.", false},
    {"include", false},
    {"include:", false},
    {"include:%{c}.example", false},
    {"exists", false},
    {"exists:%{x}.example", false},
    {"exists:%{d0}.example", false},
    {"exists:%{d2r.+-}", true},
    {"exists:%{}", false},
    {"exists:%{d", false},
    {"exists:%d.example", false},
    {"exists:%(d).example", false},
    {"exists:%%%_%-.example", true},
    {"ip4:192.0.2.1", true},
    {"ip4:192.0.2.0/24", true},
    {"ip4:192.0.2.0/33", false},
    {"ip4:192.0.2.0/08", false},
    {"ip4:192.0.2", false},
    {"ip4:192.0.2.1:25", false},
    {"ip4", false},
    {"ip4:", false},
    {"ip6:2001:db8::/32", true},
    {"ip6:::1.1.1.1/0", true},
    {"ip6:2001:db8::/129", false},
    {"ip6:192.0.2.1", false},
    {"ip:192.0.2.1", false},
    {"redirect=example.com", true},
    {"redirect=", false},
    {"redirect=museum", false},
    {"exp=%{d}", true},
    {"exp=", false},
    {"-redirect=example.com", false},
    {"default=softfail", true},
    {"moo.cow-far_out=man:dog/cat", true},
    {"moo=%{x}", false},
    {"moo=", true},
    {"moo=%", false},
    {"4you=x.example", false},
    {"unknown", false},
    {"a\tmx", false},
    {"exists:b\xc3\xbc.example", false},
    {"exists:nul.\x01.example", false},
};

static void terms_of_the_grammar_are_read_and_others_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(grammar); i++) {
        if (well_formed(grammar[i].terms) != grammar[i].good) {
            (void)printf("%s\n", grammar[i].terms);
        }
        assert_int_equal(well_formed(grammar[i].terms), grammar[i].good);
    }
}

static void only_a_space_or_the_end_may_follow_the_version(void **state)
{
    (void)state;
    assert_true(spf_is_record(STR("v=spf1")));
    assert_true(spf_is_record(STR("V=SPF1 -all")));
    assert_false(spf_is_record(STR("v=spf10")));
    assert_false(spf_is_record(STR("v=spf1\t-all")));
    assert_false(spf_is_record(STR(" v=spf1")));
}

/* The examples of RFC 7208 section 7.4, and what they leave out. */
static void macros_become_what_the_rfc_says(void **state)
{
    static const struct {
        const char *text, *v4, *v6;
    } rows[] = {
        {"%{s}", "strong-bad@email.example.com", NULL},
        {"%{o}", "email.example.com", NULL},
        {"%{d}", "email.example.com", NULL},
        {"%{d4}", "email.example.com", NULL},
        {"%{d2}", "example.com", NULL},
        {"%{d1}", "com", NULL},
        {"%{dr}", "com.example.email", NULL},
        {"%{d2r}", "example.email", NULL},
        {"%{l}", "strong-bad", NULL},
        {"%{l-}", "strong.bad", NULL},
        {"%{lr}", "strong-bad", NULL},
        {"%{lr-}", "bad.strong", NULL},
        {"%{l1r-}", "strong", NULL},
        {"%{ir}.%{v}._spf.%{d2}", "3.2.0.192.in-addr._spf.example.com",
         "1.0.B.C.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.B.D.0.1.0.0.2.ip6._spf.example.com"},
        {"%{lr-}.lp._spf.%{d2}", "bad.strong.lp._spf.example.com", NULL},
        {"%{d2}.trusted-domains.example.net", "example.com.trusted-domains.example.net", NULL},
        {"%{S}", "strong-bad%40email.example.com", NULL},
        {"%{c} %{C}", "192.0.2.3 192.0.2.3", "2001:db8::cb01 2001%3Adb8%3A%3Acb01"},
        {"%{t} %{h} %{r} %{p}", "1700000000 mx.example.org unknown mx.example.org", NULL},
        {"100%% %_%-", "100%  %20", NULL},
    };
    struct spf_values values = {
        .sender = STR("strong-bad@email.example.com"),
        .local = STR("strong-bad"),
        .sender_domain = STR("email.example.com"),
        .domain = STR("email.example.com"),
        .name = STR("mx.example.org"),
        .helo = STR("mx.example.org"),
        .receiver = STR("unknown"),
        .now = 1700000000,
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        for (int six = 0; six <= 1; six++) {
            struct buf out = {0};
            const char *expected = six && rows[i].v6 ? rows[i].v6 : rows[i].v4;
            if (!rows[i].v6 && six) {
                continue;
            }
            assert_true(ip_parse(six ? STR("2001:db8::cb01") : STR("192.0.2.3"), &values.ip));
            assert_true(spf_macro_expand(&out, str_from_cstr(rows[i].text), &values));
            assert_true(str_eq(buf_str(&out), str_from_cstr(expected)));
            buf_done(&out);
        }
    }
}

static void an_expansion_is_bounded(void **state)
{
    static char text[6 * SPF_EXPANDED_MAX];
    struct spf_values values = {.domain = STR("example.org")};
    struct buf out = {0};
    (void)state;
    for (size_t i = 0; i < sizeof text; i++) {
        text[i] = "%{d}"[i % 4];
    }
    assert_false(spf_macro_expand(&out, str_from(text, sizeof text), &values));
    assert_true(out.len <= SPF_EXPANDED_MAX + SPF_VALUE_MAX);
    buf_clear(&out);
    values.domain = str_from(text, SPF_VALUE_MAX + 1);
    assert_false(spf_macro_expand(&out, STR("%{d}"), &values));
    buf_done(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(terms_of_the_grammar_are_read_and_others_refused),
        cmocka_unit_test(only_a_space_or_the_end_may_follow_the_version),
        cmocka_unit_test(macros_become_what_the_rfc_says),
        cmocka_unit_test(an_expansion_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
