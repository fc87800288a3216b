/* Whatever becomes of a message, what was reserved for it is given back, once; and only what was
 * taken is used up. */
#include "desk.h"

#include "path/session/session_inside.h"

static struct {
    struct allowances port;
    struct allowance reserved, taken;
    uint32_t most[ALLOWANCE_KINDS]; /* grants no more than that */
    bool no_room;
} book;

static struct allowance_answer reserve(struct allowances *all, const struct allowance_ask *ask)
{
    (void)all;
    assert_true(str_eq(ask->user, STR("anna")));
    assert_int_equal(ask->limits.of[ALLOWANCE_MESSAGES], 20);
    for (size_t i = 0; i < ALLOWANCE_KINDS; i++) {
        if (ask->amount.of[i] > 0 && book.reserved.of[i] >= book.most[i]) {
            return (struct allowance_answer){.verdict = book.no_room ? ALLOWANCE_NO_ROOM
                                                                     : ALLOWANCE_USED_UP,
                                             .kind = (enum allowance_kind)i,
                                             .wait = {91 * 1000000 + 1}};
        }
        book.reserved.of[i] += ask->amount.of[i];
    }
    return (struct allowance_answer){.verdict = ALLOWANCE_GRANTED};
}

static void settle(struct allowances *all, struct str user, struct allowance reserved,
                   struct allowance taken)
{
    (void)all;
    assert_true(str_eq(user, STR("anna")));
    for (size_t i = 0; i < ALLOWANCE_KINDS; i++) {
        assert_true(reserved.of[i] <= book.reserved.of[i] && taken.of[i] <= reserved.of[i]);
        book.reserved.of[i] -= reserved.of[i];
        book.taken.of[i] += taken.of[i];
    }
}

/* As if anna had logged in. */
static void anna_comes(void)
{
    book.port = (struct allowances){.reserve = reserve, .settle = settle};
    book.reserved = book.taken = (struct allowance){0};
    book.most[ALLOWANCE_MESSAGES] = book.most[ALLOWANCE_RECIPIENTS] = 1000;
    book.no_room = false;
    w.ports.allowances = &book.port;
    w.config.user_limits.an_hour = (struct allowance){{20, 30}};
    w.config.send_as_any = true;
    from("192.0.2.9:4000");
    CONTAINER_OF(w.office.sessions.next, struct session, link)->client.user = STR("anna");
    give(STR("EHLO [192.0.2.9]\r\nMAIL FROM:<a@b.example>\r\n"));
    let_lookups_go();
}

#define RCPT "RCPT TO:<u@here.example>\r\nRCPT TO:<v@far.example>\r\nRCPT TO:<u@here.example>\r\n"

static void used_up(uint32_t messages, uint32_t recipients)
{
    for (size_t i = 0; i < ALLOWANCE_KINDS; i++) {
        assert_int_equal(book.reserved.of[i], 0);
    }
    assert_int_equal(book.taken.of[ALLOWANCE_MESSAGES], messages);
    assert_int_equal(book.taken.of[ALLOWANCE_RECIPIENTS], recipients);
}

static void a_message_that_is_taken_is_used_up_by_its_recipients(void **state)
{
    (void)state;
    anna_comes();
    give(STR(RCPT));
    assert_int_equal(book.reserved.of[ALLOWANCE_MESSAGES], 1);
    assert_int_equal(book.reserved.of[ALLOWANCE_RECIPIENTS], 3);
    give(STR("DATA\r\nX: y\r\n\r\n.\r\n"));
    used_up(1, 2);
}

static void whatever_ends_a_transaction_gives_all_back(void **state)
{
    (void)state;
    static const char *const ends[] = {
        "RSET\r\n",
        "EHLO again.example\r\n",
        "DATA\r\nReceived: 1\r\nReceived: 2\r\nReceived: 3\r\n\r\n.\r\n",
        "DATA\r\nbare\nline\r\n.\r\n",
        "BDAT 3\r\nabcRSET\r\n",
        "QUIT\r\n",
    };
    for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
        anna_comes();
        give(STR(RCPT));
        give(str_from_cstr(ends[i]));
        used_up(0, 0);
        if (!w.closed) {
            w.stream.events->end(&w.stream, 0);
        }
        w.closed = false;
    }
    w.closed = true;
}

static void a_commit_that_fails_uses_nothing_up(void **state)
{
    (void)state;
    anna_comes();
    w.commit_result = -ENOSPC;
    give(STR(RCPT "DATA\r\n.\r\n"));
    assert_true(said("452 4.3.1"));
    used_up(0, 0);
}

static void a_client_that_is_gone_before_the_commit_is_done_has_sent_it(void **state)
{
    (void)state;
    anna_comes();
    w.commit_waits = true;
    give(STR(RCPT "DATA\r\n.\r\n"));
    w.stream.events->end(&w.stream, -ECONNRESET);
    assert_int_equal(book.reserved.of[ALLOWANCE_MESSAGES], 1);
    finish_commit();
    used_up(1, 2);
}

static void a_refusal_says_which_limit_and_when_to_come_again(void **state)
{
    (void)state;
    anna_comes();
    book.most[ALLOWANCE_MESSAGES] = 0;
    book.most[ALLOWANCE_RECIPIENTS] = 2;
    give(STR(RCPT "RSET\r\nMAIL FROM:<a@b.example>\r\n"));
    assert_true(said(
        "450 4.7.1 Your limit of 30 recipients an hour is reached; try again in 2 minutes\r\n"));
    assert_true(
        said("450 4.7.1 Your limit of 20 messages an hour is reached; try again in 2 minutes\r\n"));
    used_up(0, 0);
    book.no_room = true;
    give(STR("MAIL FROM:<a@b.example>\r\n"));
    assert_true(said("452 4.3.1"));
}

static void who_has_not_logged_in_has_no_limits(void **state)
{
    (void)state;
    anna_comes();
    w.stream.events->end(&w.stream, 0);
    w.closed = false;
    book.most[ALLOWANCE_MESSAGES] = 0;
    from("10.1.2.3:4000");
    give(STR("EHLO a\r\nMAIL FROM:<a@b.example>\r\n" RCPT "DATA\r\n.\r\n"));
    let_lookups_go();
    assert_int_equal(w.kept, 1);
    used_up(0, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_message_that_is_taken_is_used_up_by_its_recipients, begin,
                                        finish),
        cmocka_unit_test_setup_teardown(whatever_ends_a_transaction_gives_all_back, begin, finish),
        cmocka_unit_test_setup_teardown(a_commit_that_fails_uses_nothing_up, begin, finish),
        cmocka_unit_test_setup_teardown(a_client_that_is_gone_before_the_commit_is_done_has_sent_it,
                                        begin, finish),
        cmocka_unit_test_setup_teardown(a_refusal_says_which_limit_and_when_to_come_again, begin,
                                        finish),
        cmocka_unit_test_setup_teardown(who_has_not_logged_in_has_no_limits, begin, finish),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
