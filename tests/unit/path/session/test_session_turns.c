/* Whose turn it is, who waits too long, and whose place stays taken. */
#include "desk.h"

static void an_idle_client_is_told_so(void **state)
{
    (void)state;
    from("192.0.2.9:4000");
    give(STR("NOOP\r\n"));
    assert_int_equal(w.after.us, SPAN_S(300).us);
    w.timer->fire(w.timer);
    assert_true(said("421 4.4.2"));
    assert_true(w.closed);
}

static void half_a_command_wins_no_time(void **state)
{
    (void)state;
    from("192.0.2.9:4000");
    give(STR("NO"));
    w.after = SPAN_S(0);
    give(STR("O"));
    assert_int_equal(w.after.us, 0);
    give(STR("P\r\n"));
    assert_int_equal(w.after.us, SPAN_S(300).us);
}

static void much_talk_takes_turns(void **state)
{
    (void)state;
    struct buf talk = {0};
    size_t turns = 0, answers = 0;
    from("10.0.0.1:4000");
    give(STR("EHLO a.example\r\n"));
    for (unsigned i = 0; i < 300; i++) {
        buf_add(&talk, STR("NOOP\r\n"));
    }
    buf_clear(&w.sent);
    give(buf_str(&talk));
    for (; w.timer == &w.office.turn; turns++) {
        assert_true(w.paused);
        w.timer = NULL;
        w.office.turn.fire(&w.office.turn);
    }
    assert_int_equal(turns, 1);
    assert_false(w.paused);
    for (struct str rest = buf_str(&w.sent); rest.len > 0; answers++) {
        assert_true(str_starts(str_split(&rest, '\n'), STR("250 2.0.0 ")));
    }
    assert_int_equal(answers, 300);
    buf_done(&talk);
}

static void of_those_who_talk_much_some_have_their_turn_and_then_there_is_a_pause(void **state)
{
    (void)state;
    enum { CROWD = 5 };
    struct stream streams[CROWD];
    struct buf talk = {0};
    for (unsigned i = 0; i < 300; i++) {
        buf_add(&talk, STR("NOOP\r\n"));
    }
    for (size_t i = 0; i < CROWD; i++) {
        streams[i] = (struct stream){.ops = &ops};
        assert_true(endpoint_parse(STR("192.0.2.9:4000"), &streams[i].peer));
        session_start(&w.office, &streams[i], (struct listen_kind){.mode = LISTEN_MX});
        streams[i].events->data(&streams[i], buf_str(&talk));
    }
    w.step_us = 150;
    size_t rounds = 0;
    for (bool more = true; more; rounds++) {
        w.office.turn.fire(&w.office.turn);
        more = !list_empty(&w.office.yielders);
        assert_true(!more || (w.timer == &w.office.turn && w.after.us == SPAN_MS(1).us));
    }
    assert_int_equal(rounds, 3); /* two in a slice of time */
    for (size_t i = 0; i < CROWD; i++) {
        streams[i].events->end(&streams[i], -ECONNRESET);
        w.closed = false;
    }
    buf_done(&talk);
}

static void note_place(void *owner, struct ip peer, struct span keep_place)
{
    (void)owner;
    (void)peer;
    w.place_kept = keep_place;
}

static void who_was_no_use_to_anybody_does_not_come_back_at_once(void **state)
{
    (void)state;
    static const struct {
        struct str said;
        int seconds;
        bool looks_up;
    } rows[] = {
        {STR_INIT(""), 5, false},
        {STR_INIT("EHLO a.example\r\n"), 5, false},
        {STR_INIT("EHLO a.example\r\nQUIT\r\n"), 0, false},
        {STR_INIT("A\r\nB\r\nC\r\nD\r\nE\r\nF\r\n"), 10, false},
        {STR_INIT(TX "DATA\r\nX: y\r\n\r\nz\r\n.\r\n"), 0, true},
        {STR_INIT(TX "DATA\r\nX: y\r\n"), 5, true},
    };
    w.office.closed = note_place;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        w.closed = false;
        w.place_kept = SPAN_S(-1);
        from("192.0.2.9:4000");
        give(rows[i].said);
        if (rows[i].looks_up) {
            let_lookups_go();
        }
        if (!w.closed) {
            w.stream.events->end(&w.stream, -ECONNRESET);
        }
        assert_int_equal(w.place_kept.us, SPAN_S(rows[i].seconds).us);
    }
}

static void who_waited_for_us_has_not_stood_still(void **state)
{
    (void)state;
    const int64_t second = 1000000;
    from("192.0.2.9:4000");
    give(STR("EHLO a.example\r\n"));
    w.now_us += 8 * second;
    give(STR("MAIL FROM:<a@b.example>\r\n"));
    w.now_us += 5 * second;
    assert_false(session_office_make_room(&w.office));
    let_lookups_go();
    assert_true(said("250 2.1.0"));
    w.now_us += 9 * second;
    assert_false(session_office_make_room(&w.office));
    w.now_us += second;
    assert_true(session_office_make_room(&w.office));
    assert_true(said("421 4.7.0") && w.closed);
}

/* Drips a message for so long, a few octets a second; whether the session then makes room. */
static bool makes_room_after(unsigned seconds, struct str piece)
{
    from("192.0.2.9:4000");
    give(STR(TX));
    let_lookups_go();
    give(STR("DATA\r\n"));
    assert_true(said("354 "));
    assert_false(session_office_make_room(&w.office));
    for (unsigned i = 0; i < seconds; i++) {
        w.now_us += 1000000;
        give(piece);
    }
    return session_office_make_room(&w.office);
}

static void a_message_that_drips_makes_room(void **state)
{
    (void)state;
    assert_false(makes_room_after(9, STR("x\r\n")));
    w.now_us += 1000000;
    give(STR("x\r\n"));
    assert_true(session_office_make_room(&w.office));
    assert_true(said("421 4.7.0"));
    assert_true(w.closed);
}

static void a_message_that_flows_makes_no_room(void **state)
{
    (void)state;
    static char text[4096];
    for (size_t i = 0; i + 1 < sizeof text; i += 2) {
        text[i] = i % 64 == 62 ? '\r' : 'x';
        text[i + 1] = i % 64 == 62 ? '\n' : 'x';
    }
    assert_false(makes_room_after(20, str_from(text, sizeof text)));
}

static void our_own_make_no_room(void **state)
{
    (void)state;
    from("10.0.0.1:4000");
    give(STR("EHLO a.example\r\n"));
    w.now_us += INT64_C(600000000);
    assert_false(session_office_make_room(&w.office));
}

#define T(name) cmocka_unit_test_setup_teardown(name, begin, finish)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(an_idle_client_is_told_so),
        T(half_a_command_wins_no_time),
        T(much_talk_takes_turns),
        T(of_those_who_talk_much_some_have_their_turn_and_then_there_is_a_pause),
        T(a_message_that_drips_makes_room),
        T(a_message_that_flows_makes_no_room),
        T(our_own_make_no_room),
        T(who_was_no_use_to_anybody_does_not_come_back_at_once),
        T(who_waited_for_us_has_not_stood_still),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
