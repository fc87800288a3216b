#include "control/pickup_format.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct envelope_rcpt rcpts[] = {
    {STR_INIT("a@b.example"), STR_INIT("rfc822;x"), NOTIFY_FAILURE},
    {STR_INIT("\"c d\"@b.example"), STR_INIT(""), 0},
};

static void write_head(struct buf *out, size_t rcpt_count)
{
    pickup_format_head(out, &(struct envelope){.reverse_path = STR("s@y.example"),
                                               .user = STR("ann"),
                                               .protocol = STR("local"),
                                               .submitted = true,
                                               .rcpts = rcpts,
                                               .rcpt_count = rcpt_count});
    assert_false(out->failed);
}

static void what_was_left_is_found_whatever_follows(void **state)
{
    (void)state;
    struct buf out = {0};
    struct arena arena = {0};
    struct envelope e = {0};
    size_t head = 0;
    write_head(&out, 2);
    size_t len = out.len;
    buf_add(&out, STR("Subject: x\r\n\r\n"));
    assert_true(pickup_read_head(buf_str(&out), &arena, &e, &head));
    assert_int_equal(head, len);
    assert_int_equal(e.rcpt_count, 2);
    assert_true(str_eq(e.reverse_path, STR("s@y.example")) && str_eq(e.user, STR("ann")));
    assert_true(str_eq(e.rcpts[1].address, STR("\"c d\"@b.example")) && e.submitted);
    buf_done(&out);
    arena_done(&arena);
}

static void a_piece_of_it_is_damaged(void **state)
{
    (void)state;
    struct buf out = {0};
    struct arena arena = {0};
    struct envelope e;
    size_t head = 0;
    write_head(&out, 2);
    for (size_t len = 0; len < out.len; len++) {
        assert_false(pickup_read_head(str_head(buf_str(&out), len), &arena, &e, &head));
    }
    for (size_t at = 0; at < 23; at++) { /* the first line and the length */
        out.ptr[at] = (char)(out.ptr[at] ^ 1);
        assert_false(pickup_read_head(buf_str(&out), &arena, &e, &head));
        out.ptr[at] = (char)(out.ptr[at] ^ 1);
    }
    buf_done(&out);
    arena_done(&arena);
}

static void a_message_for_nobody_is_damaged(void **state)
{
    (void)state;
    struct buf out = {0};
    struct arena arena = {0};
    struct envelope e;
    size_t head = 0;
    write_head(&out, 0);
    assert_false(pickup_read_head(buf_str(&out), &arena, &e, &head));
    buf_done(&out);
    arena_done(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_left_is_found_whatever_follows),
        cmocka_unit_test(a_piece_of_it_is_damaged),
        cmocka_unit_test(a_message_for_nobody_is_damaged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
