/* hold: opens idle sessions, each greeted and past its EHLO, says so (after 45 s, of those that are
 * there), and holds them until its standard input ends. From 127.0.0.2 and up, 1,000 from each
 * address. With -s each is TLS from its first octet, with -2 TLS 1.2.
 *
 *   hold [-s] [-2] [-x ADDRESSES] N ADDRESS:PORT */
#include "secure.h"
#include "wire.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

static int ep;
static long ready_count, lost;
static unsigned char *steps; /* by descriptor: 0 greeting, 1 EHLO, 2 idle */
static SSL **secured;        /* by descriptor; null: without TLS */

static ssize_t take(int fd, char *into, size_t len)
{
    return secured ? secure_recv(secured[fd], into, len) : recv(fd, into, len, 0);
}

static bool say(int fd, const char *text)
{
    size_t len = strlen(text);
    return secured ? secure_send(secured[fd], text)
                   : send(fd, text, len, MSG_NOSIGNAL) == (ssize_t)len;
}

static void readable(int fd)
{
    char in[4096];
    ssize_t got = take(fd, in, sizeof(in));
    if (got < 0 && errno == EAGAIN)
        return;
    if (got <= 0) {
        lost++;
        ready_count -= steps[fd] == 2;
        if (secured)
            SSL_free(secured[fd]);
        close(fd);
        return;
    }
    if (got < 2 || in[got - 1] != '\n')
        return;
    /* The last line of what came is the last of its reply. */
    const char *last = in + got - 1;
    while (last > in && last[-1] != '\n')
        last--;
    if (in + got - last < 4 || last[3] == '-')
        return;
    if (steps[fd] == 0 && say(fd, "EHLO client.example\r\n")) {
        steps[fd] = 1;
    } else if (steps[fd] == 1) {
        steps[fd] = 2;
        ready_count++;
    }
}

int main(int argc, char **argv)
{
    long sources = 0;
    bool secure = false;
    int version = 0;
    for (int o; (o = getopt(argc, argv, "s2x:")) != -1;) {
        sources = o == 'x' ? number(optarg, 1, 10000) : sources;
        secure = secure || o == 's' || o == '2';
        version = o == '2' ? TLS1_2_VERSION : version;
    }
    errno = 0;
    if (optind + 2 != argc)
        die("hold [-s] [-2] [-x ADDRESSES] N ADDRESS:PORT");
    long wanted = number(argv[optind], 1, 200000);
    struct sockaddr_in at = address_of(argv[optind + 1]);
    want_descriptors();
    steps = calloc(300000, 1);
    SSL_CTX *context = secure ? secure_context(version) : NULL;
    secured = secure ? calloc(300000, sizeof(SSL *)) : NULL;
    if (!steps || (secure && !secured))
        die("memory");
    sources = sources ? sources : 1 + wanted / 1000;
    ep = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event e = {.events = EPOLLIN, .data.fd = 0};
    epoll_ctl(ep, EPOLL_CTL_ADD, 0, &e);
    long opened = 0;
    bool said = false;
    uint64_t began = now_ns();
    for (;;) {
        while (opened < wanted && opened - ready_count - lost < 200) {
            e.data.fd = connect_to(at, 1 + (unsigned)(opened++ % sources));
            steps[e.data.fd] = 0;
            if (secured) {
                secured[e.data.fd] = secure_on(context, e.data.fd);
                e.events = EPOLLIN | EPOLLOUT | EPOLLET; /* a client speaks first */
            }
            epoll_ctl(ep, EPOLL_CTL_ADD, e.data.fd, &e);
        }
        bool late = now_ns() - began > 45000000000u;
        if (!said && (late || ready_count + lost >= wanted)) {
            said = true;
            printf("{\"held\": %ld, \"lost\": %ld}\n", ready_count, lost);
            fflush(stdout);
        }
        struct epoll_event events[256];
        int n = epoll_wait(ep, events, 256, said ? -1 : 1000);
        for (int i = 0; i < n; i++) {
            if (events[i].data.fd == 0)
                return 0;
            readable(events[i].data.fd);
        }
    }
}
