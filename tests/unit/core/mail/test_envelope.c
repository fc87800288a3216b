#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/mail/envelope.h"

static void recipients_of_a_domain_come_together_and_the_first_of_an_address_stays(void **state)
{
    (void)state;
    struct arena arena = {0};
    struct envelope_rcpt rcpts[] = {
        {.address = STR("b@two.example"), .notify = NOTIFY_NEVER},
        {.address = STR("a@one.example")},
        {.address = STR("a@two.example")},
        {.address = STR("b@two.example"), .notify = NOTIFY_SUCCESS},
        {.address = STR("\"x@two.example\"@one.example")},
        {.address = STR("a@one.example"), .notify = NOTIFY_FAILURE},
    };
    static const struct str wanted[] = {
        STR_INIT("\"x@two.example\"@one.example"),
        STR_INIT("a@one.example"),
        STR_INIT("a@two.example"),
        STR_INIT("b@two.example"),
    };
    struct envelope e = {.rcpts = rcpts, .rcpt_count = ARRAY_LEN(rcpts)};
    assert_true(envelope_group_rcpts(&e, &arena));
    assert_int_equal(e.rcpt_count, ARRAY_LEN(wanted));
    for (size_t i = 0; i < ARRAY_LEN(wanted); i++) {
        assert_true(str_eq(e.rcpts[i].address, wanted[i]));
    }
    assert_int_equal(e.rcpts[1].notify, 0);
    assert_int_equal(e.rcpts[3].notify, NOTIFY_NEVER);
    arena_done(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(recipients_of_a_domain_come_together_and_the_first_of_an_address_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
