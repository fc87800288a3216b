#include "path/session/secure.h"

#include "path/session/login.h"

bool secure_may_offer(const struct session *s)
{
    return s->office->ports->tls && s->kind.tls == LISTEN_TLS_OFFERED && !s->secure;
}

/* In which an honest client shakes hands, however slow its line. */
static const int64_t enough_us = 5000000;

static int64_t now_us(const struct session_office *office)
{
    struct clock *clock = office->ports->clock;
    return clock->monotonic_us(clock);
}

bool secure_has_room(struct session_office *office)
{
    if (office->handshake_count < HANDSHAKES_MAX) {
        return true;
    }
    struct session *oldest = CONTAINER_OF(office->handshakes.next, struct session, handshake);
    if (now_us(office) - oldest->shaking_since_us < enough_us) {
        return false;
    }
    oldest->broken = true;
    oldest->thrown_out = true;
    session_close(oldest, "its handshake made room for another");
    session_go_on(oldest);
    return true;
}

void secure_settled(struct session *s)
{
    if (list_linked(&s->handshake)) {
        list_remove(&s->handshake);
        s->office->handshake_count--;
    }
}

bool secure_begin(struct session *s)
{
    struct tls *tls = s->office->ports->tls;
    struct stream *plain = s->stream;
    struct stream *stream = tls ? tls->accept(tls, plain) : NULL;
    if (!stream) {
        return false;
    }
    stream->owner = s;
    stream->events = session_events();
    s->stream = stream;
    s->secure = true;
    s->paused = true;
    s->shaking_since_us = now_us(s->office);
    list_append(&s->office->handshakes, &s->handshake);
    s->office->handshake_count++;
    return true;
}

static void forget_all(struct session *s)
{
    login_end(s);
    s->client.user = STR("");
    s->helo = STR("");
    s->client.helo = HELO_TEMPORARY;
    lookup_cancel(s->helo_check);
    s->helo_check = NULL;
    /* AUTH is offered anew at EHLO, by what it is then */
    s->server.options = session_options(s, TERMS_PRIVATE);
    smtp_server_secured(&s->server);
}

void secure_on_starttls(struct session *s, size_t behind)
{
    if (behind > 0) {
        log_event(s->office->ports->log, LOG_WARNING, "tls-injection", F_IP("client", s->client.ip),
                  F_INT("octets", (int64_t)behind));
        smtp_server_reply(&s->server, smtp_answer(ANSWER_TLS_NOT_ALONE));
        session_close(s, "commands behind STARTTLS");
        return;
    }
    session_flush(s);
    if (!secure_has_room(s->office)) {
        smtp_server_reply(&s->server, smtp_answer(ANSWER_TLS_LATER));
        return;
    }
    smtp_server_accept(&s->server);
    session_flush(s);
    if (s->closing || !secure_begin(s)) {
        s->broken = true;
        session_close(s, "no TLS");
        return;
    }
    forget_all(s);
}
