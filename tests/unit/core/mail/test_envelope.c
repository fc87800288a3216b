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

static unsigned number_in(struct str address)
{
    unsigned value = 0;
    for (size_t i = 1; i < address.len && ascii_is_digit(address.ptr[i]); i++) {
        value = value * 10 + (unsigned)(address.ptr[i] - '0');
    }
    return value;
}

static void whoever_moves_takes_along_what_was_said_of_them(void **state)
{
    (void)state;
    enum { COUNT = 1000 };
    static struct envelope_rcpt rcpts[COUNT];
    struct arena arena = {0};
    for (unsigned i = 0; i < COUNT; i++) {
        unsigned n = i * 617 % COUNT;
        rcpts[i] = (struct envelope_rcpt){.address = arena_format(&arena, "u%u@d%u.x", n, n % 37),
                                          .orcpt = arena_format(&arena, "rfc822;%u", n),
                                          .notify = (uint8_t)(n % 16)};
    }
    struct envelope e = {.rcpts = rcpts, .rcpt_count = COUNT};
    assert_true(envelope_group_rcpts(&e, &arena));
    assert_int_equal(e.rcpt_count, COUNT);
    unsigned domains = 1;
    static bool seen[COUNT];
    for (unsigned i = 0; i < COUNT; i++) {
        unsigned n = number_in(rcpts[i].address);
        domains += i > 0 && n % 37 != number_in(rcpts[i - 1].address) % 37;
        assert_false(seen[n]);
        seen[n] = true;
        assert_int_equal(rcpts[i].notify, n % 16);
        assert_true(str_eq(rcpts[i].orcpt, arena_format(&arena, "rfc822;%u", n)));
    }
    assert_int_equal(domains, 37);
    arena_done(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whoever_moves_takes_along_what_was_said_of_them),
        cmocka_unit_test(recipients_of_a_domain_come_together_and_the_first_of_an_address_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
