#include "world/suffixes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void a_name_belongs_to_what_stands_below_a_public_suffix(void **state)
{
    static const struct {
        const char *name, *organisation;
    } rows[] = {
        {"example.org", "example.org"},
        {"a.b.example.org", "example.org"},
        {"mail.example.co.uk", "example.co.uk"},
        {"co.uk", "co.uk"}, /* nobody's: itself */
        {"a.b.unlisted", "b.unlisted"},
        {"mx.xn--bcher-kva.example", "xn--bcher-kva.example"},
        {"org", "org"},
        {"", ""},
    };
    struct suffixes *suffixes = suffixes_new();
    (void)state;
    assert_non_null(suffixes);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct str found = suffixes->organisation(suffixes, str_from_cstr(rows[i].name));
        assert_true(str_eq(found, str_from_cstr(rows[i].organisation)));
    }
    suffixes_free(suffixes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_belongs_to_what_stands_below_a_public_suffix),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
