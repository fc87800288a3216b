/* How many TLS handshakes may be under way, and what becomes of one more. */
#include "desk.h"

#include "path/session/secure.h"

enum { CROWD = HANDSHAKES_MAX + 2 };

static struct stream plain[CROWD], private[CROWD];
static size_t made, ended;

static void note_end(struct stream *stream)
{
    (void)stream;
    ended++;
}

static const struct stream_ops many = {do_write,  do_unsent, do_pause,
                                       do_resume, note_end,  note_end};

static struct stream *accept_tls(struct tls *tls, struct stream *stream)
{
    (void)tls;
    private[made] = (struct stream){.ops = &many, .peer = stream->peer};
    return &private[made++];
}

static bool no_facts(const struct stream *stream, struct tls_facts *facts)
{
    (void)stream, (void)facts;
    return false;
}

static struct tls tls = {.accept = accept_tls, .facts = no_facts};

static struct stream *come(size_t i, enum listen_tls how)
{
    plain[i] = (struct stream){.ops = &many};
    assert_true(endpoint_parse(STR("192.0.2.9:4000"), &plain[i].peer));
    session_start(&w.office, &plain[i], (struct listen_kind){.mode = LISTEN_MX, .tls = how});
    return &plain[i];
}

static void shake_hands(size_t i)
{
    struct stream *stream = come(i, LISTEN_TLS_OFFERED);
    stream->events->data(stream, STR("EHLO a.example\r\n"));
    stream->events->data(stream, STR("STARTTLS\r\n"));
}

static void crowd_in(void)
{
    w.ports.tls = &tls;
    w.config.sandbox = true; /* nothing is looked up */
    made = ended = 0;
    for (size_t i = 0; i < HANDSHAKES_MAX; i++) {
        shake_hands(i);
    }
    assert_int_equal(made, HANDSHAKES_MAX);
    buf_clear(&w.sent);
}

static void go_all(void)
{
    for (size_t i = 0; i < made; i++) {
        if (private[i].events) {
            private[i].events->end(&private[i], -ECONNRESET);
        }
    }
    w.closed = true; /* there is no other session */
}

static void one_more_handshake_comes_later_while_all_are_young(void **state)
{
    (void)state;
    crowd_in();
    shake_hands(HANDSHAKES_MAX);
    assert_true(said("454 4.7.0"));
    assert_int_equal(made, HANDSHAKES_MAX);
    struct stream *stream = &plain[HANDSHAKES_MAX];
    buf_clear(&w.sent);
    stream->events->data(stream, STR("NOOP\r\n"));
    assert_true(said("250 2.0.0"));
    stream->events->end(stream, -ECONNRESET);
    go_all();
}

static void a_handshake_that_takes_long_makes_room(void **state)
{
    (void)state;
    crowd_in();
    w.now_us += 5000000;
    private[0].events->data(&private[0], STR("EHLO a.example\r\n")); /* that one is done */
    shake_hands(HANDSHAKES_MAX);
    assert_int_equal(ended, 0);
    shake_hands(HANDSHAKES_MAX + 1);
    assert_int_equal(ended, 1);
    assert_false(said("454 "));
    assert_int_equal(w.office.count, HANDSHAKES_MAX + 1);
    private[1].events = NULL;
    go_all();
}

static void a_handshake_has_a_minute(void **state)
{
    (void)state;
    w.ports.tls = &tls;
    w.config.sandbox = true;
    made = ended = 0;
    shake_hands(0);
    assert_int_equal(w.after.us, SPAN_S(60).us);
    private[0].events->data(&private[0], STR("EHLO a.example\r\n"));
    assert_int_equal(w.after.us, SPAN_S(300).us);
    go_all();
}

#define T(name) cmocka_unit_test_setup_teardown(name, begin, finish)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(one_more_handshake_comes_later_while_all_are_young),
        T(a_handshake_that_takes_long_makes_room),
        T(a_handshake_has_a_minute),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
