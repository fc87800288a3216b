#include "tls/server.h"

#include "tls/client.h"
#include "tls/describe.h"

#include <errno.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

enum { PLAIN_SIZE = 16384, UNREAD_MAX = 1 << 20 };

struct tls_server {
    struct tls port;
    const struct ports *ports;
    struct tls_contexts contexts;
    BIO_METHOD *method;
    BIO *bio;                   /* one for all streams: it leads to the one at work */
    struct tls_stream *at_work; /* whose SSL is called now */
    char plain[PLAIN_SIZE];     /* what was decrypted, on its way to the owner */
    struct buf out;             /* records on their way to the peer; empty between calls */
};

/* OpenSSL reads `in` in place, and what it wrote goes out after each call: no copy is kept. */
struct tls_stream {
    struct stream port;
    struct tls_server *server;
    struct stream *inner; /* null: closed */
    SSL *ssl;
    struct str in;                   /* what has come and is not read */
    struct buf unread;               /* kept of it while the owner pauses */
    struct buf early;                /* written before the handshake was done */
    const struct tls_policy *policy; /* the client's side, until the handshake is done; else null */
    struct buf why;                  /* the client's side: what failed */
    bool outgoing;
    bool testing;       /* a policy in testing: what would be wrong is known afterwards */
    struct timer later; /* goes on after a resume, or tells an error */
    bool paused;
    bool done;    /* the handshake */
    bool working; /* inside work_on(), which frees it when it is gone */
    bool gone;
    bool ended; /* end() was called */
    int error;
};

static struct tls_stream *from_port(const struct stream *stream)
{
    union { /* the facts are asked of a const stream; OpenSSL's calls are not const */
        const struct stream *from;
        struct stream *to;
    } u = {.from = stream};
    return CONTAINER_OF(u.to, struct tls_stream, port);
}

static int bio_read(BIO *bio, char *into, int len)
{
    struct tls_stream *s = ((struct tls_server *)BIO_get_data(bio))->at_work;
    BIO_clear_retry_flags(bio);
    if (s->in.len == 0) {
        BIO_set_retry_read(bio);
        return -1;
    }
    size_t n = s->in.len < (size_t)len ? s->in.len : (size_t)len;
    memcpy(into, s->in.ptr, n);
    s->in = str_tail(s->in, n);
    return (int)n;
}

static int bio_write(BIO *bio, const char *from, int len)
{
    struct tls_server *server = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    buf_add(&server->out, str_from(from, (size_t)len));
    return server->out.failed ? -1 : len;
}

static long bio_control(BIO *bio, int command, long number, void *pointer)
{
    (void)bio, (void)number, (void)pointer;
    return command == BIO_CTRL_FLUSH || command == BIO_CTRL_DUP;
}

/* Before each call that may read or write. */
static SSL *begin_call(struct tls_stream *s)
{
    ERR_clear_error();
    s->server->at_work = s;
    return s->ssl;
}

static void free_stream(struct tls_stream *s)
{
    s->server->ports->timers->cancel(s->server->ports->timers, &s->later);
    SSL_free(s->ssl);
    s->server->at_work = NULL;
    buf_done(&s->unread);
    buf_done(&s->early);
    buf_done(&s->why);
    free(s);
}

static void send_records(struct tls_stream *s)
{
    struct buf *out = &s->server->out;
    if (out->failed) {
        s->error = -ENOMEM;
    } else if (out->len > 0 && s->inner) {
        stream_write(s->inner, buf_str(out));
    }
    buf_clear(out);
}

static void tell_end(struct tls_stream *s, int error)
{
    if (!s->ended && !s->gone) {
        s->ended = true;
        if (s->outgoing && s->why.len == 0) {
            buf_add(&s->why, STR("the other side hung up"));
        }
        s->port.events->end(&s->port, error);
    }
}

static void log_failure(struct tls_stream *s)
{
    if (s->outgoing) {
        tls_client_explain(s->ssl, &s->why);
        return;
    }
    unsigned long code = ERR_peek_last_error();
    const char *text = code ? ERR_reason_error_string(code) : NULL;
    log_event(s->server->ports->log, LOG_INFO, "tls-failed", F_IP("client", s->port.peer.ip),
              F_STR("reason", str_from_cstr(text ? text : "the connection broke")));
}

/* The error that an unsuccessful call of OpenSSL stands for; 0: more must come first. */
static int error_of(const struct tls_stream *s, int result)
{
    switch (SSL_get_error(s->ssl, result)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
        return 0;
    case SSL_ERROR_ZERO_RETURN:
        return -ENODATA; /* the peer's orderly end */
    default:
        return -EPROTO;
    }
}

static void shake_hands(struct tls_stream *s)
{
    int result = SSL_do_handshake(begin_call(s));
    if (result == 1) {
        SSL_certs_clear(s->ssl); /* its own: they have been shown */
        s->done = !s->outgoing || tls_client_judge(s->ssl, s->policy, &s->why);
        s->error = s->done ? 0 : -EPROTO;
        s->policy = NULL;
        return;
    }
    s->error = error_of(s, result);
    if (s->error) {
        log_failure(s);
    }
}

static void read_plain(struct tls_stream *s)
{
    while (!s->gone && !s->paused && !s->error) {
        int n = SSL_read(begin_call(s), s->server->plain, PLAIN_SIZE);
        if (n <= 0) {
            s->error = error_of(s, n);
            if (s->error == -EPROTO && s->outgoing && s->why.len == 0) {
                tls_client_explain(s->ssl, &s->why); /* TLS 1.3: a refusal may come after the end */
            }
            return;
        }
        s->port.events->data(&s->port, str_from(s->server->plain, (size_t)n));
    }
}

static void send_early(struct tls_stream *s)
{
    struct buf early = s->early;
    s->early = (struct buf){0};
    if (early.len > 0 && SSL_write(begin_call(s), early.ptr, (int)early.len) <= 0) {
        s->error = -EPROTO;
    }
    buf_done(&early);
}

/* Does all that can be done with what has come. */
static void work(struct tls_stream *s)
{
    s->working = true;
    if (!s->done && !s->error) {
        shake_hands(s);
        if (s->done) {
            send_early(s);
        }
        send_records(s);
    }
    if (s->done) {
        read_plain(s);
        send_records(s);
    }
    if (!s->gone && s->in.len == 0) {
        SSL_free_buffers(s->ssl); /* an idle connection holds none; refused while one is in use */
    }
    if (s->error) {
        tell_end(s, s->error == -ENODATA ? 0 : s->error);
    }
    s->working = false;
}

/* `bytes` are borrowed: what is not read, because the owner pauses, is kept. */
static void work_on(struct tls_stream *s, struct str bytes)
{
    struct buf held = s->unread;
    s->unread = (struct buf){0};
    if (held.len > 0) {
        buf_add(&held, bytes);
        bytes = buf_str(&held);
    }
    s->in = bytes;
    s->error = held.failed ? -ENOMEM : s->error;
    work(s);
    if (!s->gone && !s->error && s->in.len > 0) {
        buf_add(&s->unread, s->in);
        if (s->unread.failed || s->unread.len > UNREAD_MAX) {
            s->error = -ENOMEM;
            tell_end(s, s->error);
        }
    }
    s->in = (struct str){0};
    buf_done(&held);
    if (s->gone) {
        free_stream(s);
    }
}

static void inner_data(struct stream *inner, struct str bytes)
{
    work_on(inner->owner, bytes);
}

static void inner_end(struct stream *inner, int error)
{
    struct tls_stream *s = inner->owner;
    s->working = true;
    tell_end(s, s->done || error ? error : -EPROTO);
    s->working = false;
    if (s->gone) {
        free_stream(s);
    }
}

static void inner_drained(struct stream *inner)
{
    struct tls_stream *s = inner->owner;
    if (s->done && !s->gone && s->port.events->drained) {
        s->port.events->drained(&s->port);
    }
}

static const struct stream_events inner_events = {inner_data, inner_end, inner_drained};

static void go_on(struct timer *timer)
{
    struct tls_stream *s = CONTAINER_OF(timer, struct tls_stream, later);
    work_on(s, (struct str){0});
}

static void go_on_soon(struct tls_stream *s)
{
    struct timers *timers = s->server->ports->timers;
    timers->arm(timers, &s->later, (struct span){0});
}

static void op_write(struct stream *stream, struct str bytes)
{
    struct tls_stream *s = from_port(stream);
    if (s->error || s->gone || bytes.len == 0) {
        return;
    }
    if (!s->done) { /* a greeting */
        buf_add(&s->early, bytes);
        s->error = s->early.failed ? -ENOMEM : 0;
    } else {
        if (SSL_write(begin_call(s), bytes.ptr, (int)bytes.len) <= 0) {
            s->error = -EPROTO;
        }
        if (!s->working) {
            send_records(s);
        }
    }
    if (s->error) {
        go_on_soon(s); /* which tells it */
    }
}

static size_t op_unsent(const struct stream *stream)
{
    const struct tls_stream *s = from_port(stream);
    return s->error || !s->inner ? 0 : s->early.len + stream_unsent(s->inner);
}

static void op_pause(struct stream *stream)
{
    struct tls_stream *s = from_port(stream);
    s->paused = true;
    if (s->inner) {
        stream_pause(s->inner);
    }
}

static void op_resume(struct stream *stream)
{
    struct tls_stream *s = from_port(stream);
    s->paused = false;
    if (s->inner && !s->ended) {
        if (s->unread.len > 0 || SSL_has_pending(s->ssl)) {
            go_on_soon(s);
        }
        stream_resume(s->inner);
    }
}

static void leave(struct tls_stream *s)
{
    s->inner = NULL;
    s->gone = true;
    if (!s->working) {
        free_stream(s);
    }
}

static void op_close(struct stream *stream)
{
    struct tls_stream *s = from_port(stream);
    if (s->done && !s->error) {
        (void)SSL_shutdown(
            begin_call(s)); /* says that this is the end; the peer's word is not awaited */
    }
    send_records(s);
    stream_close(s->inner);
    leave(s);
}

static void op_abort(struct stream *stream)
{
    struct tls_stream *s = from_port(stream);
    buf_clear(&s->server->out);
    stream_abort(s->inner);
    leave(s);
}

static const struct stream_ops ops = {
    .write = op_write,
    .unsent = op_unsent,
    .pause = op_pause,
    .resume = op_resume,
    .close = op_close,
    .abort = op_abort,
};

static bool give_ssl(struct tls_stream *s, SSL_CTX *context)
{
    s->ssl = SSL_new(context);
    if (!s->ssl || BIO_up_ref(s->server->bio) != 1) {
        SSL_free(s->ssl);
        return false;
    }
    SSL_set_bio(s->ssl, s->server->bio, s->server->bio);
    return true;
}

static struct tls_stream *new_stream(struct tls_server *server, struct stream *plain,
                                     SSL_CTX *context)
{
    struct tls_stream *s = calloc(1, sizeof *s);
    if (!s) {
        return NULL;
    }
    s->server = server;
    s->inner = plain;
    s->paused = true;
    s->later.fire = go_on;
    s->port = *plain;
    s->port.ops = &ops;
    s->port.events = NULL;
    s->port.owner = NULL;
    if (!give_ssl(s, context)) {
        free(s);
        return NULL;
    }
    return s;
}

static struct stream *take_over(struct tls_stream *s)
{
    s->inner->events = &inner_events;
    s->inner->owner = s;
    return &s->port;
}

static struct stream *op_accept(struct tls *tls, struct stream *plain)
{
    struct tls_server *server = CONTAINER_OF(tls, struct tls_server, port);
    struct tls_stream *s = new_stream(server, plain, server->contexts.server);
    if (!s) {
        return NULL;
    }
    SSL_set_accept_state(s->ssl);
    return take_over(s);
}

static struct stream *op_connect(struct tls *tls, struct stream *plain, const struct tls_want *want)
{
    struct tls_server *server = CONTAINER_OF(tls, struct tls_server, port);
    struct tls_stream *s = new_stream(server, plain, server->contexts.client);
    if (!s) {
        return NULL;
    }
    s->outgoing = true;
    s->testing = want->policy->sts == STS_TESTING;
    s->policy = want->policy;
    SSL_set_connect_state(s->ssl);
    if (!tls_client_prepare(s->ssl, want)) {
        free_stream(s);
        return NULL;
    }
    go_on_soon(s); /* a client speaks first */
    return take_over(s);
}

static struct str op_trouble(const struct stream *stream)
{
    return buf_str(&from_port(stream)->why);
}

static enum tls_failure op_failure(const struct stream *stream)
{
    return tls_client_failure(from_port(stream)->ssl, false);
}

static void op_describe(const struct stream *stream, struct buf *out)
{
    describe_chain(from_port(stream)->ssl, out);
}

static bool op_facts(const struct stream *stream, struct tls_facts *facts)
{
    struct tls_stream *s = from_port(stream);
    static const char label[] = "EXPORTER-Channel-Binding";
    *facts = (struct tls_facts){0};
    if (!s->done ||
        SSL_export_keying_material(s->ssl, (unsigned char *)facts->exporter, sizeof facts->exporter,
                                   label, sizeof label - 1, (const unsigned char *)"", 0, 1) != 1) {
        return false;
    }
    facts->binds = SSL_version(s->ssl) >= TLS1_3_VERSION;
    facts->failure = s->testing ? tls_client_failure(s->ssl, true) : TLS_FAILED_NOT;
    facts->version = str_from_cstr(SSL_get_version(s->ssl));
    facts->cipher = str_from_cstr(SSL_get_cipher_name(s->ssl));
    return true;
}

static bool make_bio(struct tls_server *server)
{
    server->method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "stream");
    if (!server->method || BIO_meth_set_read(server->method, bio_read) != 1 ||
        BIO_meth_set_write(server->method, bio_write) != 1 ||
        BIO_meth_set_ctrl(server->method, bio_control) != 1) {
        return false;
    }
    server->bio = BIO_new(server->method);
    if (server->bio) {
        BIO_set_data(server->bio, server);
        BIO_set_init(server->bio, 1);
    }
    return server->bio != NULL;
}

struct tls *tls_server_new(const struct tls_source *source, const struct ports *ports,
                           struct buf *reason)
{
    struct tls_server *server = calloc(1, sizeof *server);
    if (!server) {
        buf_add(reason, STR("not enough memory"));
        return NULL;
    }
    server->ports = ports;
    server->port = (struct tls){.accept = op_accept,
                                .connect = op_connect,
                                .trouble = op_trouble,
                                .facts = op_facts,
                                .failure = op_failure,
                                .describe = op_describe};
    if (!make_bio(server) || !tls_contexts_open(&server->contexts, source, ports->clock, reason)) {
        tls_server_free(&server->port);
        return NULL;
    }
    return &server->port;
}

const struct certificates *tls_server_certificates(struct tls *tls)
{
    return CONTAINER_OF(tls, struct tls_server, port)->contexts.certificates;
}

struct certificates *tls_server_load(struct tls *tls, const struct tls_source *source,
                                     struct buf *reason)
{
    struct tls_server *server = CONTAINER_OF(tls, struct tls_server, port);
    return certificates_new(server->contexts.library, source->pairs, source->count, source->signer,
                            reason);
}

void tls_server_renew(struct tls *tls, struct certificates *fresh)
{
    struct tls_server *server = CONTAINER_OF(tls, struct tls_server, port);
    certificates_free(server->contexts.certificates);
    server->contexts.certificates = fresh;
}

void tls_server_free(struct tls *tls)
{
    if (tls) {
        struct tls_server *server = CONTAINER_OF(tls, struct tls_server, port);
        tls_contexts_close(&server->contexts);
        BIO_free(server->bio);
        BIO_meth_free(server->method);
        buf_done(&server->out);
        free(server);
    }
}
