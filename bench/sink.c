/* sink: takes mail as fast as it comes, and forgets it. It is the null server, the protocol's
 * ceiling, and the next hop that is never in the way.
 *
 * It scans for line ends and for the dot at the end of a message, and looks at the first letter of
 * a command; nothing is parsed further. The counts lie in a file that others map. */
#include "wire.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

struct counts {
    _Atomic uint64_t messages, recipients, bytes, connections;
    _Atomic uint64_t first_ns; /* monotonic, when the first message was whole */
};

/* Where we are in the octets of one connection. */
struct session {
    int fd;
    bool data; /* in a message */
    bool quit;
    uint8_t dot;     /* in a message: how many octets of CRLF.CRLF were seen */
    char verb[4];    /* first octets of a command line */
    uint16_t column; /* octets of this line so far */
};

struct out {
    size_t len;
    char bytes[65536];
};

static struct counts *counts;
static unsigned answer_delay_us;
static const char ehlo[] = "250-sink.bench.example\r\n250-PIPELINING\r\n250-8BITMIME\r\n"
                           "250-SMTPUTF8\r\n250-DSN\r\n250-SIZE 0\r\n250 ENHANCEDSTATUSCODES\r\n";

static void say(struct out *out, const char *text, size_t len)
{
    if (len <= sizeof(out->bytes) - out->len) {
        memcpy(out->bytes + out->len, text, len);
        out->len += len;
    }
}
#define SAY(out, literal) say(out, literal, sizeof(literal) - 1)

static void answer(struct session *s, struct out *out)
{
    switch (s->verb[0] & 0x5f) {
    case 'E':
    case 'L':
        SAY(out, ehlo);
        break;
    case 'D':
        s->data = true;
        s->dot = 2; /* the line before ended with CRLF */
        SAY(out, "354 go on\r\n");
        break;
    case 'Q':
        s->quit = true;
        SAY(out, "221 2.0.0 bye\r\n");
        break;
    case 'R':
        if ((s->verb[1] & 0x5f) == 'C')
            counts->recipients++;
        SAY(out, "250 2.1.5 ok\r\n");
        break;
    default:
        SAY(out, "250 2.0.0 ok\r\n");
    }
}

static size_t feed_command(struct session *s, const char *p, size_t len, struct out *out)
{
    const char *end = memchr(p, '\n', len);
    size_t line = end ? (size_t)(end - p) : len;
    for (size_t i = 0; i < line && s->column < sizeof(s->verb); i++)
        s->verb[s->column++] = p[i];
    if (!end)
        return len;
    s->column = 0;
    answer(s, out);
    return line + 1;
}

/* Looks for the next CR, LF or dot that matters: few octets of a message are looked at singly. */
static size_t feed_data(struct session *s, const char *p, size_t len, struct out *out)
{
    size_t i = 0;
    while (i < len) {
        if (s->dot == 0) {
            const char *cr = memchr(p + i, '\r', len - i);
            if (!cr)
                return len;
            i = (size_t)(cr - p) + 1;
            s->dot = 1;
            continue;
        }
        char c = p[i++];
        bool next = c == "\r\n.\r\n"[s->dot];
        s->dot = next ? s->dot + 1 : c == '\r';
        if (s->dot < 5)
            continue;
        s->data = false;
        uint64_t none = 0;
        if (counts->messages++ == 0)
            atomic_compare_exchange_strong(&counts->first_ns, &none, now_ns());
        if (answer_delay_us)
            usleep(answer_delay_us);
        SAY(out, "250 2.0.0 taken\r\n");
        return i;
    }
    return len;
}

static void readable(struct session *s)
{
    static char in[262144];
    static struct out out;
    ssize_t got = read(s->fd, in, sizeof(in));
    if (got < 0 && errno == EAGAIN)
        return;
    bool open = got > 0;
    out.len = 0;
    for (size_t at = 0; open && at < (size_t)got && !s->quit;)
        at += s->data ? feed_data(s, in + at, (size_t)got - at, &out)
                      : feed_command(s, in + at, (size_t)got - at, &out);
    if (open)
        counts->bytes += (uint64_t)got;
    if (out.len && write(s->fd, out.bytes, out.len) != (ssize_t)out.len)
        open = false; /* who does not read replies is left */
    if (!open || s->quit) {
        close(s->fd);
        free(s);
    }
}

static void take(int listener, int ep)
{
    for (int i = 0; i < 64; i++) {
        int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0)
            return;
        struct session *s = calloc(1, sizeof(*s));
        if (!s)
            die("memory");
        s->fd = fd;
        counts->connections++;
        if (write(fd, "220 sink.bench.example ESMTP\r\n", 30) != 30) {
            close(fd);
            free(s);
            continue;
        }
        struct epoll_event e = {.events = EPOLLIN, .data.ptr = s};
        epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e);
    }
}

static void serve(struct sockaddr_in at, bool shared)
{
    int listener = listen_at(at, shared);
    int ep = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event e = {.events = EPOLLIN, .data.ptr = NULL};
    epoll_ctl(ep, EPOLL_CTL_ADD, listener, &e);
    for (;;) {
        struct epoll_event ready[256];
        int n = epoll_wait(ep, ready, 256, -1);
        for (int i = 0; i < n; i++) {
            if (ready[i].data.ptr)
                readable(ready[i].data.ptr);
            else
                take(listener, ep);
        }
    }
}

static void map_counts(const char *file)
{
    int fd = file ? open(file, O_RDWR | O_CREAT | O_TRUNC, 0666) : -1;
    if (file && (fd < 0 || ftruncate(fd, 4096)))
        die(file);
    void *at =
        mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | (file ? 0 : MAP_ANONYMOUS), fd, 0);
    if (at == MAP_FAILED)
        die("mmap");
    counts = at;
}

int main(int argc, char **argv)
{
    const char *file = NULL;
    long processes = 1;
    for (int option; (option = getopt(argc, argv, "f:j:d:")) != -1;) {
        if (option == 'f')
            file = optarg;
        else if (option == 'j')
            processes = number(optarg, 1, 64);
        else if (option == 'd')
            answer_delay_us = (unsigned)number(optarg, 0, 10000000);
        else
            die("sink [-f COUNTS] [-j PROCESSES] [-d MICROSECONDS] ADDRESS:PORT");
    }
    errno = 0;
    if (optind + 1 != argc)
        die("sink [-f COUNTS] [-j PROCESSES] [-d MICROSECONDS] ADDRESS:PORT");
    signal(SIGPIPE, SIG_IGN);
    want_descriptors();
    map_counts(file);
    for (long i = 1; i < processes; i++) {
        if (fork() == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            break;
        }
    }
    serve(address_of(argv[optind]), processes > 1);
}
