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

static void texts_that_would_write_lines_of_their_own_are_damage(void **state)
{
    (void)state;
    static const struct {
        struct str sender, rcpt, orcpt, user, helo;
        bool fine;
    } rows[] = {
        {STR_INIT("a@b"), STR_INIT("c@d"), STR_INIT("rfc822;x"), STR_INIT("u"), STR_INIT("h"),
         true},
        {STR_INIT(""), STR_INIT("\"c d\"@e"), STR_INIT(""), STR_INIT(""), STR_INIT(""), true},
        {STR_INIT("a@b>\r\nX: <"), STR_INIT("c@d"), STR_INIT(""), STR_INIT(""), STR_INIT(""),
         false},
        {STR_INIT("a"), STR_INIT("c@d"), STR_INIT(""), STR_INIT(""), STR_INIT(""), false},
        {STR_INIT("a@b"), STR_INIT("c@d\nX: y"), STR_INIT(""), STR_INIT(""), STR_INIT(""), false},
        {STR_INIT("a@b"), STR_INIT("../c@d"), STR_INIT(""), STR_INIT(""), STR_INIT(""), false},
        {STR_INIT("a@b"), STR_INIT("..@d"), STR_INIT(""), STR_INIT(""), STR_INIT(""), false},
        {STR_INIT("a@b"), STR_INIT(""), STR_INIT(""), STR_INIT(""), STR_INIT(""), false},
        {STR_INIT("a@b"), STR_INIT("c@d"), STR_INIT("rfc822;x\ry"), STR_INIT(""), STR_INIT(""),
         false},
        {STR_INIT("a@b"), STR_INIT("c@d"), STR_INIT(""), STR_INIT("u\0"), STR_INIT(""), false},
        {STR_INIT("a@b"), STR_INIT("c@d"), STR_INIT(""), STR_INIT(""), STR_INIT("h\177"), false},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct buf out = {0};
        struct arena arena = {0};
        struct envelope e;
        size_t head = 0;
        struct envelope_rcpt rcpt = {rows[i].rcpt, rows[i].orcpt, 0};
        pickup_format_head(&out, &(struct envelope){.reverse_path = rows[i].sender,
                                                    .user = rows[i].user,
                                                    .helo = rows[i].helo,
                                                    .rcpts = &rcpt,
                                                    .rcpt_count = 1});
        if (pickup_read_head(buf_str(&out), &arena, &e, &head) != rows[i].fine) {
            fail_msg("row %zu", i);
        }
        buf_done(&out);
        arena_done(&arena);
    }
}

static void a_report_is_never_picked_up(void **state)
{
    (void)state;
    struct buf out = {0};
    struct arena arena = {0};
    struct envelope e;
    size_t head = 0;
    pickup_format_head(&out,
                       &(struct envelope){.is_report = true, .rcpts = rcpts, .rcpt_count = 1});
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
        cmocka_unit_test(texts_that_would_write_lines_of_their_own_are_damage),
        cmocka_unit_test(a_report_is_never_picked_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
