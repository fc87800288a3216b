#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "world.h"
#include "world/threads.h"

/* An echo server and one client on one loop. */
static struct world world;
static struct net_listener listener;
static struct net_connect op;
static struct stream *client;
static size_t received;
static size_t sent;
static int ends;
static int end_error;
static int drains;
static int accepted_count;

static void echo_data(struct stream *stream, struct str bytes)
{
    stream_write(stream, bytes);
    if (stream_unsent(stream) > 0) {
        stream_pause(stream);
    }
}

static void echo_drained(struct stream *stream)
{
    stream_resume(stream);
}

static void echo_end(struct stream *stream, int error)
{
    assert_int_equal(error, 0);
    stream_close(stream);
}

static const struct stream_events echo = {echo_data, echo_end, echo_drained};

static void on_accepted(struct net_listener *l, struct stream *stream)
{
    assert_ptr_equal(l, &listener);
    accepted_count++;
    stream->events = &echo;
    stream_resume(stream);
}

static int begin(void **state)
{
    (void)state;
    world_begin(&world, NULL);
    received = sent = 0;
    ends = end_error = drains = accepted_count = 0;
    listener = (struct net_listener){.accepted = on_accepted};
    assert_true(endpoint_parse(STR("127.0.0.1:0"), &listener.at));
    return 0;
}

static int end(void **state)
{
    (void)state;
    world_end(&world);
    return 0;
}

static void listen_now(void)
{
    assert_int_equal(world.ports->net->listen(world.ports->net, &listener), 0);
}

static void connect_to(void (*done)(struct net_connect *op), struct endpoint to)
{
    op = (struct net_connect){.done = done, .to = to, .error = 12345};
    world.ports->net->connect(world.ports->net, &op);
    assert_int_equal(op.error, 12345);
}

static void client_end(struct stream *stream, int error)
{
    (void)stream;
    ends++;
    end_error = error;
    loop_stop(world.loop);
}

static void client_drained(struct stream *stream)
{
    (void)stream;
    drains++;
}

static void small_data(struct stream *stream, struct str bytes)
{
    received += bytes.len;
    if (received == 5) {
        assert_memory_equal(bytes.ptr, "hello", 5);
        stream_close(stream);
        loop_stop(world.loop);
    }
}

static const struct stream_events small = {small_data, client_end, client_drained};

static void say_hello(struct net_connect *o)
{
    assert_int_equal(o->error, 0);
    o->stream->events = &small;
    stream_resume(o->stream);
    stream_write(o->stream, STR("hello"));
    assert_int_equal(drains, 0); /* not from inside the call */
    if (o->local_path.len == 0) {
        assert_int_equal(o->stream->peer.port, listener.at.port);
        assert_true(o->stream->local.port != 0);
        assert_int_equal(o->stream->peer.ip.family, listener.at.ip.family);
    } else {
        assert_int_equal(o->stream->peer.ip.family, IP_NONE);
    }
}

static void what_is_sent_comes_back(void **state)
{
    (void)state;
    listen_now();
    assert_true(listener.at.port != 0);
    connect_to(say_hello, listener.at);
    world_run(&world);
    assert_int_equal(received, 5);
    assert_int_equal(drains, 1);
    assert_int_equal(ends, 0);
}

static void a_source_address_is_used(void **state)
{
    (void)state;
    listen_now();
    op = (struct net_connect){.done = say_hello, .to = listener.at};
    assert_true(ip_parse(STR("127.0.0.9"), &op.from));
    world.ports->net->connect(world.ports->net, &op);
    world_run(&world);
    assert_int_equal(received, 5);
}

static void ipv6_works_likewise(void **state)
{
    (void)state;
    assert_true(endpoint_parse(STR("[::1]:0"), &listener.at));
    if (world.ports->net->listen(world.ports->net, &listener) != 0) {
        skip(); /* no IPv6 on this machine */
    }
    struct net_listener v4 = {.accepted = on_accepted, .at.port = listener.at.port};
    assert_true(ip_parse(STR("0.0.0.0"), &v4.at.ip)); /* the IPv6 one has no IPv4 */
    connect_to(say_hello, listener.at);
    world_run(&world);
    assert_int_equal(received, 5);
}

static void local_sockets_work_likewise_and_stale_ones_are_removed(void **state)
{
    (void)state;
    char path[] = "/tmp/postrider-socket-XXXXXX";
    assert_non_null(mkdtemp(path));
    char name[64];
    snprintf(name, sizeof name, "%s/s", path);
    listener.local_path = str_from_cstr(name);
    int stale = socket(AF_UNIX, SOCK_STREAM, 0);
    struct sockaddr address = {.sa_family = AF_UNIX};
    char long_address[64] = {0};
    memcpy(long_address, &address.sa_family, sizeof address.sa_family);
    memcpy(long_address + 2, name, strlen(name));
    assert_int_equal(
        bind(stale, (struct sockaddr *)(void *)long_address, (socklen_t)(3 + strlen(name))), 0);
    close(stale);
    listen_now();
    struct stat st;
    assert_int_equal(stat(name, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0660);
    struct net_listener second = {.accepted = on_accepted, .local_path = str_from_cstr(name)};
    assert_int_equal(world.ports->net->listen(world.ports->net, &second), -EADDRINUSE);
    op = (struct net_connect){.done = say_hello, .local_path = str_from_cstr(name)};
    world.ports->net->connect(world.ports->net, &op);
    world_run(&world);
    assert_int_equal(received, 5);
    world.ports->net->unlisten(world.ports->net, &listener);
    assert_int_equal(access(name, F_OK), -1);
    rmdir(path);
}

/* 32 MiB through two sockets with every byte checked, each side slowed by the other. */
enum { BIG = 32 << 20, STEP = 100000 };
static char pattern[STEP + 251];

static void big_send(struct stream *stream)
{
    while (sent < BIG && stream_unsent(stream) == 0) {
        size_t n = BIG - sent < STEP ? BIG - sent : STEP;
        stream_write(stream, str_from(pattern + sent % 251, n));
        sent += n;
    }
}

static void big_data(struct stream *stream, struct str bytes)
{
    assert_memory_equal(bytes.ptr, pattern + received % 251, bytes.len);
    received += bytes.len;
    if (received == BIG) {
        stream_close(stream);
        loop_stop(world.loop);
    } else if (received % 7 == 0) {
        stream_pause(stream);
        stream_resume(stream);
    }
}

static const struct stream_events big = {big_data, client_end, big_send};

static void begin_big(struct net_connect *o)
{
    assert_int_equal(o->error, 0);
    o->stream->events = &big;
    stream_resume(o->stream);
    big_send(o->stream);
}

static void a_big_transfer_arrives_whole_whoever_is_slow(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof pattern; i++) {
        pattern[i] = (char)(i % 251);
    }
    listen_now();
    connect_to(begin_big, listener.at);
    world_run(&world);
    assert_int_equal(received, BIG);
}

static void on_refused(struct net_connect *o)
{
    assert_null(o->stream);
    end_error = o->error;
    loop_stop(world.loop);
}

static void a_connection_may_be_refused_or_impossible(void **state)
{
    (void)state;
    listen_now();
    struct endpoint at = listener.at;
    world.ports->net->unlisten(world.ports->net, &listener);
    loop_stop(world.loop);
    world_run(&world);
    connect_to(on_refused, at);
    world_run(&world);
    assert_int_equal(end_error, -ECONNREFUSED);
    connect_to(on_refused, (struct endpoint){.port = 25});
    world_run(&world);
    assert_int_equal(end_error, -EAFNOSUPPORT);
    op = (struct net_connect){.done = on_refused, .to = at};
    assert_true(ip_parse(STR("192.0.2.77"), &op.from));
    world.ports->net->connect(world.ports->net, &op);
    world_run(&world);
    assert_int_equal(end_error, -EADDRNOTAVAIL);
    op = (struct net_connect){.done = on_refused, .local_path = STR("/none/such")};
    world.ports->net->connect(world.ports->net, &op);
    world_run(&world);
    assert_int_equal(end_error, -ENOENT);
}

static void never(struct net_connect *o)
{
    (void)o;
    fail();
}

static void stop_world(struct timer *timer)
{
    (void)timer;
    loop_stop(world.loop);
}

static void a_cancelled_connection_is_not_told(void **state)
{
    (void)state;
    listen_now();
    connect_to(never, listener.at);
    world.ports->net->cancel(world.ports->net, &op);
    connect_to(never, (struct endpoint){.port = 25});
    world.ports->net->cancel(world.ports->net, &op);
    world.ports->net->cancel(world.ports->net, &op);
    struct timer timer = {.fire = stop_world};
    world.ports->timers->arm(world.ports->timers, &timer, SPAN_MS(50));
    world_run(&world);
}

/* The server side of the next tests. */
static struct stream *server;

static void keep(struct net_listener *l, struct stream *stream)
{
    (void)l;
    server = stream;
    if (client) {
        loop_stop(world.loop);
    }
}

static void keep_client(struct net_connect *o)
{
    assert_int_equal(o->error, 0);
    client = o->stream;
    if (server) {
        loop_stop(world.loop);
    }
}

static void make_pair(void)
{
    server = client = NULL;
    listener.accepted = keep;
    listen_now();
    connect_to(keep_client, listener.at);
    world_run(&world);
    server->events = client->events = &small;
}

static void a_reply_survives_a_close_with_unread_input(void **state)
{
    (void)state;
    make_pair();
    static char junk[60000];
    stream_write(client, str_from(junk, sizeof junk)); /* the server never reads it */
    stream_write(server, STR("hello"));
    stream_close(server);
    stream_resume(client);
    world_run(&world);
    assert_int_equal(received, 5);
}

/* A socket that the test itself writes to, piece by piece. */
static int raw_client(void)
{
    server = NULL;
    client = (struct stream *)&listener; /* keep() need not wait for one */
    listener.accepted = keep;
    listen_now();
    int s = socket(AF_INET, SOCK_STREAM, 0);
    int on = 1;
    setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    char address[16] = {AF_INET, 0, (char)(listener.at.port >> 8), (char)listener.at.port, 127, 0,
                        0,       1};
    assert_int_equal(connect(s, (struct sockaddr *)(void *)address, sizeof address), 0);
    world_run(&world);
    return s;
}

static void run_for(struct span span)
{
    struct timer timer = {.fire = stop_world};
    world.ports->timers->arm(world.ports->timers, &timer, span);
    world_run(&world);
}

static void who_sends_without_end_after_the_close_is_cut_off(void **state)
{
    (void)state;
    enum { MOST = 64 << 20 };
    static char junk[1 << 16];
    int raw = raw_client();
    size_t taken = 0;
    server->events = &small;
    stream_close(server);
    for (;;) {
        ssize_t n = send(raw, junk, sizeof junk, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n < 0 && errno != EAGAIN) {
            break;
        }
        taken += n > 0 ? (size_t)n : 0;
        assert_true(taken < MOST);
        run_for(SPAN_MS(0));
    }
    assert_true(errno == EPIPE || errno == ECONNRESET);
    close(raw);
}

/* Answers a client that has said its last, and closes. */
static int close_for_good(bool unread)
{
    char reply[8];
    int raw = raw_client();
    server->events = &small;
    server->peer_done = true;
    if (unread) {
        assert_int_equal(send(raw, "x", 1, 0), 1);
        run_for(SPAN_MS(0));
    }
    stream_write(server, STR("bye"));
    stream_close(server);
    assert_int_equal(recv(raw, reply, sizeof reply, 0), 3);
    assert_int_equal(recv(raw, reply, sizeof reply, 0), 0); /* -1 where it was reset */
    return raw;
}

static void who_has_said_his_last_is_not_waited_for(void **state)
{
    (void)state;
    int raw = close_for_good(false);
    (void)send(raw, "x", 1, MSG_NOSIGNAL);
    assert_int_equal(send(raw, "x", 1, MSG_NOSIGNAL), -1);
    close(raw);
}

static void who_has_said_more_than_his_last_hears_the_reply_all_the_same(void **state)
{
    (void)state;
    int raw = close_for_good(true);
    assert_int_equal(send(raw, "x", 1, MSG_NOSIGNAL), 1);
    close(raw);
    run_for(SPAN_MS(0));
}

static void count_data(struct stream *stream, struct str bytes)
{
    (void)stream;
    received += bytes.len;
}

static void who_sends_on_and_on_to_a_paused_stream_is_heard_after_it(void **state)
{
    (void)state;
    static const struct stream_events counting = {count_data, client_end, NULL};
    int raw = raw_client();
    server->events = &counting;
    for (size_t round = 1; round <= 3; round++) {
        for (int i = 0; i < 5; i++) {
            assert_int_equal(send(raw, "x", 1, 0), 1);
            run_for(SPAN_MS(0));
        }
        assert_int_equal(received, 6 * (round - 1));
        stream_resume(server);
        run_for(SPAN_MS(0));
        assert_int_equal(received, 6 * round - 1);
        assert_int_equal(send(raw, "x", 1, 0), 1);
        run_for(SPAN_MS(0));
        assert_int_equal(received, 6 * round);
        stream_pause(server);
    }
    assert_int_equal(send(raw, "x", 1, 0), 1);
    run_for(SPAN_MS(0));
    assert_int_equal(send(raw, "x", 1, 0), 1);
    run_for(SPAN_MS(0));
    close(raw); /* its end is heard, also by one who was deaf */
    stream_resume(server);
    world_run(&world);
    assert_int_equal(received, 20);
    assert_int_equal(ends, 1);
    stream_close(server);
}

static void the_end_is_told_once_and_unsent_bytes_are_dropped_with_an_abort(void **state)
{
    (void)state;
    make_pair();
    static char junk[1 << 24];
    stream_write(client, str_from(junk, sizeof junk));
    assert_true(stream_unsent(client) > 0);
    stream_resume(client);
    stream_abort(server);
    world_run(&world);
    assert_int_equal(ends, 1);
    stream_write(client, STR("more"));
    stream_write(client, STR("more"));
    struct timer timer = {.fire = stop_world};
    world.ports->timers->arm(world.ports->timers, &timer, SPAN_MS(50));
    world_run(&world);
    assert_int_equal(ends, 1);
    assert_int_equal(stream_unsent(client), 0);
    stream_close(client);
}

static void what_is_unsent_is_sent_before_the_close(void **state)
{
    (void)state;
    make_pair();
    static char junk[1 << 22];
    static const struct stream_events counting = {big_data, client_end, NULL};
    memset(pattern, 0, sizeof pattern);
    stream_write(server, str_from(junk, sizeof junk));
    stream_close(server);
    client->events = &counting;
    stream_resume(client);
    world_run(&world);
    assert_int_equal(received, sizeof junk);
    assert_int_equal(end_error, 0);
    assert_int_equal(ends, 1);
    stream_close(client);
}

static void without_descriptors_connections_wait(void **state)
{
    (void)state;
    listen_now();
    client = NULL;
    int first = socket(AF_INET, SOCK_STREAM, 0); /* made before the limit */
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    struct rlimit low = {.rlim_cur = (rlim_t)first + 1, .rlim_max = limit.rlim_max};
    setrlimit(RLIMIT_NOFILE, &low);
    char address[16] = {AF_INET, 0, (char)(listener.at.port >> 8), (char)listener.at.port, 127, 0,
                        0,       1};
    assert_int_equal(connect(first, (struct sockaddr *)(void *)address, sizeof address), 0);
    struct timer timer = {.fire = stop_world};
    world.ports->timers->arm(world.ports->timers, &timer, SPAN_MS(50));
    world_run(&world);
    assert_int_equal(accepted_count, 0);
    setrlimit(RLIMIT_NOFILE, &limit);
    world.ports->timers->arm(world.ports->timers, &timer, SPAN_MS(300));
    world_run(&world);
    assert_int_equal(accepted_count, 1);
    close(first);
}

/* Two loops on one port, in threads: both are served connections. */
enum { CLIENTS = 200 };
static struct loop *pair[2];
static struct net_listener pair_listeners[2];
static int pair_accepted[2];

static void pair_take(struct net_listener *l, struct stream *stream)
{
    pair_accepted[l == &pair_listeners[1]]++;
    stream_abort(stream);
}

static void pair_connect(struct endpoint to)
{
    char address[16] = {AF_INET, 0, (char)(to.port >> 8), (char)to.port, 127, 0, 0, 1};
    for (int i = 0; i < CLIENTS; i++) {
        char byte;
        int s = socket(AF_INET, SOCK_STREAM, 0);
        assert_int_equal(connect(s, (struct sockaddr *)(void *)address, sizeof address), 0);
        assert_true(read(s, &byte, 1) <= 0);
        close(s);
    }
}

static void two_loops_share_a_port(void **state)
{
    (void)state;
    pair[0] = loop_new(&quiet_log, NULL);
    pair[1] = loop_new(&quiet_log, NULL);
    for (int i = 0; i < 2; i++) {
        struct net *net = loop_ports(pair[i])->net;
        pair_listeners[i] = (struct net_listener){.accepted = pair_take, .at = listener.at};
        assert_int_equal(net->listen(net, &pair_listeners[i]), 0);
        listener.at = pair_listeners[i].at;
    }
    assert_int_equal(pair_listeners[0].at.port, pair_listeners[1].at.port);
    struct threads *threads = threads_start(pair, 2, NULL, NULL);
    assert_non_null(threads);
    pair_connect(listener.at);
    loop_stop(pair[0]);
    loop_stop(pair[1]);
    threads_join(threads);
    loop_free(pair[0]);
    loop_free(pair[1]);
    assert_int_equal(pair_accepted[0] + pair_accepted[1], CLIENTS);
    assert_true(pair_accepted[0] > 0 && pair_accepted[1] > 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_sent_comes_back),
        TEST(a_source_address_is_used),
        TEST(ipv6_works_likewise),
        TEST(local_sockets_work_likewise_and_stale_ones_are_removed),
        TEST(a_big_transfer_arrives_whole_whoever_is_slow),
        TEST(a_connection_may_be_refused_or_impossible),
        TEST(a_cancelled_connection_is_not_told),
        TEST(a_reply_survives_a_close_with_unread_input),
        TEST(who_sends_without_end_after_the_close_is_cut_off),
        TEST(who_has_said_his_last_is_not_waited_for),
        TEST(who_has_said_more_than_his_last_hears_the_reply_all_the_same),
        TEST(who_sends_on_and_on_to_a_paused_stream_is_heard_after_it),
        TEST(the_end_is_told_once_and_unsent_bytes_are_dropped_with_an_abort),
        TEST(what_is_unsent_is_sent_before_the_close),
        TEST(without_descriptors_connections_wait),
        TEST(two_loops_share_a_port),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
