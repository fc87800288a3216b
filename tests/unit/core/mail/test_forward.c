#include "core/mail/forward.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct forward_owner owner = {.user = STR_INIT("ann"),
                                           .address = STR_INIT("ann@a.example")};
static struct forward forward;

static void each_form_is_what_it_is_for_sendmail_and_postfix(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum forward_kind kind;
        const char *target;
    } rows[] = {
        {"bob@b.example\n", FORWARD_ADDRESS, "bob@b.example"},
        {"bob", FORWARD_ADDRESS, "bob@a.example"},
        {"\\bob", FORWARD_ADDRESS, "bob@a.example"},
        {"\\ann", FORWARD_MAILBOX, ""},
        {"ann", FORWARD_MAILBOX, ""},
        {"ANN@a.example", FORWARD_MAILBOX, ""},
        {"/home/ann/box", FORWARD_FILE, "/home/ann/box"},
        {"/home/ann/Mail/", FORWARD_MAILDIR, "/home/ann/Mail/"},
        {"\"|/usr/bin/vacation -a x ann\"", FORWARD_PROGRAM, "/usr/bin/vacation -a x ann"},
        {"# a comment\n\n  |cat\n", FORWARD_PROGRAM, "cat"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena arena = {0};
        if (!forward_parse(str_from_cstr(rows[i].text), &owner, &arena, &forward)) {
            fail_msg("%s: %s", rows[i].text, forward.error);
        }
        assert_int_equal(forward.count, 1);
        assert_int_equal(forward.targets[0].kind, rows[i].kind);
        assert_true(str_eq(forward.targets[0].text, str_from_cstr(rows[i].target)));
        arena_done(&arena);
    }
}

static void one_wrong_line_makes_the_whole_file_void_and_is_named(void **state)
{
    (void)state;
    static const char *const rows[] = {":include:/etc/shadow", "\"unclosed", "a b@", "b@@c",
                                       "x\001y@b.example"};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena arena = {0};
        struct str text = arena_format(&arena, "bob@b.example\n%s\n", rows[i]);
        assert_false(forward_parse(text, &owner, &arena, &forward));
        assert_int_equal(forward.count, 0);
        assert_int_equal(forward.line, 2);
        assert_non_null(forward.error);
        arena_done(&arena);
    }
}

static void it_has_at_most_a_hundred_targets_and_64_kib(void **state)
{
    (void)state;
    struct arena arena = {0};
    char text[FORWARD_BYTES_MAX + 1];
    for (size_t i = 0; i < FORWARD_TARGETS_MAX; i++) {
        memcpy(text + i * 4, "bob\n", 4);
    }
    assert_true(forward_parse(str_from(text, 400), &owner, &arena, &forward));
    assert_int_equal(forward.count, FORWARD_TARGETS_MAX);
    memcpy(text + 400, "bob\n", 4);
    assert_false(forward_parse(str_from(text, 404), &owner, &arena, &forward));
    memset(text, '#', sizeof text);
    assert_true(forward_parse(str_from(text, FORWARD_BYTES_MAX), &owner, &arena, &forward));
    assert_int_equal(forward.count, 0);
    assert_false(forward_parse(str_from(text, sizeof text), &owner, &arena, &forward));
    arena_done(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_form_is_what_it_is_for_sendmail_and_postfix),
        cmocka_unit_test(one_wrong_line_makes_the_whole_file_void_and_is_named),
        cmocka_unit_test(it_has_at_most_a_hundred_targets_and_64_kib),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
