#include "postman/letter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

/* Whether what comes on standard input is taken; `letter` is then it. */
static bool arrives(struct str bytes, uint64_t most, struct letter *letter)
{
    int input = memfd_create("input", MFD_CLOEXEC);
    assert_int_equal(write(input, bytes.ptr, bytes.len), (ssize_t)bytes.len);
    assert_int_equal(lseek(input, 0, SEEK_SET), 0);
    assert_int_equal(dup2(input, STDIN_FILENO), STDIN_FILENO);
    close(input);
    bool taken = letter_read(letter, STR("id7"), most);
    close(letter->file);
    return taken;
}

static void a_message_is_what_stands_before_its_id(void **state)
{
    (void)state;
    static const char *const rows[] = {"Subject: x\n\nhello\n", "id7", "a"};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct letter letter;
        char bytes[64];
        size_t len = strlen(rows[i]);
        memcpy(bytes, rows[i], len);
        memcpy(bytes + len, "id7", 3);
        assert_true(arrives(str_from(bytes, len + 3), 100, &letter));
        assert_true(str_eq(letter.text, str_from_cstr(rows[i])));
    }
}

static void one_that_breaks_off_anywhere_is_none(void **state)
{
    (void)state;
    struct str whole = STR("Subject: x\n\nhello\nid7");
    for (size_t len = 0; len < whole.len; len++) {
        struct letter letter;
        assert_false(arrives(str_head(whole, len), 100, &letter));
    }
}

static void it_is_no_longer_than_it_may_be(void **state)
{
    (void)state;
    struct letter letter;
    char *bytes = malloc(200000);
    memset(bytes, 'x', 200000);
    memcpy(bytes + 199997, "id7", 3);
    assert_true(arrives(str_from(bytes, 200000), 200000, &letter));
    assert_int_equal(letter.text.len, 199997);
    assert_false(arrives(str_from(bytes, 200000), 199999, &letter));
    free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_is_what_stands_before_its_id),
        cmocka_unit_test(one_that_breaks_off_anywhere_is_none),
        cmocka_unit_test(it_is_no_longer_than_it_may_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
