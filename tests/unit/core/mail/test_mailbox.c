#include "core/mail/path.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static enum mailbox_error parse(const char *text)
{
    struct mailbox m;
    return mailbox_parse(str_from_cstr(text), &m);
}

static void addresses_of_the_grammar_are_read_and_others_refused(void **state)
{
    static const struct {
        const char *text;
        enum mailbox_error error;
    } rows[] = {
        {"a@b", MAILBOX_OK},
        {"a.b.c@example.org", MAILBOX_OK},
        {"!#$%&'*+-/=?^_`{|}~@example.org", MAILBOX_OK},
        {"\"\"@example.org", MAILBOX_OK},
        {"\"a b\\\"c\\\\\"@example.org", MAILBOX_OK},
        {"a@[192.0.2.1]", MAILBOX_OK},
        {"a@[IPv6:2001:db8::1]", MAILBOX_OK},
        {"a@[ipv6:::1]", MAILBOX_OK},
        {"a@[tag:content]", MAILBOX_SYNTAX},
        {"\xc3\xa4@\xc3\xb6.example", MAILBOX_OK},
        {"", MAILBOX_SYNTAX},
        {"a", MAILBOX_SYNTAX},
        {"@b", MAILBOX_SYNTAX},
        {"a@", MAILBOX_SYNTAX},
        {".a@b", MAILBOX_SYNTAX},
        {"a.@b", MAILBOX_SYNTAX},
        {"a..b@c", MAILBOX_SYNTAX},
        {"a b@c", MAILBOX_SYNTAX},
        {"a@b.", MAILBOX_SYNTAX},
        {"a@.b", MAILBOX_SYNTAX},
        {"a@-b", MAILBOX_SYNTAX},
        {"a@b-", MAILBOX_SYNTAX},
        {"a@xn---", MAILBOX_SYNTAX},
        {"a@b_c", MAILBOX_SYNTAX},
        {"a@[192.0.2.256]", MAILBOX_SYNTAX},
        {"a@[2001:db8::1]", MAILBOX_SYNTAX}, /* no tag of that name is registered */
        {"a@[IPv6:192.0.2.1]", MAILBOX_SYNTAX},
        {"a@[]", MAILBOX_SYNTAX},
        {"\"a@b", MAILBOX_SYNTAX},
        {"\"a\"b@c", MAILBOX_SYNTAX},
        {"\\a@b", MAILBOX_SYNTAX},
        {"a@b@c", MAILBOX_SYNTAX},
        {"a@b c", MAILBOX_SYNTAX},
        {"\x80@b", MAILBOX_SYNTAX},
        {"\xc0\xaf@b", MAILBOX_SYNTAX},
        {"a\x01@b", MAILBOX_SYNTAX},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (parse(rows[i].text) != rows[i].error) {
            fail_msg("%s", rows[i].text);
        }
    }
}

static enum mailbox_error parse_lengths(size_t local, size_t label_count)
{
    struct buf text = {0};
    struct mailbox m;
    for (size_t i = 0; i < local; i++) {
        buf_add_char(&text, 'l');
    }
    buf_add_char(&text, '@');
    for (size_t i = 0; i < label_count; i++) {
        buf_add(&text, i ? STR(".d") : STR("d"));
    }
    enum mailbox_error error = mailbox_parse(buf_str(&text), &m);
    buf_done(&text);
    return error;
}

static void lengths_of_4_5_3_1_hold_at_n_and_n_plus_1(void **state)
{
    char label[80] = "a@";
    (void)state;
    assert_int_equal(parse_lengths(64, 3), MAILBOX_OK);
    assert_int_equal(parse_lengths(65, 3), MAILBOX_LOCAL_TOO_LONG);
    assert_int_equal(parse_lengths(1, 126), MAILBOX_OK); /* 1 + 1 + 251 = 253 */
    assert_int_equal(parse_lengths(2, 126), MAILBOX_OK);
    assert_int_equal(parse_lengths(3, 126), MAILBOX_TOO_LONG);
    assert_int_equal(parse_lengths(1, 128), MAILBOX_TOO_LONG); /* a domain of 255 */
    assert_int_equal(parse_lengths(1, 129), MAILBOX_DOMAIN_TOO_LONG);
    memset(label + 2, 'x', 63);
    assert_int_equal(parse(label), MAILBOX_OK);
    label[65] = 'x';
    assert_int_equal(parse(label), MAILBOX_SYNTAX);
}

static void the_canonical_form_quotes_only_where_needed(void **state)
{
    static const char *const rows[][2] = {
        {"A.b@Example.ORG", "A.b@example.org"},
        {"\"plain\"@B", "plain@b"},
        {"\"a\\ b\"@B", "\"a b\"@b"},
        {"\"a\\\"b\\\\\"@b", "\"a\\\"b\\\\\"@b"},
        {"\"\"@b", "\"\"@b"},
        {"\".\"@b", "\".\"@b"},
        {"a@[IPv6:2001:DB8:0:0::1]", "a@[IPv6:2001:db8::1]"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct mailbox m;
        struct buf out = {0};
        assert_int_equal(mailbox_parse(str_from_cstr(rows[i][0]), &m), MAILBOX_OK);
        mailbox_format(&out, &m);
        assert_int_equal(out.len, strlen(rows[i][1]));
        assert_memory_equal(out.ptr, rows[i][1], out.len);
        buf_done(&out);
    }
}

static void paths_drop_source_routes_and_know_null_and_postmaster(void **state)
{
    struct path path;
    struct scan sc = {.rest = STR("<@a.example,@b.example:c@d.example> SIZE=1")};
    (void)state;
    assert_int_equal(reverse_path_scan(&sc, &path), MAILBOX_OK);
    assert_true(str_eq(path.mailbox.domain.text, STR("d.example")));
    assert_true(str_eq(sc.rest, STR(" SIZE=1")));
    sc = (struct scan){.rest = STR("<>")};
    assert_int_equal(reverse_path_scan(&sc, &path), MAILBOX_OK);
    assert_true(path.null);
    sc = (struct scan){.rest = STR("<>")};
    assert_int_equal(forward_path_scan(&sc, &path), MAILBOX_SYNTAX);
    sc = (struct scan){.rest = STR("<PostMaster>")};
    assert_int_equal(forward_path_scan(&sc, &path), MAILBOX_OK);
    assert_true(path.postmaster);
    sc = (struct scan){.rest = STR("<PostMaster>")};
    assert_int_equal(reverse_path_scan(&sc, &path), MAILBOX_SYNTAX);
    sc = (struct scan){.rest = STR("<a@b")};
    assert_int_equal(forward_path_scan(&sc, &path), MAILBOX_SYNTAX);
}

/* Cases of the suite that RFC 5321 contradicts, by id, with its sentence. */
static const struct {
    const char *id;
    const char *sentence;
} contradicted[] = {
    {"", ""},
};

static bool is_contradicted(const char *id)
{
    for (size_t i = 0; i < ARRAY_LEN(contradicted); i++) {
        if (*contradicted[i].id && strcmp(id, contradicted[i].id) == 0) {
            return true;
        }
    }
    return false;
}

static void the_isemail_suite_agrees(void **state)
{
    json_t *suite =
        json_load_file(SOURCE_DIR "/../shared/testdata/address-isemail.json", JSON_ALLOW_NUL, NULL);
    size_t i;
    json_t *row;
    unsigned wrong = 0;
    (void)state;
    if (!suite) {
        print_message("address-isemail.json is not here: skipped\n");
        skip();
    }
    json_array_foreach(suite, i, row)
    {
        const json_t *address = json_object_get(row, "address");
        struct str text = str_from(json_string_value(address), json_string_length(address));
        const char *id = json_string_value(json_object_get(row, "id"));
        bool valid = json_is_true(json_object_get(row, "valid_5321"));
        struct mailbox m;
        bool parsed = mailbox_parse(text, &m) == MAILBOX_OK;
        if (parsed != valid && !is_contradicted(id)) {
            print_message("case %s: <%.*s> should be %s\n", id, STR_ARG(text),
                          valid ? "valid" : "refused");
            wrong++;
        }
    }
    json_decref(suite);
    assert_int_equal(wrong, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_of_the_grammar_are_read_and_others_refused),
        cmocka_unit_test(lengths_of_4_5_3_1_hold_at_n_and_n_plus_1),
        cmocka_unit_test(the_canonical_form_quotes_only_where_needed),
        cmocka_unit_test(paths_drop_source_routes_and_know_null_and_postmaster),
        cmocka_unit_test(the_isemail_suite_agrees),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
