#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "path/accept/accept.h"

#include <errno.h>
#include <stdio.h>

static struct net_listener *open_listeners[4];
static size_t open_count;
static unsigned accepted_count, written, closed_count;
static int listen_error;
static size_t listen_error_at;

const struct config *config_hold(const struct config *config)
{
    return config;
}

void config_drop(const struct config *config)
{
    (void)config;
}

static int do_listen(struct net *net, struct net_listener *listener)
{
    (void)net;
    if (listen_error != 0 && open_count == listen_error_at) {
        return listen_error;
    }
    open_listeners[open_count++] = listener;
    return 0;
}

static void do_unlisten(struct net *net, struct net_listener *listener)
{
    (void)net;
    (void)listener;
    open_count--;
}

static uint64_t draw(struct entropy *entropy)
{
    (void)entropy;
    return 4;
}

static void no_log(struct log *log, enum log_level level, const char *event,
                   const struct log_field *fields, size_t count)
{
    (void)log;
    (void)level;
    (void)event;
    (void)fields;
    (void)count;
}

static void do_write(struct stream *stream, struct str bytes)
{
    (void)stream;
    assert_true(str_starts(bytes, STR("421 4.7.0 ")));
    written++;
}

static void do_close(struct stream *stream)
{
    (void)stream;
    closed_count++;
}

static const struct stream_ops ops = {.write = do_write, .close = do_close};
static struct timer *armed; /* the last one */
static struct span armed_for;
static int armed_count;

static void arm(struct timers *timers, struct timer *timer, struct span after)
{
    (void)timers;
    armed_for = after;
    armed = timer;
    armed_count++;
}

static void cancel(struct timers *timers, struct timer *timer)
{
    (void)timers;
    armed = armed == timer ? NULL : armed;
    armed_count--;
}

static void let_time_pass(void)
{
    struct timer *due = armed;
    armed = NULL;
    armed_count--;
    due->fire(due);
}

static struct timers timers = {.arm = arm, .cancel = cancel};
static struct entropy entropy = {.u64 = draw};
static struct net net = {.listen = do_listen, .unlisten = do_unlisten};
static struct log test_log = {.event = no_log};
static const struct ports ports = {
    .entropy = &entropy, .timers = &timers, .net = &net, .log = &test_log};

static void on_accepted(void *owner, struct stream *stream, struct listen_kind kind)
{
    (void)owner;
    (void)stream;
    assert_int_equal(kind.mode, LISTEN_SUBMISSION);
    accepted_count++;
}

static struct config_listen listens[2] = {{.kind = {.mode = LISTEN_SUBMISSION}},
                                          {.kind = {.mode = LISTEN_MX}}};
static struct network own;
static struct config config = {.listens = listens, .listen_count = 2, .networks = &own};

enum { PER_ADDRESS = 50 };
static struct crowd crowd;

static struct acceptor begin(uint32_t connections)
{
    accepted_count = written = closed_count = 0;
    armed = NULL;
    armed_count = 0;
    config.limits.connections = connections;
    config.limits.client_connections = PER_ADDRESS;
    crowd = (struct crowd){0};
    crowd_init(&crowd, (struct hash_seed){1, 2});
    assert_true(network_parse(STR("10.0.0.0/8"), &own));
    config.network_count = 1;
    return (struct acceptor){.ports = &ports, .accepted = on_accepted, .crowd = &crowd};
}

/* Its stream stays: it may have to wait at the door. */
static void come(const char *peer)
{
    static struct stream streams[2048];
    static size_t next;
    struct stream *stream = &streams[next++ % ARRAY_LEN(streams)];
    *stream = (struct stream){.ops = &ops};
    assert_true(ip_parse(str_from_cstr(peer), &stream->peer.ip));
    open_listeners[0]->accepted(open_listeners[0], stream);
}

static void one_address_may_have_so_many_connections(void **state)
{
    (void)state;
    struct acceptor a = begin(1000);
    assert_int_equal(acceptor_open(&a, &config, NULL), 0);
    for (unsigned i = 0; i < PER_ADDRESS; i++) {
        come(i % 2 == 0 ? "192.0.2.1" : "::ffff:192.0.2.1");
    }
    assert_int_equal(accepted_count, PER_ADDRESS);
    come("192.0.2.1");
    assert_int_equal(accepted_count, PER_ADDRESS);
    come("192.0.2.2");
    for (unsigned i = 0; i <= PER_ADDRESS; i++) {
        come("10.0.0.1");
    }
    assert_int_equal(accepted_count, 2 * PER_ADDRESS + 2);
    struct ip gone;
    assert_true(ip_parse(STR("192.0.2.1"), &gone));
    acceptor_closed(&a, gone, SPAN_S(0));
    come("192.0.2.1");
    assert_int_equal(accepted_count, 2 * PER_ADDRESS + 3);
    acceptor_close(&a);
    acceptor_done(&a);
}

static void who_is_one_too_many_is_told_so_after_a_second(void **state)
{
    (void)state;
    struct acceptor a = begin(16);
    config.limits.client_connections = 1;
    assert_int_equal(acceptor_open(&a, &config, NULL), 0);
    come("192.0.2.1");
    come("192.0.2.1");
    assert_int_equal(written, 0);
    assert_int_equal(armed_for.us, SPAN_S(1).us);
    let_time_pass();
    assert_int_equal(written, 1);
    assert_int_equal(closed_count, 1);
    assert_int_equal(accepted_count, 1);
    come("192.0.2.1"); /* there is room at the door again, for one */
    assert_int_equal(written, 1);
    come("192.0.2.1");
    assert_int_equal(written, 2);
    acceptor_close(&a);
    acceptor_done(&a);
    assert_int_equal(armed_count, 0);
}

static void few_wait_at_the_door_and_nobody_longer_than_it_is_open(void **state)
{
    (void)state;
    enum { CONNECTIONS = 640, WAITING = CONNECTIONS / 16 };
    struct acceptor a = begin(CONNECTIONS);
    config.limits.client_connections = 1;
    assert_int_equal(acceptor_open(&a, &config, NULL), 0);
    for (unsigned i = 0; i < 1 + WAITING; i++) {
        come("192.0.2.1");
    }
    assert_int_equal(written, 0);
    come("192.0.2.1");
    assert_int_equal(written, 1);
    acceptor_close(&a);
    assert_int_equal(written, 1 + WAITING);
    assert_int_equal(closed_count, 1 + WAITING);
    acceptor_done(&a);
    assert_int_equal(armed_count, 0);
}

static void who_behaved_badly_keeps_its_place_for_a_while(void **state)
{
    (void)state;
    struct acceptor a = begin(1000);
    struct ip ip;
    config.limits.client_connections = 1;
    assert_int_equal(acceptor_open(&a, &config, NULL), 0);
    assert_true(ip_parse(STR("192.0.2.1"), &ip));
    come("192.0.2.1");
    acceptor_closed(&a, ip, SPAN_S(10));
    assert_int_equal(armed_for.us, SPAN_S(10).us);
    struct timer *place = armed;
    come("192.0.2.1");
    assert_int_equal(accepted_count, 1);
    let_time_pass(); /* of who waits at the door */
    armed = place;
    let_time_pass();
    come("192.0.2.1");
    assert_int_equal(accepted_count, 2);
    acceptor_closed(&a, ip, SPAN_S(10));
    acceptor_close(&a);
    acceptor_done(&a);
    assert_int_equal(armed_count, 0);
    assert_int_equal(atomic_load(&crowd.total), 0);
}

static void our_own_are_never_kept_out(void **state)
{
    (void)state;
    struct acceptor a = begin(1000);
    struct ip ip;
    config.limits.client_connections = 1;
    assert_int_equal(acceptor_open(&a, &config, NULL), 0);
    assert_true(ip_parse(STR("10.0.0.1"), &ip));
    come("10.0.0.1");
    acceptor_closed(&a, ip, SPAN_S(10));
    come("10.0.0.1");
    assert_int_equal(accepted_count, 2);
    acceptor_close(&a);
    acceptor_done(&a);
}

static void all_loops_share_the_limits(void **state)
{
    (void)state;
    struct acceptor a = begin(3);
    struct ip ip;
    assert_int_equal(acceptor_open(&a, &config, NULL), 0);
    assert_true(ip_parse(STR("192.0.2.9"), &ip));
    assert_int_equal(crowd_enter(&crowd, ip, 3, PER_ADDRESS), CROWD_IN); /* on another loop */
    come("192.0.2.1");
    come("192.0.2.2");
    come("192.0.2.3");
    assert_int_equal(accepted_count, 2);
    assert_int_equal(closed_count, 1);
    assert_int_equal(atomic_load(&crowd.total), 3);
    acceptor_closed(&a, ip, SPAN_S(0));
    come("192.0.2.3");
    assert_int_equal(accepted_count, 3);
    acceptor_close(&a);
    acceptor_done(&a);
}

static unsigned rooms_left;

static bool give_room(void *owner)
{
    struct ip ip;
    if (rooms_left == 0) {
        return false;
    }
    rooms_left--;
    assert_true(ip_parse(STR("192.0.2.1"), &ip));
    acceptor_closed(owner, ip, SPAN_S(10));
    return true;
}

static void where_there_is_no_room_somebody_makes_it_and_a_kept_place_takes_none(void **state)
{
    (void)state;
    struct acceptor a = begin(2);
    a.make_room = give_room;
    a.owner = &a;
    rooms_left = 1;
    assert_int_equal(acceptor_open(&a, &config, NULL), 0);
    come("192.0.2.1");
    come("192.0.2.2");
    come("192.0.2.3");
    assert_int_equal(accepted_count, 3);
    assert_int_equal(atomic_load(&crowd.total), 2);
    come("192.0.2.4"); /* nobody can be spared */
    assert_int_equal(accepted_count, 3);
    assert_int_equal(written, 1);
    acceptor_close(&a);
    acceptor_done(&a);
}

static void the_clients_of_an_ipv6_site_have_a_few_clients_places(void **state)
{
    (void)state;
    struct acceptor a = begin(1000);
    char text[64];
    assert_int_equal(acceptor_open(&a, &config, NULL), 0);
    for (unsigned i = 0; i <= PER_ADDRESS * CROWD_CLIENTS_EACH; i++) {
        (void)snprintf(text, sizeof text, "2001:db8:1:%x::1", i + 1);
        come(text);
    }
    assert_int_equal(accepted_count, PER_ADDRESS * CROWD_CLIENTS_EACH);
    come("2001:db8:2:1::1");
    assert_int_equal(accepted_count, PER_ADDRESS * CROWD_CLIENTS_EACH + 1);
    struct ip gone;
    assert_true(ip_parse(STR("2001:db8:1:1::1"), &gone));
    acceptor_closed(&a, gone, SPAN_S(0));
    come("2001:db8:1:ffff::1");
    assert_int_equal(accepted_count, PER_ADDRESS * CROWD_CLIENTS_EACH + 2);
    acceptor_close(&a);
    acceptor_done(&a);
}

static void an_ipv6_network_of_64_bits_is_one_client(void **state)
{
    (void)state;
    struct acceptor a = begin(1000);
    char text[64];
    assert_int_equal(acceptor_open(&a, &config, NULL), 0);
    for (unsigned i = 0; i <= PER_ADDRESS; i++) {
        (void)snprintf(text, sizeof text, "2001:db8:1:2::%x", i + 1);
        come(text);
    }
    assert_int_equal(accepted_count, PER_ADDRESS);
    come("2001:db8:1:3::1");
    assert_int_equal(accepted_count, PER_ADDRESS + 1);
    acceptor_close(&a);
    acceptor_done(&a);
}

static void many_clients_are_not_taken_for_one(void **state)
{
    (void)state;
    crowd = (struct crowd){0};
    crowd_init(&crowd, (struct hash_seed){3, 4});
    for (unsigned i = 0; i < 20000 * 3; i++) {
        struct ip ip = {
            .family = IP_V4,
            .bytes = {10, (uint8_t)(i / 3 >> 16), (uint8_t)(i / 3 >> 8), (uint8_t)(i / 3)}};
        assert_int_equal(crowd_enter(&crowd, ip, UINT32_MAX, PER_ADDRESS), CROWD_IN);
    }
    assert_int_equal(atomic_load(&crowd.total), 60000);
}

static void a_listener_that_cannot_be_opened_closes_the_others(void **state)
{
    (void)state;
    struct acceptor a = begin(3);
    const struct config_listen *failed = NULL;
    listen_error = -EADDRINUSE;
    listen_error_at = 1;
    assert_int_equal(acceptor_open(&a, &config, &failed), -EADDRINUSE);
    listen_error = 0;
    assert_ptr_equal(failed, &listens[1]);
    assert_int_equal(open_count, 0);
}

static void a_reload_opens_new_listeners_closes_old_ones_and_keeps_the_others(void **state)
{
    (void)state;
    struct acceptor a = begin(3);
    struct config_listen changed[2] = {{.kind = {.mode = LISTEN_SUBMISSION}},
                                       {.local_path = STR_INIT("/run/lmtp")}};
    struct config fresh = {.listens = changed, .listen_count = 1, .networks = &own};
    fresh.limits.connections = 3;
    open_count = 0;
    assert_true(endpoint_parse(STR("192.0.2.1:25"), &listens[0].at));
    assert_true(endpoint_parse(STR("192.0.2.1:587"), &listens[1].at));
    changed[0].at = listens[1].at;
    assert_int_equal(acceptor_open(&a, &config, NULL), 0);
    struct net_listener *kept = open_listeners[1];
    acceptor_reload(&a, &fresh);
    assert_int_equal(open_count, 1);
    open_listeners[0] = kept;
    come("192.0.2.9"); /* asserts the new mode of the listener that stayed */
    fresh.listen_count = 2;
    acceptor_reload(&a, &fresh);
    acceptor_reload(&a, &fresh);
    assert_int_equal(open_count, 2);
    assert_true(str_eq(open_listeners[1]->local_path, STR("/run/lmtp")));
    fresh.listen_count = 1;
    acceptor_reload(&a, &fresh);
    listen_error = -EADDRINUSE;
    listen_error_at = 1;
    fresh.listen_count = 2;
    acceptor_reload(&a, &fresh);
    listen_error = 0;
    assert_int_equal(open_count, 1);
    acceptor_close(&a);
    acceptor_done(&a);
    assert_int_equal(open_count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_address_may_have_so_many_connections),
        cmocka_unit_test(who_is_one_too_many_is_told_so_after_a_second),
        cmocka_unit_test(few_wait_at_the_door_and_nobody_longer_than_it_is_open),
        cmocka_unit_test(who_behaved_badly_keeps_its_place_for_a_while),
        cmocka_unit_test(our_own_are_never_kept_out),
        cmocka_unit_test(all_loops_share_the_limits),
        cmocka_unit_test(where_there_is_no_room_somebody_makes_it_and_a_kept_place_takes_none),
        cmocka_unit_test(the_clients_of_an_ipv6_site_have_a_few_clients_places),
        cmocka_unit_test(an_ipv6_network_of_64_bits_is_one_client),
        cmocka_unit_test(many_clients_are_not_taken_for_one),
        cmocka_unit_test(a_listener_that_cannot_be_opened_closes_the_others),
        cmocka_unit_test(a_reload_opens_new_listeners_closes_old_ones_and_keeps_the_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
