#include "path/session/session.h"

#include "path/session/login.h"
#include "path/session/secure.h"
#include "path/session/session_inside.h"

#include <stdlib.h>
#include <string.h>

enum {
    LOOKUP_WAIT_S = 5,     /* MAIL waits so long for the DNS… */
    LOOKUP_WAIT_OWN_S = 1, /* …and so long for a client of ours */
    HANDSHAKE_S = 60,      /* for the first word by TLS too */
    DRAIN_IDLE_S = 2,
    DRAIN_BUSY_S = 60,
    WINDOW = 1 << 15,
    TURN = 1024, /* octets of commands; then it is the turn of others */
    PIECE_OF_MESSAGE = 4096,
    UNREAD_MAX = 1 << 20, /* a stream that brings more than this while paused is broken */
    UNSENT_MAX = 1 << 20, /* a client that reads no replies */
};

static void free_session(struct session *s)
{
    struct session_office *office = s->office;
    office->ports->timers->cancel(office->ports->timers, &s->timer);
    lookup_cancel(s->reverse);
    lookup_cancel(s->helo_check);
    login_end(s);
    transaction_free(s);
    smtp_server_done(&s->server);
    buf_done(&s->unread);
    arena_done(&s->arena);
    session_terms_drop(s->terms);
    secure_settled(s);
    list_remove(&s->link);
    list_remove(&s->turn);
    office->count--;
    slab_give(&office->memory, s);
    if (office->draining && office->count == 0 && office->drained) {
        void (*drained)(void *) = office->drained;
        office->drained = NULL;
        drained(office->drained_owner);
    }
}

void session_close(struct session *s, const char *how)
{
    s->how = s->closing ? s->how : how;
    s->closing = true;
}

/* Whoever had to be thrown out, and whoever just went away and had brought nothing, would come back
 * as often as the machine can bear. */
static struct span keep_place(const struct session *s)
{
    if (s->thrown_out) {
        return SPAN_S(10);
    }
    return s->said_quit || s->messages > 0 || s->office->draining ? SPAN_S(0) : SPAN_S(5);
}

/* The stream's end; the session goes too unless a commit still needs it. */
static void end_session(struct session *s)
{
    if (s->stream) {
        struct stream *stream = s->stream;
        s->stream = NULL;
        if (s->broken) {
            stream_abort(stream);
        } else {
            stream->peer_done = s->said_quit;
            stream_close(stream);
        }
        log_event(s->office->ports->log, LOG_INFO, "disconnected", F_IP("client", s->client.ip),
                  F_STR("helo", s->helo), F_STR("how", str_from_cstr(s->how)),
                  F_INT("messages", s->messages));
        if (s->office->closed) {
            s->office->closed(s->office->owner, s->client.ip, keep_place(s));
        }
    }
    if (!s->committing) {
        free_session(s);
    }
}

void session_flush(struct session *s)
{
    struct buf *out = &s->office->out;
    if (out->failed) {
        s->broken = true;
        session_close(s, "out of memory");
    }
    if (out->len > 0 && s->stream && !s->broken) {
        stream_write(s->stream, buf_str(out));
        if (stream_unsent(s->stream) > UNSENT_MAX) {
            s->broken = true;
            s->thrown_out = true;
            session_close(s, "the client reads no replies");
        }
    }
    buf_clear(out);
}

static void arm_timer(struct session *s)
{
    struct timers *timers = s->office->ports->timers;
    struct span wait = s->config->limits.idle;
    if (s->committing || s->blocked || s->yielding) {
        timers->cancel(timers, &s->timer); /* we make the client wait, not the other way round */
        return;
    }
    if (s->mail_waits) {
        wait = SPAN_S(s->own ? LOOKUP_WAIT_OWN_S : LOOKUP_WAIT_S);
    } else if (smtp_server_in_body(&s->server)) {
        wait = s->config->limits.data_idle;
    } else if (list_linked(&s->handshake) && wait.us > SPAN_S(HANDSHAKE_S).us) {
        wait = SPAN_S(HANDSHAKE_S);
    }
    if (s->office->draining) {
        struct span most =
            SPAN_S(smtp_server_is_idle(&s->server) && !s->mail ? DRAIN_IDLE_S : DRAIN_BUSY_S);
        wait = most.us < wait.us ? most : wait;
    }
    timers->arm(timers, &s->timer, wait);
}

static void note_reverse(void *owner, const struct hostcheck *check)
{
    struct session *s = owner;
    s->reverse = NULL;
    s->client.reverse = check->reverse;
    s->name = arena_copy(&s->arena, check->name);
    s->claimed = arena_copy(&s->arena, check->claimed);
    if (s->mail_waits && !s->helo_check) {
        transaction_answer_mail(s);
    }
    session_go_on(s);
}

static void note_helo(void *owner, const struct hostcheck *check)
{
    struct session *s = owner;
    s->helo_check = NULL;
    s->client.helo = check->helo;
    if (s->mail_waits && !s->reverse) {
        transaction_answer_mail(s);
    }
    session_go_on(s);
}

/* In the sandbox nothing leaves the machine, not even a question. */
static void start_reverse(struct session *s)
{
    s->client.reverse = REVERSE_TEMPORARY;
    if (!s->config->sandbox && s->client.ip.family != IP_NONE) {
        struct lookup_request request = {
            .ports = s->office->ports, .ip = s->client.ip, .done = note_reverse, .owner = s};
        s->reverse = lookup_start(&request);
    }
}

void session_check_helo(struct session *s)
{
    s->helo_unchecked = false;
    if (!s->config->sandbox && s->client.ip.family != IP_NONE) {
        struct lookup_request request = {.ports = s->office->ports,
                                         .ip = s->client.ip,
                                         .helo = s->helo,
                                         .done = note_helo,
                                         .owner = s};
        s->helo_check = lookup_start(&request);
    }
}

bool session_submits(const struct session *s)
{
    return s->own || s->client.mode == LISTEN_SUBMISSION;
}

const struct smtp_server_options *session_options(const struct session *s, enum terms_kind kind)
{
    enum client_kind client = policy_completes(&s->client) ? CLIENT_COMPLETED
                              : session_submits(s)         ? CLIENT_SUBMITS
                                                           : CLIENT_STRANGER;
    return &s->terms->options[client][kind];
}

/* What the machine offers now. Few sessions offer AUTH, and only they have options of their own. */
static void set_options(struct session *s)
{
    enum terms_kind kind = s->secure             ? TERMS_PRIVATE
                           : secure_may_offer(s) ? TERMS_STARTTLS
                                                 : TERMS_PLAIN;
    const struct smtp_server_options *shared = session_options(s, kind);
    struct str mechanisms = login_offer(s);
    struct smtp_server_options *own =
        mechanisms.len > 0 ? ARENA_NEW(&s->arena, struct smtp_server_options) : NULL;
    if (own) {
        *own = *shared;
        own->mechanisms = mechanisms;
    }
    s->server.options = own ? own : shared;
}

static void on_helo(struct session *s, const struct command *c)
{
    if (!str_eq(s->helo, c->argument)) {
        /* A client may say HELO without end: its names must not pile up. */
        struct str helo = s->arena.used < 8192 ? arena_copy(&s->arena, c->argument) : s->helo;
        bool first = s->helo.len == 0;
        s->helo = helo.ptr ? helo : STR("unknown");
        lookup_cancel(s->helo_check);
        s->helo_check = NULL;
        s->client.helo = HELO_TEMPORARY;
        s->helo_unchecked = true;
        if (first) {
            session_check_helo(s);
        }
        log_event(s->office->ports->log, LOG_DEBUG, "helo", F_IP("client", s->client.ip),
                  F_STR("helo", s->helo));
    }
    if (s->secure && s->server.options->mechanisms.len == 0) {
        set_options(s);
    }
    s->server.now = s->office->ports->clock->wall(s->office->ports->clock);
    smtp_server_accept(&s->server);
}

static void on_question(struct session *s, enum server_event_kind kind, const struct command *c)
{
    struct arena arena = {0};
    struct smtp_reply reply = kind == SERVER_VRFY
                                  ? policy_vrfy(&s->client, c->argument, c->smtputf8, &arena)
                                  : policy_expn(&s->client, c->argument, c->smtputf8, &arena);
    smtp_server_reply(&s->server, &reply);
    arena_done(&arena);
}

static void on_event(struct session *s, enum server_event_kind kind,
                     const struct server_event *event)
{
    switch (kind) {
    case SERVER_MORE:
    case SERVER_WAIT:
        break;
    case SERVER_HELO:
        on_helo(s, event->command);
        break;
    case SERVER_MAIL:
        transaction_on_mail(s, event->command);
        break;
    case SERVER_RCPT:
        transaction_on_rcpt(s, event->command);
        break;
    case SERVER_DATA:
    case SERVER_BDAT:
        transaction_on_data(s, kind == SERVER_DATA);
        break;
    case SERVER_BODY:
        transaction_on_body(s, event->body);
        break;
    case SERVER_END:
        transaction_on_end(s, event);
        break;
    case SERVER_ABORT:
        transaction_on_abort(s, event->reply);
        break;
    case SERVER_VRFY:
    case SERVER_EXPN:
        on_question(s, kind, event->command);
        break;
    case SERVER_STARTTLS: /* pump() knows what came with it */
        break;
    case SERVER_AUTH:
        login_on_auth(s, event->command);
        break;
    case SERVER_RESPONSE:
        login_on_response(s, event->body);
        break;
    case SERVER_AUTH_END:
        login_end(s);
        break;
    case SERVER_QUIT:
        s->said_quit = true;
        session_close(s, "quit");
        break;
    case SERVER_CLOSE:
        s->thrown_out = true;
        session_close(s, "given up by the server");
        break;
    }
}

/* What comes after what is there already. */
static void keep_unread(struct session *s, struct str bytes)
{
    buf_drop(&s->unread, s->unread_from);
    s->unread_from = 0;
    buf_add(&s->unread, bytes);
    if (s->unread.failed || s->unread.len > UNREAD_MAX) {
        s->broken = true;
        session_close(s, "out of memory");
    }
}

/* Feeds the machine until it waits or has had its turn; what it left is returned. Many commands at
 * once must not keep the loop from everybody else. */
static struct str pump(struct session *s, struct str bytes)
{
    struct command command;
    struct server_event event;
    enum server_event_kind kind;
    size_t spoken = 0;
    s->pumping = true;
    s->yielding = false;
    while (!s->blocked && !s->closing) {
        bool commands = !smtp_server_in_body(&s->server);
        if (commands && spoken >= TURN) {
            s->yielding = bytes.len > 0;
            break;
        }
        /* In windows, so that what one event brings is within what a draft takes at once. */
        struct str window = str_head(bytes, commands ? TURN : WINDOW);
        size_t before = window.len;
        kind = smtp_server_next(&s->server, &window, &command, &event);
        bytes = str_tail(bytes, before - window.len);
        spoken += commands ? before - window.len : 0;
        on_event(s, kind, &event);
        if (kind == SERVER_STARTTLS) {
            secure_on_starttls(s, bytes.len);
            bytes = (struct str){0};
        }
        if (kind == SERVER_WAIT || (kind == SERVER_MORE && bytes.len == 0)) {
            break;
        }
    }
    s->pumping = false;
    return bytes;
}

/* A turn takes a small part of it: the rest stays where it is, and is not copied each time. */
static void pump_unread(struct session *s)
{
    struct buf unread = s->unread;
    struct str rest = str_tail(buf_str(&unread), s->unread_from);
    s->unread = (struct buf){0};
    s->unread_from = 0;
    rest = pump(s, rest);
    if (s->closing || rest.len == 0) {
        buf_done(&unread);
        return;
    }
    s->unread = unread;
    s->unread_from = (uint32_t)(unread.len - rest.len);
}

static void settle(struct session *s)
{
    bool waits = s->blocked || s->yielding || smtp_server_is_asking(&s->server);
    bool half_line = !waits && !smtp_server_in_body(&s->server) && !smtp_server_is_idle(&s->server);
    bool no_step = half_line && s->half_line && s->office->out.len == 0;
    session_flush(s);
    if (s->ended && !waits) {
        session_close(s, "the client closed");
    }
    if (s->closing) {
        end_session(s);
        return;
    }
    s->half_line = half_line;
    if (waits != s->paused) {
        s->paused = waits;
        if (waits) {
            stream_pause(s->stream);
        } else {
            stream_resume(s->stream);
        }
    }
    if (s->yielding) {
        session_yield(s);
    }
    if (!no_step || s->office->draining) {
        arm_timer(s);
    }
}

/* A command or so much of a message moves a session; a piece of a command does not, nor does a
 * message that drips; and so does the answer that it had to wait for. */
static void note_move(struct session *s, size_t octets)
{
    struct clock *clock = s->office->ports->clock;
    s->dripped += smtp_server_in_body(&s->server) ? (uint32_t)octets : 0;
    if (s->office->draining || (s->office->out.len == 0 && s->dripped < PIECE_OF_MESSAGE)) {
        return;
    }
    s->dripped = 0;
    s->moved_us = clock->monotonic_us(clock);
    list_remove(&s->link);
    list_append(&s->office->sessions, &s->link);
}

void session_go_on(struct session *s)
{
    if (s->pumping) {
        return;
    }
    if (!s->closing) {
        bool waited = !s->yielding;
        pump_unread(s);
        if (waited) {
            note_move(s, PIECE_OF_MESSAGE);
        }
    }
    settle(s);
}

static void on_data(struct stream *stream, struct str bytes)
{
    struct session *s = stream->owner;
    secure_settled(s);
    if (s->unread.len > 0 || s->blocked || smtp_server_is_asking(&s->server)) {
        keep_unread(s, bytes);
        if (s->closing) {
            settle(s);
        }
        return;
    }
    struct str rest = pump(s, bytes);
    if (!s->closing && rest.len > 0) {
        keep_unread(s, rest);
    }
    note_move(s, bytes.len);
    settle(s);
}

static void on_end(struct stream *stream, int error)
{
    struct session *s = stream->owner;
    s->ended = true;
    if (error != 0) {
        s->broken = true;
        session_close(s, "the connection broke");
    }
    settle(s);
}

static const struct stream_events events = {on_data, on_end, NULL};

const struct stream_events *session_events(void)
{
    return &events;
}

static void on_timer(struct timer *timer)
{
    struct session *s = CONTAINER_OF(timer, struct session, timer);
    if (s->mail_waits) {
        struct lookup *open[2] = {s->reverse, s->helo_check};
        s->pumping = true; /* both are settled before MAIL is answered and the session goes on */
        for (size_t i = 0; i < ARRAY_LEN(open); i++) {
            if (open[i]) {
                lookup_give_up(open[i]);
            }
        }
        s->pumping = false;
        session_go_on(s);
        return;
    }
    smtp_reply_format(&s->office->out,
                      smtp_answer(s->office->draining ? ANSWER_SHUTDOWN : ANSWER_IDLE));
    session_close(s, s->office->draining ? "shutdown" : "idle for too long");
    settle(s);
}

void session_start(struct session_office *office, struct stream *stream, struct listen_kind kind)
{
    struct session_terms *terms = session_terms_take(office);
    struct session *s = terms ? slab_take(&office->memory) : NULL;
    if (!s) {
        session_terms_drop(terms);
        if (office->closed) {
            office->closed(office->owner, stream->peer.ip, SPAN_S(0));
        }
        stream_abort(stream);
        return;
    }
    s->office = office;
    s->terms = terms;
    s->config = terms->config;
    s->stream = stream;
    s->helo = STR("");
    s->timer.fire = on_timer;
    s->client = (struct policy_client){
        .config = s->config, .ip = ip_unmap(stream->peer.ip), .mode = kind.mode};
    s->kind = kind;
    s->own = policy_is_own(&s->client);
    list_append(&office->sessions, &s->link);
    office->count++;
    office->counts.sessions++;
    smtp_server_init(&s->server, session_options(s, TERMS_PLAIN), &office->out,
                     kind.mode == LISTEN_LMTP);
    set_options(s);
    stream->owner = s;
    stream->events = &events;
    bool hidden = kind.tls == LISTEN_TLS_IMPLICIT;
    if (hidden && (!secure_has_room(office) || !secure_begin(s))) {
        s->broken = true;
        session_close(s, "no TLS");
    }
    log_event(office->ports->log, LOG_INFO, "connected", F_IP("client", s->client.ip),
              F_INT("port", stream->peer.port), F_INT("to_port", stream->local.port));
    s->paused = true;
    s->pumping = true;
    start_reverse(s);
    s->pumping = false;
    if (office->draining) {
        smtp_reply_format(&office->out, smtp_answer(ANSWER_SHUTDOWN));
        session_close(s, "shutdown");
    } else {
        smtp_server_greet(&s->server);
    }
    settle(s);
}
