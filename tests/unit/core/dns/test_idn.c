#include "core/dns/idn.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void u_labels_become_a_labels(void **state)
{
    (void)state;
    static const struct {
        const char *from, *to;
    } rows[] = {
        {"B\xc3\xbc"
         "cher.example",
         "xn--bcher-kva.example"},
        {"b\xc3\xbc"
         "cher.example",
         "xn--bcher-kva.example"},
        {"fa\xc3\x9f.de", "xn--fa-hia.de"}, /* not "fass": non-transitional */
        {"EXAMPLE.Org", "example.org"},
        {"_x.example.org", "_x.example.org"},
        {"xn--bcher-kva.example", "xn--bcher-kva.example"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct buf out = {0};
        assert_true(idn_to_ascii(&out, str_from_cstr(rows[i].from)));
        assert_true(str_eq(buf_str(&out), str_from_cstr(rows[i].to)));
        buf_done(&out);
    }
}

static void what_is_no_name_appends_nothing(void **state)
{
    (void)state;
    static const struct str bad[] = {STR_INIT(""), STR_INIT("a\0b"), STR_INIT("\xff\xfe.example"),
                                     STR_INIT("\xe2\x80\xae.example")};
    struct buf out = {0};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        assert_false(idn_to_ascii(&out, bad[i]));
        assert_int_equal(out.len, 0);
    }
    char longer[1025];
    memset(longer, 'a', sizeof longer);
    assert_false(idn_to_ascii(&out, str_from(longer, sizeof longer)));
    buf_done(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(u_labels_become_a_labels),
        cmocka_unit_test(what_is_no_name_appends_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
