/* handshake: as many TLS handshakes as the server makes in some seconds, each on a connection of its
 * own that ends with the greeting, from 127.0.0.2 and up. With -r a session goes on from the connection
 * before. Says how many, how long each took from connecting to the greeting, and how much processor
 * time this program itself took of every second: near 1 it, and not the server, is the bottleneck.
 *
 *   handshake [-2] [-r] [-c CONNECTIONS] [-t SECONDS] ADDRESS:PORT */
#include "secure.h"
#include "wire.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

enum { AT_ONCE_MAX = 1000, SOURCES = 50, TIMES_MAX = 1000000 };

struct slot {
    int fd;
    SSL *ssl;
    SSL_SESSION *session;
    uint64_t began;
};

static struct sockaddr_in at;
static SSL_CTX *context;
static int ep;
static bool resumes;
static struct slot slots[AT_ONCE_MAX];
static unsigned opened;
static long made, resumed, failed;
static uint64_t times[TIMES_MAX];

static void begin(struct slot *slot)
{
    slot->began = now_ns();
    slot->fd = connect_to(at, 1 + opened++ % SOURCES);
    slot->ssl = secure_on(context, slot->fd);
    if (slot->session && SSL_set_session(slot->ssl, slot->session) != 1)
        die("session");
    struct epoll_event e = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = slot};
    if (epoll_ctl(ep, EPOLL_CTL_ADD, slot->fd, &e))
        die("epoll");
}

static void end(struct slot *slot, bool good)
{
    if (good && resumes) {
        SSL_SESSION_free(slot->session);
        slot->session = SSL_get1_session(slot->ssl);
    }
    if (good && made < TIMES_MAX)
        times[made] = now_ns() - slot->began;
    made += good;
    failed += !good;
    resumed += good && SSL_session_reused(slot->ssl);
    SSL_set_shutdown(slot->ssl, SSL_SENT_SHUTDOWN); /* else the session would not be used again */
    SSL_free(slot->ssl);
    close(slot->fd);
}

static void go_on(struct slot *slot)
{
    char in[4096];
    long got = secure_recv(slot->ssl, in, sizeof(in));
    if (got < 0 && errno == EAGAIN)
        return;
    end(slot, got > 0 && in[0] == '2');
    begin(slot);
}

static double own_seconds(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static int by_size(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static double run(uint64_t until)
{
    uint64_t began = now_ns();
    while (now_ns() < until) {
        struct epoll_event events[64];
        int n = epoll_wait(ep, events, 64, 100);
        for (int i = 0; i < n; i++)
            go_on(events[i].data.ptr);
    }
    return (double)(now_ns() - began) / 1e9;
}

int main(int argc, char **argv)
{
    long count = 20, seconds = 2;
    int version = 0;
    for (int o; (o = getopt(argc, argv, "2rc:t:")) != -1;) {
        version = o == '2' ? TLS1_2_VERSION : version;
        resumes = resumes || o == 'r';
        count = o == 'c' ? number(optarg, 1, AT_ONCE_MAX) : count;
        seconds = o == 't' ? number(optarg, 1, 600) : seconds;
    }
    errno = 0;
    if (optind + 1 != argc)
        die("handshake [-2] [-r] [-c CONNECTIONS] [-t SECONDS] ADDRESS:PORT");
    at = address_of(argv[optind]);
    want_descriptors();
    context = secure_context(version);
    ep = epoll_create1(EPOLL_CLOEXEC);
    for (long i = 0; i < count; i++)
        begin(&slots[i]);
    double own = own_seconds();
    double took = run(now_ns() + (uint64_t)seconds * 1000000000u);
    own = own_seconds() - own;
    long kept = made < TIMES_MAX ? made : TIMES_MAX;
    qsort(times, (size_t)kept, sizeof(times[0]), by_size);
    printf("{\"handshakes\": %ld, \"resumed\": %ld, \"failed\": %ld, \"rate\": %.1f, \"p50_us\": %lu, "
           "\"p99_us\": %lu, \"generator\": %.2f}\n",
           made, resumed, failed, (double)made / took, kept ? times[kept / 2] / 1000 : 0,
           kept ? times[kept * 99 / 100] / 1000 : 0, own / took);
    return 0;
}
