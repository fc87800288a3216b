#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/socket.h>

#include "world.h"
#include "world/inside.h"
#include "world/resolver.h"
#include "world/threads.h"

/* A name server of few words, in a thread: what it answers depends on the name alone. It is an
 * authority: no recursion available. */
static int server_socket;
static pthread_t server;
static char server_text[64];

static size_t question_length(const unsigned char *q, size_t len)
{
    size_t at = 12;
    while (at < len && q[at]) {
        at += q[at] + 1U;
    }
    return at + 5 <= len ? at + 5 : 0;
}

static bool asks(const unsigned char *q, size_t len, const char *label)
{
    return memmem(q, len, label, strlen(label)) != NULL;
}

static size_t answer(unsigned char *q, size_t len)
{
    static const unsigned char a[] = {0xc0, 12, 0, 1, 0, 1, 0, 0, 1, 0, 0, 4, 192, 0, 2, 1};
    static const unsigned char mx[] = {0xc0, 12, 0, 15, 0, 1,   0,   0,    1, 0,
                                       0,    7,  0, 10, 2, 'm', 'x', 0xc0, 12};
    static const unsigned char ptr[] = {0xc0, 12, 0, 12,  0, 1,   0,   0,   1,   0,
                                        0,    7,  1, 'h', 4, 't', 'e', 's', 't', 0};
    size_t end = question_length(q, len);
    unsigned type = (unsigned)(q[end - 4] << 8 | q[end - 3]);
    q[2] = 0x84 | (q[2] & 1);
    q[3] = 0;
    memset(q + 6, 0, 6);
    const unsigned char *record = type == 1 ? a : type == 15 ? mx : ptr;
    size_t record_len = type == 1 ? sizeof a : type == 15 ? sizeof mx : sizeof ptr;
    if (asks(q, end, "broken")) {
        q[3] = 2;
    } else if (asks(q, end, "none")) {
        q[3] = 3;
    } else if (type == 1 || type == 15 || type == 12) {
        q[7] = 1;
        memcpy(q + end, record, record_len);
        if (type == 12) {
            q[end + 11] = 8;
        }
        end += record_len;
    }
    return end;
}

static void *serve(void *argument)
{
    (void)argument;
    for (;;) {
        unsigned char q[1500];
        struct sockaddr_in from;
        socklen_t from_len = sizeof from;
        ssize_t n = recvfrom(server_socket, q, 600, 0, (struct sockaddr *)&from, &from_len);
        if (n < 0 || n == 1) {
            return NULL;
        }
        if (n < 17 || question_length(q, (size_t)n) == 0 || asks(q, (size_t)n, "silent")) {
            continue;
        }
        size_t len = answer(q, (size_t)n);
        sendto(server_socket, q, len, 0, (struct sockaddr *)&from, from_len);
    }
}

static struct sockaddr_in server_address;

static int begin_server(void **state)
{
    (void)state;
    socklen_t len = sizeof server_address;
    server_socket = socket(AF_INET, SOCK_DGRAM, 0);
    server_address.sin_family = AF_INET;
    server_address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(server_socket, (struct sockaddr *)&server_address, len), 0);
    assert_int_equal(getsockname(server_socket, (struct sockaddr *)&server_address, &len), 0);
    snprintf(server_text, sizeof server_text, "127.0.0.1@%u", ntohs(server_address.sin_port));
    return pthread_create(&server, NULL, serve, NULL);
}

static int end_server(void **state)
{
    (void)state;
    sendto(server_socket, "", 1, 0, (struct sockaddr *)&server_address, sizeof server_address);
    pthread_join(server, NULL);
    close(server_socket);
    return 0;
}

static struct dns_service *make_service(struct span limit)
{
    char reason[256] = "";
    struct str at = str_from_cstr(server_text);
    const struct dns_service_options options = {.servers = &at, .server_count = 1, .limit = limit};
    struct dns_service *service = dns_service_new(&options, reason, sizeof reason);
    assert_string_equal(reason, "");
    assert_non_null(service);
    return service;
}

static struct world world;
static unsigned char packet[600];
static size_t packet_len;
static bool done;

static void on_done(struct resolver_query *query)
{
    done = true;
    packet_len = query->answer.len < sizeof packet ? query->answer.len : sizeof packet;
    memcpy(packet, query->answer.len ? query->answer.ptr : "", packet_len);
    loop_stop(world.loop);
}

static enum resolver_result ask(const char *name, uint16_t type)
{
    struct resolver_query query = {.done = on_done};
    done = false;
    world.ports->resolver->ask(world.ports->resolver, &query, str_from_cstr(name), type);
    assert_false(done);
    world_run(&world);
    assert_true(done);
    assert_false(query.secure);
    return query.result;
}

static unsigned rcode(void)
{
    return packet[3] & 15U;
}

static unsigned answers(void)
{
    return (unsigned)(packet[6] << 8 | packet[7]);
}

static void the_configured_server_is_asked_about_every_name(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint16_t type;
        unsigned rcode, answers;
    } rows[] = {
        {"example.test", 15, 0, 1},
        {"example.test", 1, 0, 1},
        {"example.test", 16, 0, 0},
        {"none.example.org", 1, 3, 0},
        {"host.invalid", 1, 0, 1},
        {"localhost", 1, 0, 1},
        {"some.onion", 1, 0, 1},
        {"host.home.arpa", 1, 0, 1},
        {"1.0.0.127.in-addr.arpa", 12, 0, 1},
        {"1.2.3.10.in-addr.arpa", 12, 0, 1},
        {"1.1.16.172.in-addr.arpa", 12, 0, 1},
        {"1.1.31.172.in-addr.arpa", 12, 0, 1},
        {"1.1.168.192.in-addr.arpa", 12, 0, 1},
        {"1.2.0.192.in-addr.arpa", 12, 0, 1},
        {"7.100.51.198.in-addr.arpa", 12, 0, 1},
        {"7.113.0.203.in-addr.arpa", 12, 0, 1},
        {"1.1.64.100.in-addr.arpa", 12, 0, 1},
        {"1.1.254.169.in-addr.arpa", 12, 0, 1},
        {"1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa", 12, 0, 1},
        {"1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.d.f.ip6.arpa", 12, 0, 1},
        {"1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.ip6.arpa", 12, 0, 1},
    };
    struct dns_service *service = make_service(SPAN_S(10));
    world_begin(&world, service);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        enum resolver_result result = ask(rows[i].name, rows[i].type);
        if (result != RESOLVER_ANSWERED || rcode() != rows[i].rcode ||
            answers() != rows[i].answers) {
            fail_msg("%s: result %d, rcode %u, answers %u", rows[i].name, (int)result, rcode(),
                     answers());
        }
    }
    world_end(&world);
    dns_service_free(service);
}

static void what_cannot_be_answered_is_told_apart(void **state)
{
    (void)state;
    struct dns_service *service = make_service(SPAN_MS(1500));
    world_begin(&world, service);
    assert_int_equal(ask("broken.example.org", 1), RESOLVER_FAILED);
    assert_int_equal(ask("silent.example.org", 1), RESOLVER_TIMEOUT);
    assert_int_equal(ask("a..b", 1), RESOLVER_FAILED);
    static char name[300];
    memset(name, 'a', sizeof name - 1);
    assert_int_equal(ask(name, 1), RESOLVER_FAILED);
    assert_int_equal(ask("good.example.org", 1), RESOLVER_ANSWERED);
    world_end(&world);
    dns_service_free(service);
    world_begin(&world, NULL);
    assert_int_equal(ask("good.example.org", 1), RESOLVER_FAILED);
    world_end(&world);
}

static void never(struct resolver_query *query)
{
    (void)query;
    fail();
}

static void
a_cancelled_question_is_not_answered_and_a_loop_may_end_with_questions_open(void **state)
{
    (void)state;
    struct dns_service *service = make_service(SPAN_S(10));
    world_begin(&world, service);
    struct resolver_query query = {.done = never};
    struct resolver *r = world.ports->resolver;
    r->ask(r, &query, STR("first.example.org"), 1);
    r->cancel(r, &query);
    r->cancel(r, &query);
    assert_int_equal(ask("second.example.org", 1), RESOLVER_ANSWERED);
    r->ask(r, &query, STR("silent.example.net"), 1);
    struct resolver_query other = {.done = never};
    r->ask(r, &other, STR("third.example.net"), 1);
    world_end(&world);
    dns_service_free(service);
}

/* Three loops ask one service, all at once. */
enum { LOOPS = 3, QUESTIONS = 50 };
static struct loop *loops[LOOPS];
static struct resolver_query questions[LOOPS][QUESTIONS];
static int left[LOOPS];

static void on_one(struct resolver_query *query)
{
    size_t loop = (size_t)(query - &questions[0][0]) / QUESTIONS;
    assert_int_equal(query->result, RESOLVER_ANSWERED);
    assert_true(query->answer.len > 12);
    if (--left[loop] == 0) {
        loop_stop(loops[loop]);
    }
}

static void ask_many(struct loop *loop, size_t number, void *owner)
{
    (void)owner;
    struct resolver *r = loop_ports(loop)->resolver;
    left[number] = QUESTIONS;
    for (int i = 0; i < QUESTIONS; i++) {
        char name[64];
        snprintf(name, sizeof name, "n%d.example.org", i);
        questions[number][i] = (struct resolver_query){.done = on_one};
        r->ask(r, &questions[number][i], str_from_cstr(name), 1);
    }
}

static void loops_share_one_service(void **state)
{
    (void)state;
    struct dns_service *service = make_service(SPAN_S(10));
    system_prepare();
    for (int i = 0; i < LOOPS; i++) {
        loops[i] = loop_new(&quiet_log, service);
    }
    struct threads *threads = threads_start(loops, LOOPS, ask_many, NULL);
    assert_non_null(threads);
    threads_join(threads);
    for (int i = 0; i < LOOPS; i++) {
        assert_int_equal(left[i], 0);
        loop_free(loops[i]);
    }
    dns_service_free(service);
}

static void wrong_options_are_explained(void **state)
{
    (void)state;
    static const struct str wrong[] = {STR_INIT("localhost"), STR_INIT("127.0.0.1@0"),
                                       STR_INIT("127.0.0.1@65536"), STR_INIT("::1@"), STR_INIT("")};
    char reason[256];
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        const struct dns_service_options options = {.servers = &wrong[i], .server_count = 1};
        reason[0] = '\0';
        assert_null(dns_service_new(&options, reason, sizeof reason));
        assert_non_null(strstr(reason, "name server"));
    }
    struct str at = str_from_cstr(server_text);
    const struct dns_service_options anchor = {
        .servers = &at, .server_count = 1, .trust_anchor = STR("/none/root.key")};
    assert_null(dns_service_new(&anchor, reason, sizeof reason));
    assert_non_null(strstr(reason, "/none/root.key"));
    const struct dns_service_options conf = {.resolv_conf = STR("/none/resolv.conf")};
    assert_null(dns_service_new(&conf, reason, sizeof reason));
    assert_non_null(strstr(reason, "/none/resolv.conf"));
}

static void the_hosts_file_answers_addresses_only(void **state)
{
    (void)state;
    struct str at = str_from_cstr(server_text);
    char hosts[] = "/tmp/postrider-hosts-XXXXXX";
    int hosts_file = mkstemp(hosts);
    dprintf(hosts_file, "# a comment\n10.1.2.3\t mail.example.org mail # more\nnonsense\n");
    const struct dns_service_options options = {
        .servers = &at, .server_count = 1, .hosts = str_from_cstr(hosts), .limit = SPAN_S(5)};
    char reason[256] = "";
    struct dns_service *service = dns_service_new(&options, reason, sizeof reason);
    assert_non_null(service);
    world_begin(&world, service);
    assert_int_equal(ask("mail.example.org", 1), RESOLVER_ANSWERED);
    assert_non_null(memmem(packet, packet_len, "\x0a\x01\x02\x03", 4));
    assert_int_equal(ask("mail.example.org", 15), RESOLVER_ANSWERED);
    assert_int_equal(answers(), 1);
    world_end(&world);
    dns_service_free(service);
    unlink(hosts);
    close(hosts_file);
}

static void what_was_answered_is_known_to_the_loop_without_asking(void **state)
{
    (void)state;
    struct dns_service *service = make_service(SPAN_S(10));
    world_begin(&world, service);
    assert_int_equal(ask("known.example.org", 1), RESOLVER_ANSWERED);
    assert_int_equal(ask("none.example.org", 1), RESOLVER_ANSWERED);
    assert_int_equal(ask("broken.example.org", 1), RESOLVER_FAILED);
    world.loop->resolver.service = NULL; /* nobody to ask */
    assert_int_equal(ask("KNOWN.example.org", 1), RESOLVER_ANSWERED);
    assert_int_equal(answers(), 1);
    assert_int_equal(ask("none.example.org", 1), RESOLVER_ANSWERED);
    assert_int_equal(rcode(), 3);
    assert_int_equal(ask("broken.example.org", 1), RESOLVER_FAILED);
    assert_int_equal(ask("known.example.org", 15), RESOLVER_FAILED);
    struct resolver_query query = {.done = never};
    struct resolver *r = world.ports->resolver;
    r->ask(r, &query, STR("known.example.org"), 1);
    r->cancel(r, &query);
    assert_int_equal(ask("known.example.org", 1), RESOLVER_ANSWERED);
    r->ask(r, &query, STR("known.example.org"), 1); /* open when the loop ends */
    world_end(&world);
    dns_service_free(service);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_configured_server_is_asked_about_every_name),
        cmocka_unit_test(what_cannot_be_answered_is_told_apart),
        cmocka_unit_test(
            a_cancelled_question_is_not_answered_and_a_loop_may_end_with_questions_open),
        cmocka_unit_test(loops_share_one_service),
        cmocka_unit_test(what_was_answered_is_known_to_the_loop_without_asking),
        cmocka_unit_test(wrong_options_are_explained),
        cmocka_unit_test(the_hosts_file_answers_addresses_only),
    };
    return cmocka_run_group_tests(tests, begin_server, end_server);
}
