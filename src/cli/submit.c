#include "cli/submit.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { REPLY_PATIENCE_MS = 300000, CONNECT_PATIENCE_MS = 10000, PIECE = 32 << 10 };

/* Where the server listens: for submission if it does, else for anybody. */
static const struct config_listen *choose_listener(const struct config *config)
{
    const struct config_listen *best = NULL;
    for (size_t i = 0; i < config->listen_count; i++) {
        const struct config_listen *l = &config->listens[i];
        if (l->local_path.len > 0 || l->kind.mode == LISTEN_LMTP ||
            l->kind.tls == LISTEN_TLS_IMPLICIT) {
            continue;
        }
        if (!best || (l->kind.mode == LISTEN_SUBMISSION && best->kind.mode != LISTEN_SUBMISSION)) {
            best = l;
        }
    }
    return best;
}

static bool is_any_address(struct ip ip)
{
    static const uint8_t zeros[16];
    return memcmp(ip.bytes, zeros, ip.family == IP_V4 ? 4 : 16) == 0;
}

static bool choose_endpoint(const struct submission *s, struct endpoint *at)
{
    const struct config_listen *listener = choose_listener(s->config);
    if (s->server.len > 0) {
        return endpoint_parse(s->server, at);
    }
    if (!listener) {
        return false;
    }
    *at = listener->at;
    if (is_any_address(at->ip)) {
        bool v4 = at->ip.family == IP_V4;
        (void)!ip_parse(v4 ? STR("127.0.0.1") : STR("::1"), &at->ip);
    }
    return true;
}

static socklen_t to_sockaddr(struct endpoint at, struct sockaddr_storage *out)
{
    *out = (struct sockaddr_storage){0};
    if (at.ip.family == IP_V4) {
        struct sockaddr_in *in = (struct sockaddr_in *)out;
        in->sin_family = AF_INET;
        in->sin_port = htons(at.port);
        memcpy(&in->sin_addr, at.ip.bytes, 4);
        return sizeof *in;
    }
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)out;
    in6->sin6_family = AF_INET6;
    in6->sin6_port = htons(at.port);
    memcpy(&in6->sin6_addr, at.ip.bytes, 16);
    return sizeof *in6;
}

int submit_connect(const struct submission *s)
{
    struct sockaddr_storage address;
    struct endpoint at;
    if (!choose_endpoint(s, &at)) {
        return -EDESTADDRREQ;
    }
    socklen_t length = to_sockaddr(at, &address);
    int fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return -errno;
    }
    struct timeval patience = {.tv_sec = CONNECT_PATIENCE_MS / 1000};
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    if (connect(fd, (const struct sockaddr *)&address, length) != 0) {
        int error = errno;
        (void)close(fd);
        return -error;
    }
    patience.tv_sec = REPLY_PATIENCE_MS / 1000;
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    return fd;
}

static bool send_out(int fd, struct smtp_client *client)
{
    struct str bytes = buf_str(&client->out);
    while (bytes.len > 0) {
        ssize_t n = send(fd, bytes.ptr, bytes.len, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            break; /* what the server said before it closed is read all the same */
        }
        bytes = str_tail(bytes, (size_t)n);
    }
    buf_clear(&client->out);
    return bytes.len == 0;
}

static void receive(int fd, struct smtp_client *client)
{
    char bytes[4096];
    struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
    int ready = poll(&poll_fd, 1, REPLY_PATIENCE_MS);
    ssize_t n = ready > 0 ? recv(fd, bytes, sizeof bytes, 0) : ready < 0 && errno == EINTR ? -2 : 0;
    if (n == -2 || (n < 0 && errno == EINTR)) {
        return;
    }
    if (n <= 0) {
        smtp_client_lost(client);
    } else {
        smtp_client_feed(client, str_from(bytes, (size_t)n));
    }
}

static void give_body(struct submission *s, struct smtp_client *client, size_t *sent)
{
    struct str piece = str_head(str_tail(s->message, *sent), PIECE);
    *sent += piece.len;
    smtp_client_body(client, piece, *sent == s->message.len);
}

/* The address literal of our end (RFC 5321 4.1.3): the server's name would look like a loop. */
static struct str own_name(const struct submission *s, int fd)
{
    struct sockaddr_storage address = {0};
    socklen_t length = sizeof address;
    struct ip ip = {.family = IP_V4, .bytes = {127, 0, 0, 1}};
    char text[IP_TEXT_MAX];
    if (getsockname(fd, (struct sockaddr *)&address, &length) == 0) {
        if (address.ss_family == AF_INET) {
            memcpy(ip.bytes, &((const struct sockaddr_in *)&address)->sin_addr, 4);
        } else if (address.ss_family == AF_INET6) {
            ip.family = IP_V6;
            memcpy(ip.bytes, &((const struct sockaddr_in6 *)&address)->sin6_addr, 16);
        }
    }
    return arena_format(s->arena, "[%s%.*s]", ip.family == IP_V6 ? "IPv6:" : "",
                        STR_ARG(ip_text(ip, text)));
}

int submit_smtp(struct submission *s)
{
    struct client_transaction t = {.arena = s->arena,
                                   .sender = s->sender,
                                   .body = s->eight_bit ? BODY_8BITMIME : BODY_7BIT,
                                   .smtputf8 = s->smtputf8,
                                   .size = s->message.len,
                                   .ret = s->ret,
                                   .envid = s->envid,
                                   .rcpts = s->rcpts,
                                   .rcpt_count = s->rcpt_count};
    struct smtp_client client;
    bool started = false;
    size_t sent = 0;
    int fd = submit_connect(s);
    if (fd < 0) {
        return fd;
    }
    smtp_client_init(&client, false, own_name(s, fd));
    for (enum client_state state; (state = smtp_client_state(&client)) != CLIENT_CLOSED;) {
        if (state == CLIENT_READY && !started) {
            started = true;
            smtp_client_start(&client, &t);
        } else if (state == CLIENT_READY) {
            smtp_client_quit(&client);
        } else if (state == CLIENT_BODY) {
            give_body(s, &client, &sent);
        }
        bool alive = send_out(fd, &client);
        if (smtp_client_state(&client) == CLIENT_TALKING || !alive) {
            receive(fd, &client);
        }
    }
    if (!started) {
        s->refusal = client.failure;
        s->refusal.text = arena_copy(s->arena, client.failure.text);
    }
    smtp_client_done(&client);
    (void)close(fd);
    return started ? 0 : -ECONNRESET;
}
