#include "path/session/login.h"

#include <errno.h>
#include <stdlib.h>

/* An exchange under way. */
struct session_login {
    struct login login;
    struct session *session;
    char mechanism[24];
};

/* `tls_facts` holds what the result borrows. */
static struct login_facts facts_of(const struct session *s, struct tls_facts *tls_facts)
{
    struct tls *tls = s->office->ports->tls;
    struct login_facts facts = {.peer = s->client.ip, .hostname = s->config->hostname};
    if (s->secure && tls->facts(s->stream, tls_facts)) {
        facts.encrypted = true;
        facts.exporter = str_from(tls_facts->exporter, tls_facts->binds ? TLS_EXPORTER_SIZE : 0);
    }
    return facts;
}

struct str login_offer(struct session *s)
{
    struct logins *logins = s->office->ports->logins;
    struct tls_facts tls_facts;
    struct login_facts facts = facts_of(s, &tls_facts);
    struct buf text = {0};
    bool private = s->secure || s->kind.tls == LISTEN_TLS_IMPLICIT;
    bool shaking_hands = private && !facts.encrypted;
    if (!logins || s->client.mode != LISTEN_SUBMISSION || shaking_hands) {
        return STR("");
    }
    logins->mechanisms(logins, &facts, &text);
    struct str kept = text.failed ? STR("") : arena_copy(&s->arena, buf_str(&text));
    buf_done(&text);
    return kept;
}

void login_end(struct session *s)
{
    struct logins *logins = s->office->ports->logins;
    if (s->login) {
        logins->end(logins, &s->login->login);
        free(s->login);
        s->login = NULL;
    }
}

static void give_up(struct session *s, enum answer answer)
{
    login_end(s);
    smtp_server_reply(&s->server, smtp_answer(answer));
}

static void log_failure(const struct session *s, const char *why)
{
    const struct session_login *l = s->login;
    log_event(s->office->ports->log, LOG_WARNING, "login-failed", F_IP("client", s->client.ip),
              F_STR("user", l->login.user), F_STR("mechanism", str_from_cstr(l->mechanism)),
              F_STR("reason", str_from_cstr(why)));
}

/* What is offered to this user: an EHLO after AUTH tells the size that he may send. */
static struct smtp_server_options *options_for(struct session *s, struct str user)
{
    uint64_t size = config_find_user_limits(s->config, user)->size;
    struct smtp_server_options *own = ARENA_NEW(&s->arena, struct smtp_server_options);
    if (own) {
        *own = *s->server.options;
        own->message_max = size > 0 && size < own->message_max ? size : own->message_max;
    }
    return own;
}

static void succeed(struct session *s)
{
    const struct session_login *l = s->login;
    struct str user = arena_copy(&s->arena, l->login.user);
    struct smtp_server_options *options = user.len > 0 ? options_for(s, user) : NULL;
    if (!options) {
        give_up(s, ANSWER_AUTH_LATER);
        return;
    }
    s->client.user = user;
    s->server.options = options;
    log_event(s->office->ports->log, LOG_INFO, "login", F_IP("client", s->client.ip),
              F_STR("user", user), F_STR("mechanism", str_from_cstr(l->mechanism)));
    give_up(s, ANSWER_AUTH_OK);
}

static void on_stepped(struct login *login)
{
    struct session_login *l = CONTAINER_OF(login, struct session_login, login);
    struct session *s = l->session;
    struct smtp_reply challenge = {.code = 334, .text = buf_str(&login->challenge)};
    switch (login->result) {
    case LOGIN_MORE:
        smtp_server_reply(&s->server, &challenge);
        break;
    case LOGIN_YES:
        succeed(s);
        break;
    case LOGIN_NO:
        log_failure(s, "wrong name or password");
        give_up(s, ANSWER_AUTH_FAILED);
        break;
    case LOGIN_MALFORMED:
        log_failure(s, "malformed response");
        give_up(s, ANSWER_AUTH_MALFORMED);
        break;
    case LOGIN_BLOCKED:
        log_failure(s, "too many failures");
        give_up(s, ANSWER_AUTH_BLOCKED);
        break;
    case LOGIN_LATER:
        log_failure(s, "the users cannot be asked now");
        give_up(s, ANSWER_AUTH_LATER);
        break;
    }
    session_go_on(s);
}

void login_on_auth(struct session *s, const struct command *c)
{
    struct logins *logins = s->office->ports->logins;
    struct tls_facts tls_facts;
    struct login_facts facts = facts_of(s, &tls_facts);
    struct str rest = c->argument;
    facts.mechanism = str_split(&rest, ' ');
    struct str first = str_trim(rest);
    struct session_login *l = calloc(1, sizeof *l);
    if (!l) {
        smtp_server_reply(&s->server, smtp_answer(ANSWER_AUTH_LATER));
        return;
    }
    l->session = s;
    l->login.stepped = on_stepped;
    for (size_t i = 0; i < facts.mechanism.len && i + 1 < sizeof l->mechanism; i++) {
        l->mechanism[i] = facts.mechanism.ptr[i];
    }
    int error = logins->begin(logins, &l->login, &facts);
    if (error) {
        free(l);
        smtp_server_reply(
            &s->server, smtp_answer(error == -ENOTSUP ? ANSWER_AUTH_MECHANISM : ANSWER_AUTH_LATER));
        return;
    }
    s->login = l;
    logins->step(logins, &l->login, str_eq(first, STR("=")) ? STR("") : first);
}

void login_on_response(struct session *s, struct str response)
{
    struct logins *logins = s->office->ports->logins;
    logins->step(logins, &s->login->login, response);
}
