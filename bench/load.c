/* load: sends messages as fast as the server takes them, over many connections, and says how fast
 * that was and how long the server took from the final dot to its reply.
 *
 *   load [options] ADDRESS:PORT
 *     -m N  messages in all                  -c N  connections at once
 *     -k N  messages per connection, 0: as many as there are
 *     -s N  octets of a message              -n N  recipients of each message
 *     -r T  recipient; %u in it is replaced by a running number, modulo -R N, and %d by
 *           that number modulo -D N
 *     -p    pipeline where that is offered: MAIL, RCPT and DATA in one write (RFC 2920)
 *     -x N  connect from N addresses, 127.0.0.2 and up
 *     -t N  seconds, then no further message is begun */
#include "wire.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { STALL_MS = 10000 };

enum step { GREETING, EHLO, ENVELOPE, BODY, QUIT };

struct session {
    int fd;
    enum step step;
    long sent;         /* messages of this connection */
    unsigned expected; /* replies that are still to come in this step */
    unsigned left;     /* recipients not yet named: only without pipelining */
    bool pipeline;
    bool data_said;
    bool refused; /* a reply of this transaction was not what it should be */
    char line[4]; /* first octets of the reply line */
    unsigned column;
    size_t body_at; /* octets of the message that are out */
    uint64_t dot_ns;
};

static struct {
    struct sockaddr_in at;
    long messages, connections, per_connection, size, recipients, modulo, domains, sources, seconds;
    const char *recipient;
    bool pipeline;
} want = {.messages = 1000,
          .connections = 1,
          .size = 4096,
          .recipients = 1,
          .modulo = 1,
          .domains = 1,
          .recipient = "box@house.example"};

static int ep;
static char *body;
static size_t body_len;
static long begun, done, refused, broken, running, leaving, connected;
static uint32_t *latencies;
static uint64_t began_ns, last_ns, named;
static char complaint[200];

static void make_body(void)
{
    static const char head[] = "From: Load <load@client.example>\r\nTo: box <box@house.example>\r\n"
                               "Subject: a message of the usual kind\r\n"
                               "Date: Tue, 24 Nov 2026 10:00:00 +0000\r\n"
                               "Message-ID: <load@client.example>\r\n\r\n";
    body = malloc((size_t)want.size + sizeof(head) + 128);
    latencies = calloc((size_t)want.messages + 1, sizeof(*latencies));
    if (!body || !latencies)
        die("memory");
    body_len = sizeof(head) - 1;
    memcpy(body, head, body_len);
    while (body_len + 2 < (size_t)want.size) {
        size_t line = (size_t)want.size - body_len - 2;
        line = line > 76 ? 76 : line;
        memset(body + body_len, 'x', line);
        memcpy(body + body_len + line, "\r\n", 2);
        body_len += line + 2;
    }
    memcpy(body + body_len, ".\r\n", 3);
    body_len += 3;
}

static bool may_begin(void)
{
    return begun < want.messages &&
           (!want.seconds || now_ns() - began_ns < (uint64_t)want.seconds * 1000000000u);
}

static void end(struct session *s)
{
    close(s->fd);
    leaving -= s->step == QUIT;
    running -= s->step != QUIT;
    free(s);
}

static void send_or_die(const struct session *s, const char *text, size_t len)
{
    if (send(s->fd, text, len, MSG_NOSIGNAL) != (ssize_t)len)
        broken++;
}

static size_t add_recipient(char *to, size_t room)
{
    char address[256];
    size_t len = 0;
    uint64_t n = named++ % (uint64_t)want.modulo;
    for (const char *c = want.recipient; *c && len < 200; c++) {
        uint64_t value = c[1] == 'd' ? n % (uint64_t)want.domains : n;
        if (*c == '%' && (c[1] == 'u' || c[1] == 'd')) {
            len += (size_t)snprintf(address + len, 24, "%llu", (unsigned long long)value);
            c++;
        } else {
            address[len++] = *c;
        }
    }
    return (size_t)snprintf(to, room, "RCPT TO:<%.*s>\r\n", (int)len, address);
}

/* The next transaction, or QUIT. */
static void begin(struct session *s)
{
    static char text[1 << 20];
    bool more = may_begin() && (!want.per_connection || s->sent < want.per_connection);
    s->column = 0;
    if (!more) {
        /* Some servers take their time to say 221: nobody waits for that. */
        s->step = QUIT;
        s->expected = 1;
        running--;
        leaving++;
        send_or_die(s, "QUIT\r\n", 6);
        return;
    }
    begun++;
    s->sent++;
    s->step = ENVELOPE;
    s->refused = false;
    s->data_said = s->pipeline;
    s->left = s->pipeline ? 0 : (unsigned)want.recipients;
    s->expected = s->pipeline ? (unsigned)want.recipients + 2 : 1;
    size_t len = (size_t)snprintf(text, sizeof(text), "MAIL FROM:<load@client.example>\r\n");
    for (long i = 0; s->pipeline && i < want.recipients && len < sizeof(text) - 300; i++)
        len += add_recipient(text + len, sizeof(text) - len);
    if (s->pipeline)
        len += (size_t)snprintf(text + len, sizeof(text) - len, "DATA\r\n");
    send_or_die(s, text, len);
}

static void watch(struct session *s, uint32_t events)
{
    struct epoll_event e = {.events = events, .data.ptr = s};
    epoll_ctl(ep, EPOLL_CTL_MOD, s->fd, &e);
}

static void send_body(struct session *s)
{
    bool waited = s->body_at > 0;
    while (s->body_at < body_len) {
        ssize_t n = send(s->fd, body + s->body_at, body_len - s->body_at, MSG_NOSIGNAL);
        if (n < 0 && errno == EAGAIN) {
            watch(s, EPOLLIN | EPOLLOUT);
            s->body_at = s->body_at ? s->body_at : 0;
            return;
        }
        if (n < 0)
            return; /* the read tells */
        s->body_at += (size_t)n;
    }
    if (waited)
        watch(s, EPOLLIN);
    s->dot_ns = now_ns();
}

/* All replies of a step came. */
static void next(struct session *s)
{
    if (s->step == GREETING) {
        s->step = EHLO;
        s->expected = 1;
        send_or_die(s, "EHLO client.example\r\n", 21);
    } else if (s->step == EHLO) {
        begin(s);
    } else if (s->step == ENVELOPE && s->left) {
        char text[300];
        s->left--;
        s->expected = 1;
        send_or_die(s, text, add_recipient(text, sizeof(text)));
    } else if (s->step == ENVELOPE && !s->data_said) {
        s->data_said = true;
        s->expected = 1;
        send_or_die(s, "DATA\r\n", 6);
    } else if (s->step == ENVELOPE) {
        s->step = BODY;
        s->expected = 1;
        s->body_at = 0;
        send_body(s);
    } else if (s->step == BODY) {
        last_ns = now_ns();
        if (s->refused)
            refused++;
        else
            latencies[done++] = (uint32_t)((last_ns - s->dot_ns) / 1000);
        begin(s);
    }
}

static void complain(struct session *s, const char *line, size_t len)
{
    s->refused = true;
    if (!complaint[0])
        snprintf(complaint, sizeof(complaint), "%.*s", (int)(len > 150 ? 150 : len), line);
}

/* One line of replies; false: the connection is over. */
static bool take_line(struct session *s, const char *line, size_t len)
{
    if (s->step == EHLO && want.pipeline && len >= 14 && !memcmp(line + 4, "PIPELINING", 10))
        s->pipeline = true;
    if (s->line[3] == '-')
        return true;
    char good = s->step == ENVELOPE && s->data_said && s->expected == 1 ? '3' : '2';
    if (s->line[0] != good)
        complain(s, line, len);
    if (s->step == QUIT || (good == '3' && s->refused))
        return false;
    if (--s->expected == 0)
        next(s);
    return true;
}

static bool readable(struct session *s)
{
    static char in[65536];
    ssize_t got = recv(s->fd, in, sizeof(in), 0);
    if (got < 0 && errno == EAGAIN)
        return true;
    if (got <= 0)
        return false;
    const char *p = in;
    for (const char *stop = in + got; p < stop;) {
        const char *lf = memchr(p, '\n', (size_t)(stop - p));
        size_t len = lf ? (size_t)(lf - p) : (size_t)(stop - p);
        for (size_t i = 0; i < len && s->column < 4; i++)
            s->line[s->column++] = p[i];
        if (!lf)
            break;
        s->column = 0;
        if (!take_line(s, p, len))
            return false;
        p += len + 1;
    }
    return true;
}

static void open_one(void)
{
    struct session *s = calloc(1, sizeof(*s));
    if (!s)
        die("memory");
    unsigned source = want.sources ? 1 + (unsigned)(connected % want.sources) : 0;
    s->fd = connect_to(want.at, source);
    s->expected = 1;
    struct epoll_event e = {.events = EPOLLIN, .data.ptr = s};
    if (epoll_ctl(ep, EPOLL_CTL_ADD, s->fd, &e))
        die("epoll");
    running++;
    connected++;
}

static void refill(void)
{
    /* A connection that has not begun its message is on its way to one. */
    long wanted = want.messages - begun;
    while (running < want.connections && running < wanted && may_begin())
        open_one();
}

static void serve(struct session *s, uint32_t events)
{
    if ((events & EPOLLOUT) && s->step == BODY)
        send_body(s);
    if (!(events & (EPOLLIN | EPOLLERR | EPOLLHUP)) || readable(s))
        return;
    if (s->step != QUIT) {
        broken++;
        if (s->step == GREETING || s->step == EHLO)
            usleep(1000); /* it does not take us: no storm of connections */
        if (broken > 1000000)
            die("too many broken connections");
    }
    end(s);
}

static int by_size(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static void report(double seconds)
{
    qsort(latencies, (size_t)done, sizeof(*latencies), by_size);
    uint32_t p50 = done ? latencies[done / 2] : 0, p99 = done ? latencies[done * 99 / 100] : 0;
    for (char *c = complaint; *c; c++)
        if (*c == '"' || *c == '\\' || *c < ' ')
            *c = ' ';
    printf(
        "{\"messages\": %ld, \"seconds\": %.4f, \"rate\": %.1f, \"refused\": %ld, \"broken\": %ld, "
        "\"connections\": %ld, \"p50_us\": %u, \"p99_us\": %u, \"max_us\": %u, "
        "\"complaint\": \"%s\"}\n",
        done, seconds, (double)done / seconds, refused, broken, connected, p50, p99,
        done ? latencies[done - 1] : 0, complaint);
}

static void options(int argc, char **argv)
{
    for (int o; (o = getopt(argc, argv, "m:c:k:s:n:r:R:D:px:t:")) != -1;) {
        long *to = o == 'm'   ? &want.messages
                   : o == 'c' ? &want.connections
                   : o == 'k' ? &want.per_connection
                   : o == 's' ? &want.size
                   : o == 'n' ? &want.recipients
                   : o == 'R' ? &want.modulo
                   : o == 'D' ? &want.domains
                   : o == 'x' ? &want.sources
                   : o == 't' ? &want.seconds
                              : NULL;
        if (to)
            *to = number(optarg, 0, 1 << 30);
        else if (o == 'r')
            want.recipient = optarg;
        else if (o == 'p')
            want.pipeline = true;
        else
            die("load [options] ADDRESS:PORT");
    }
    errno = 0;
    if (optind + 1 != argc || want.modulo < 1 || want.domains < 1)
        die("load [options] ADDRESS:PORT");
    want.at = address_of(argv[optind]);
}

int main(int argc, char **argv)
{
    options(argc, argv);
    want_descriptors();
    make_body();
    ep = epoll_create1(EPOLL_CLOEXEC);
    began_ns = now_ns();
    for (refill(); running + leaving > 0; refill()) {
        struct epoll_event ready[256];
        int n = epoll_wait(ep, ready, 256, STALL_MS);
        if (n == 0) { /* who is silent for so long has failed, but what was done counts */
            broken += running;
            break;
        }
        for (int i = 0; i < n; i++)
            serve(ready[i].data.ptr, ready[i].events);
    }
    report((double)((last_ns ? last_ns : now_ns()) - began_ns) / 1e9);
    return 0;
}
