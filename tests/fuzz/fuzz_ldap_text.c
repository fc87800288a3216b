/* Property: a name that was put into a filter or a distinguished name is one value there: nothing
 * of it that these grammars know stands unescaped, and unescaped it is the name again. */
#include <stdio.h>
#include <stdlib.h>

#include "core/base/buf.h"
#include "stores/ldap_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned digit(char c)
{
    return (unsigned)(ascii_is_digit(c) ? c - '0' : ascii_lower(c) - 'a' + 10);
}

static void expect_value(struct str made, struct str name, struct str special)
{
    struct buf plain = {0};
    for (size_t i = 0; i < made.len; i++) {
        char c = made.ptr[i];
        if (c == '\\' && i + 2 < made.len && ascii_is_hex(made.ptr[i + 1]) &&
            ascii_is_hex(made.ptr[i + 2])) {
            c = (char)(digit(made.ptr[i + 1]) * 16 + digit(made.ptr[i + 2]));
            i += 2;
        } else if (c == '\0' || str_find(special, c) != STR_NONE) {
            (void)fprintf(stderr, "broken: octet %d stands unescaped\n", c);
            abort();
        }
        buf_add_char(&plain, c);
    }
    if (!plain.failed && !str_eq(buf_str(&plain), name)) {
        (void)fprintf(stderr, "broken: the value is not the name\n");
        abort();
    }
    buf_done(&plain);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str name = str_from((const char *)data, size);
    struct buf out = {0};
    ldap_filter(&out, STR("(uid={user})"), name);
    expect_value(str_head(str_tail(buf_str(&out), 5), out.len - 6), name, STR("*()\\"));
    buf_clear(&out);
    ldap_dn(&out, STR("uid={user},dc=x"), name);
    expect_value(str_head(str_tail(buf_str(&out), 4), out.len - 9), name, STR("\"+,;<=>\\ #"));
    buf_done(&out);
    return 0;
}
