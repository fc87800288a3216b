#include "core/base/encode.h"
#include "core/mail/address_list.h"
#include "core/mail/convert.h"
#include "core/mail/header.h"
#include "core/mail/transfer_encoding.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void fields_are_walked_with_their_folds_until_the_body(void **state)
{
    struct header_iter it =
        header_begin(STR("A: 1\r\nB :\r\n two\r\n\tthree\nC:\r\n\r\nbody: no\r\n"));
    struct header_field f;
    (void)state;
    assert_true(header_next(&it, &f));
    assert_true(str_eq(f.name, STR("A")) && str_eq(f.value, STR(" 1")));
    assert_true(header_next(&it, &f));
    assert_true(str_eq(f.name, STR("B")) && str_eq(f.value, STR("\r\n two\r\n\tthree")));
    assert_true(header_next(&it, &f));
    assert_true(str_eq(f.name, STR("C")) && f.value.len == 0);
    assert_false(header_next(&it, &f));
    assert_true(str_eq(header_body(&it), STR("body: no\r\n")));
}

static void what_is_no_field_ends_the_header(void **state)
{
    static const char *const none[] = {
        "", "\r\n", "no colon\r\n", ": empty\r\n", " fold: x\r\n", "a b: c\r\n", "\xc3\xa4: x\r\n"};
    struct header_field f;
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(none); i++) {
        struct header_iter it = header_begin(str_from_cstr(none[i]));
        assert_false(header_next(&it, &f));
    }
}

static void addresses_are_found_in_every_form_of_a_list(void **state)
{
    static const char *const rows[][2] = {
        {"a@b, c@d", "a@b|c@d|"},
        {"Anna <a@b>", "a@b|"},
        {"\"B, C\" <a@b>, d", "a@b|d|"},
        {"group: a@b, C <c@d>; e@f", "a@b|c@d|e@f|"},
        {"undisclosed-recipients:;", ""},
        {"a (comment (nested, \\)) ) @ b", "a@b|"},
        {"<@r1,@r2:a@b>", "a@b|"},
        {"\"quoted local\"@b", "\"quoted local\"@b|"},
        {"a@[192.0.2.1]", "a@[192.0.2.1]|"},
        {",, ,a@b,,", "a@b|"},
        {"a@b,\r\n\tc@d", "a@b|c@d|"},
        {"\"open", "!"},
        {"a@b, (open", "a@b|!"},
        {"<a@b", "!"},
        {"<a@b> <>", "!"},
        {"<a@b> <c@d>", "!"},
        {"<a@b>:;, c@d", "!"},
        {"<a@b> >c, d@e", "!"},
        {"a@b>", "!"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct address_list list = {.rest = str_from_cstr(rows[i][0])};
        struct buf address = {0};
        struct buf found = {0};
        while (address_list_next(&list, &address)) {
            buf_add(&found, buf_str(&address));
            buf_add_char(&found, '|');
        }
        buf_add(&found, list.damaged ? STR("!") : STR(""));
        if (!str_eq(buf_str(&found), str_from_cstr(rows[i][1]))) {
            fail_msg("%s: %.*s", rows[i][0], STR_ARG(buf_str(&found)));
        }
        buf_done(&found);
        buf_done(&address);
    }
}

static void quoted_printable_comes_back_and_its_lines_are_short(void **state)
{
    struct buf bytes = {0};
    struct buf text = {0};
    struct buf back = {0};
    (void)state;
    for (int i = 0; i < 1000; i++) {
        buf_add_char(&bytes, (char)(i * 7 % 256));
        buf_add(&bytes, i % 100 == 99 ? STR(" \r\n") : STR(" "));
    }
    quoted_printable_encode(&text, buf_str(&bytes));
    for (struct str rest = buf_str(&text); rest.len > 0;) {
        struct str line = str_split(&rest, '\n');
        assert_true(line.len <= 77); /* with its CR */
    }
    assert_true(quoted_printable_decode(&back, buf_str(&text)));
    assert_true(str_eq(buf_str(&back), buf_str(&bytes)));
    buf_done(&bytes);
    buf_done(&text);
    buf_done(&back);
}

static void a_message_with_parts_becomes_7bit_part_by_part(void **state)
{
    struct str message =
        STR("MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"=_b\"\r\n"
            "Content-Transfer-Encoding: 8bit\r\n\r\npreamble\r\n--=_b\r\n"
            "Content-Type: text/plain; charset=utf-8\r\n"
            "Content-Transfer-Encoding: 8bit\r\n\r\n\xc3\xa4=\r\n--=_b\r\n\r\nplain\r\n"
            "--=_b--\r\n");
    struct str expected =
        STR("MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"=_b\"\r\n"
            "Content-Transfer-Encoding: 7bit\r\n\r\npreamble\r\n--=_b\r\n"
            "Content-Type: text/plain; charset=utf-8\r\n"
            "Content-Transfer-Encoding: quoted-printable\r\n\r\n=C3=A4=3D\r\n--=_b\r\n\r\nplain\r\n"
            "--=_b--\r\n");
    struct buf out = {0};
    (void)state;
    assert_int_equal(convert_body(message, BODY_7BIT, &out), CONVERT_OK);
    assert_true(str_eq(buf_str(&out), expected));
    buf_done(&out);
}

static void binary_becomes_base64(void **state)
{
    struct str message = STR("MIME-Version: 1.0\r\nContent-Type: image/png\r\n"
                             "Content-Transfer-Encoding: binary\r\n\r\n\0\n\r\xff");
    struct buf out = {0};
    (void)state;
    assert_int_equal(convert_body(message, BODY_8BITMIME, &out), CONVERT_OK);
    assert_true(str_ends(buf_str(&out), STR("base64\r\n\r\nAAoN/w==\r\n")));
    buf_done(&out);
}

static void what_may_not_be_changed_is_refused(void **state)
{
    static const char *const rows[] = {
        "Content-Type: multipart/signed; boundary=b\r\n\r\n--b\r\n\r\n\xff\r\n--b--\r\n",
        "MIME-Version: 1.0\r\nContent-Type: multipart/mixed\r\n\r\n\xff\r\n",
        "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n\xff\r\n",
        "MIME-Version: 1.0\r\nContent-Type: message/partial\r\n\r\n\xff\r\n",
        "MIME-Version: 1.0\r\nContent-Transfer-Encoding: base64\r\n\r\n\xff\r\n",
        "Subject: \xff\r\n\r\nx\r\n",
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct buf out = {0};
        if (convert_body(str_from_cstr(rows[i]), BODY_7BIT, &out) != CONVERT_IMPOSSIBLE) {
            fail_msg("row %zu", i);
        }
        buf_done(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_are_walked_with_their_folds_until_the_body),
        cmocka_unit_test(what_is_no_field_ends_the_header),
        cmocka_unit_test(addresses_are_found_in_every_form_of_a_list),
        cmocka_unit_test(quoted_printable_comes_back_and_its_lines_are_short),
        cmocka_unit_test(a_message_with_parts_becomes_7bit_part_by_part),
        cmocka_unit_test(binary_becomes_base64),
        cmocka_unit_test(what_may_not_be_changed_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
