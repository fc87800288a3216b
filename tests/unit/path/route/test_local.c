#include "path/route/local.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "house.h"

struct row {
    const char *address;
    enum local_verdict verdict;
    const char *local, *tag;
    const char *single; /* or the alias's name, after "=" */
    const char *owner;
};

static const struct row rows[] = {
    {"ann@example.org", LOCAL_MAILBOX, "ann", "", "", ""},
    {"Ann@EXAMPLE.org", LOCAL_MAILBOX, "ann", "", "", ""},
    {"\"ann\"@example.org", LOCAL_MAILBOX, "ann", "", "", ""},
    {"ann+lists@example.org", LOCAL_MAILBOX, "ann", "lists", "", ""},
    {"ann+a+b@example.org", LOCAL_MAILBOX, "ann", "a+b", "", ""},
    {"ann+@example.org", LOCAL_MAILBOX, "ann", "", "", ""},
    {"c+c@example.org", LOCAL_MAILBOX, "c+c", "", "", ""}, /* a user with the separator */
    {"+ann@example.org", LOCAL_UNKNOWN, "+ann", "", "", ""},
    {"nobody@example.org", LOCAL_UNKNOWN, "nobody", "", "", ""},
    {"nobody+x@example.org", LOCAL_UNKNOWN, "nobody", "x", "", ""},
    {"team@example.org", LOCAL_ALIAS, "team", "", "=team", "owner-team@example.org"},
    {"team+x@example.org", LOCAL_ALIAS, "team", "x", "=team", "owner-team@example.org"},
    {"owner-team@example.org", LOCAL_ALIAS, "owner-team", "", "=owner-team", ""},
    {"full@example.org", LOCAL_ALIAS, "full", "", "=full@example.org", ""},
    {"bob@example.org", LOCAL_ALIAS, "bob", "", "=bob", ""},
    {"\\bob@example.org", LOCAL_MAILBOX, "bob", "", "", ""},
    {"\\team@example.org", LOCAL_UNKNOWN, "team", "", "", ""},
    {"postmaster@example.org", LOCAL_ALIAS, "postmaster", "", "ann@example.org", ""},
    {"Postmaster@mx.example.org", LOCAL_MAILBOX, "postmaster", "", "", ""},
    {"other@mx.example.org", LOCAL_NOT_OURS, "", "", "", ""},
    {"anyone@any.example", LOCAL_MAILBOX, "anyone", "", "", ""},
    {"any+tag@any.example", LOCAL_MAILBOX, "any", "tag", "", ""},
    {"postmaster@any.example", LOCAL_MAILBOX, "postmaster", "", "", ""},
    {"anyone@catch.example", LOCAL_ALIAS, "anyone", "", "ann@example.org", ""},
    {"user-tag@catch.example", LOCAL_MAILBOX, "user", "tag", "", ""},
    {"user+tag@catch.example", LOCAL_ALIAS, "user+tag", "", "ann@example.org", ""},
    {"ann@elsewhere.example", LOCAL_NOT_OURS, "", "", "", ""},
    {"ann@sub.example.org", LOCAL_NOT_OURS, "", "", "", ""},
    {"any@[192.0.2.25]", LOCAL_MAILBOX, "any", "", "", ""},
    {"ann@[192.0.2.26]", LOCAL_NOT_OURS, "", "", "", ""},
    {"ann@b\xc3\xbc"
     "cher.example",
     LOCAL_MAILBOX, "ann", "", "", ""},
    {"no address", LOCAL_NOT_OURS, "", "", "", ""},
    {"", LOCAL_NOT_OURS, "", "", "", ""},
};

static void an_address_is_a_mailbox_an_alias_unknown_or_anothers(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena arena = {0};
        struct local_answer a;
        local_find(&house, str_from_cstr(rows[i].address), &arena, &a);
        struct str led = a.alias ? arena_format(&arena, "=%.*s", STR_ARG(a.alias->name)) : a.single;
        if (a.verdict != rows[i].verdict || !str_eq(led, str_from_cstr(rows[i].single)) ||
            !str_eq(a.local, str_from_cstr(rows[i].local)) ||
            !str_eq(a.tag, str_from_cstr(rows[i].tag)) ||
            !str_eq(a.owner, str_from_cstr(rows[i].owner))) {
            fail_msg("%s: verdict %d, local %.*s, tag %.*s, leads to %.*s, owner %.*s",
                     rows[i].address, (int)a.verdict, STR_ARG(a.local), STR_ARG(a.tag),
                     STR_ARG(led), STR_ARG(a.owner));
        }
        arena_done(&arena);
    }
}

static void postmaster_is_somebody_in_every_domain(void **state)
{
    (void)state;
    struct arena arena = {0};
    struct local_answer a;
    struct config config = house;
    config.queue.bounce_postmaster = STR("chief@elsewhere.example");
    local_find(&config, STR("postmaster@example.org"), &arena, &a);
    assert_int_equal(a.verdict, LOCAL_ALIAS);
    assert_true(str_eq(a.single, STR("chief@elsewhere.example")));
    /* Named for itself: that cannot be meant. */
    config.queue.bounce_postmaster = STR("postmaster@example.org");
    local_find(&config, STR("POSTMASTER@example.org"), &arena, &a);
    assert_true(str_eq(a.single, STR("ann@example.org")));
    config.queue.bounce_postmaster = STR("");
    struct config_domain empty[] = {{.name = STR_INIT("empty.example")}};
    config.domains = empty;
    config.domain_count = 1;
    local_find(&config, STR("postmaster@empty.example"), &arena, &a);
    assert_int_equal(a.verdict, LOCAL_MAILBOX);
    assert_true(str_eq(a.local, STR("postmaster")));
    local_find(&config, STR("ann@empty.example"), &arena, &a);
    assert_int_equal(a.verdict, LOCAL_UNKNOWN);
    arena_done(&arena);
}

static void a_catch_all_that_is_no_mailbox_leads_nowhere(void **state)
{
    (void)state;
    struct arena arena = {0};
    struct local_answer a;
    struct config config = house;
    struct config_domain domains[] = {
        {.name = STR_INIT("a.example"), .catch_all = STR_INIT("lost")}};
    config.domains = domains;
    config.domain_count = 1;
    local_find(&config, STR("x@a.example"), &arena, &a);
    assert_true(str_eq(a.single, STR("lost@a.example")));
    local_find(&config, STR("lost@a.example"), &arena, &a);
    assert_int_equal(a.verdict, LOCAL_UNKNOWN);
    arena_done(&arena);
}

static void in_the_sandbox_every_domain_is_ours(void **state)
{
    (void)state;
    struct arena arena = {0};
    struct local_answer a;
    struct config_domain all[] = {{.name = STR_INIT("*"), .any_user = true, .tag_separator = '+'}};
    struct config config = {.sandbox = true, .domains = all, .domain_count = 1};
    static const char *const addresses[] = {"a@gmail.com", "a+x@[127.0.0.1]", "a@localhost",
                                            ("a@b\xc3\xbc"
                                             "cher.example")};
    for (size_t i = 0; i < ARRAY_LEN(addresses); i++) {
        local_find(&config, str_from_cstr(addresses[i]), &arena, &a);
        assert_int_equal(a.verdict, LOCAL_MAILBOX);
        assert_true(str_eq(a.local, STR("a")));
    }
    config.sandbox = false; /* "*" is no wildcard otherwise */
    local_find(&config, STR("a@gmail.com"), &arena, &a);
    assert_int_equal(a.verdict, LOCAL_NOT_OURS);
    arena_done(&arena);
}

static void members_come_in_order_and_once_with_a_domain(void **state)
{
    (void)state;
    static const char *const expected[] = {
        "ann@example.org",   "Bob@elsewhere.example", "\\/var/mail/archive", "\\/VAR/mail/archive",
        "\\|/bin/filter -x", "\\carl@example.org",    "\\team@example.org",  "\"a@b\"@example.org"};
    struct arena arena = {0};
    struct local_answer a;
    size_t count = 0;
    local_find(&house, STR("team@example.org"), &arena, &a);
    struct str *members = local_targets(&a, &arena, &count);
    assert_non_null(members);
    assert_int_equal(count, ARRAY_LEN(expected));
    for (size_t i = 0; i < count; i++) {
        assert_true(str_eq(members[i], str_from_cstr(expected[i])));
    }
    /* For people the marks are gone. */
    members = local_members(&a, &arena, &count);
    assert_int_equal(count, ARRAY_LEN(expected));
    assert_true(str_eq(members[4], STR("|/bin/filter -x")));
    assert_true(str_eq(members[5], STR("carl@example.org")));
    local_find(&house, STR("x@catch.example"), &arena, &a);
    members = local_members(&a, &arena, &count);
    assert_int_equal(count, 1);
    assert_true(str_eq(members[0], STR("ann@example.org")));
    arena_done(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_address_is_a_mailbox_an_alias_unknown_or_anothers),
        cmocka_unit_test(postmaster_is_somebody_in_every_domain),
        cmocka_unit_test(a_catch_all_that_is_no_mailbox_leads_nowhere),
        cmocka_unit_test(in_the_sandbox_every_domain_is_ours),
        cmocka_unit_test(members_come_in_order_and_once_with_a_domain),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
