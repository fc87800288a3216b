#include "login/exchange.h"

#include <errno.h>
#include <gsasl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/encode.h"
#include "login/bearer.h"
#include "world/wipe.h"

struct exchange_maker {
    Gsasl *library;
    struct stores *stores;
    struct login_secret secret; /* of the salts of users that are not there */
    sasl_set allowed;
};

struct exchange {
    struct exchange_maker *maker;
    Gsasl_session *session;
    enum sasl_kind kind;
    struct buf exporter; /* base64, ends with NUL; empty: none */
    struct buf line;     /* the user's, where `found` */
    struct verifier verifier;
    bool looked, found;
    bool unavailable;  /* the users could not be asked */
    bool last;         /* the server's last word is out: the client owes an empty response */
    bool refused;      /* the client's token is, and it has been told so: it owes a response */
    struct buf bearer; /* whose token it is, or whom it claims to be */
    unsigned steps;
};

static void look_up(struct exchange *e, const char *name)
{
    if (e->looked) {
        return;
    }
    e->looked = true;
    size_t which;
    enum store_answer answer =
        stores_look_up(e->maker->stores, str_from_cstr(name), &e->line, &which);
    e->unavailable = answer == STORE_DOWN;
    e->found = answer == STORE_FOUND && verifier_parse(buf_str(&e->line), &e->verifier);
}

static int check_password(struct exchange *e, Gsasl_session *session)
{
    const char *name = gsasl_property_fast(session, GSASL_AUTHID);
    const char *as = gsasl_property_fast(session, GSASL_AUTHZID);
    const char *password = gsasl_property_fast(session, GSASL_PASSWORD);
    if (!name || !password) {
        return GSASL_AUTHENTICATION_ERROR;
    }
    size_t which;
    enum store_answer answer =
        stores_check(e->maker->stores, str_from_cstr(name), str_from_cstr(password), &which);
    explicit_bzero((char *)(uintptr_t)password, strlen(password)); /* the library only frees it */
    e->unavailable = answer == STORE_DOWN;
    bool himself = !as || !*as || str_eq_nocase(str_from_cstr(as), str_from_cstr(name));
    return answer == STORE_RIGHT && himself ? GSASL_OK : GSASL_AUTHENTICATION_ERROR;
}

/* For an unknown name: always the same salt, so that it is not told from a known one at once. */
static void invent_salt(const struct exchange *e, const char *name, struct scram_keys *keys)
{
    uint64_t salt[2] = {hash_nocase(e->maker->secret.seeds[0], str_from_cstr(name)),
                        hash_nocase(e->maker->secret.seeds[1], str_from_cstr(name))};
    struct buf text = {0};
    base64_encode(&text, (struct str){(const char *)salt, sizeof salt});
    if (!text.failed && text.len < sizeof keys->salt) {
        memcpy(keys->salt, text.ptr, text.len);
        keys->salt[text.len] = '\0';
    }
    buf_done(&text);
    keys->iterations = SCRAM_ITERATIONS;
}

/* The library asks for the keys before it knows whether the client's proof is right; an unknown
 * name gets keys that no proof fits. */
static int give_scram(struct exchange *e, Gsasl_session *session, Gsasl_property property)
{
    const char *name = gsasl_property_fast(session, GSASL_AUTHID);
    if (!name) {
        return GSASL_AUTHENTICATION_ERROR;
    }
    look_up(e, name);
    if (e->unavailable) {
        return GSASL_NO_CALLBACK;
    }
    bool long_digest = e->kind == SASL_SCRAM_SHA_256_PLUS || e->kind == SASL_SCRAM_SHA_256;
    struct scram_keys *known = long_digest ? &e->verifier.sha256 : &e->verifier.sha1;
    struct scram_keys keys = e->found ? *known : (struct scram_keys){0};
    char iterations[16];
    if (keys.iterations == 0) {
        e->found = false;
        invent_salt(e, name, &keys);
    }
    switch ((int)property) {
    case GSASL_SCRAM_ITER:
        (void)snprintf(iterations, sizeof iterations, "%u", keys.iterations);
        return gsasl_property_set(session, property, iterations);
    case GSASL_SCRAM_SALT:
        return gsasl_property_set(session, property, keys.salt);
    case GSASL_SCRAM_STOREDKEY:
        return e->found ? gsasl_property_set(session, property, keys.stored) : GSASL_NO_PASSWORD;
    case GSASL_SCRAM_SERVERKEY:
        return e->found ? gsasl_property_set(session, property, keys.server) : GSASL_NO_PASSWORD;
    default:
        return GSASL_NO_CALLBACK;
    }
}

/* The library asks for the channel binding while it starts, before a session can bear a hook. */
static _Thread_local struct exchange *starting;

static int answer(Gsasl *library, Gsasl_session *session, Gsasl_property property)
{
    struct exchange *e = session ? gsasl_session_hook_get(session) : NULL;
    e = e ? e : starting;
    (void)library;
    if (!e) {
        return GSASL_NO_CALLBACK;
    }
    switch ((int)property) {
    case GSASL_VALIDATE_SIMPLE:
        return check_password(e, session);
    case GSASL_CB_TLS_EXPORTER:
        return e->exporter.len > 0 ? gsasl_property_set(session, property, e->exporter.ptr)
                                   : GSASL_NO_CB_TLS_EXPORTER;
    case GSASL_SCRAM_ITER:
    case GSASL_SCRAM_SALT:
    case GSASL_SCRAM_STOREDKEY:
    case GSASL_SCRAM_SERVERKEY:
        return give_scram(e, session, property);
    default:
        return GSASL_NO_CALLBACK;
    }
}

struct exchange_maker *exchange_maker_new(struct stores *stores, sasl_set allowed,
                                          const struct login_secret *secret)
{
    struct exchange_maker *maker = calloc(1, sizeof *maker);
    if (!maker) {
        return NULL;
    }
    maker->stores = stores;
    maker->allowed = allowed;
    maker->secret = *secret;
    if (gsasl_init(&maker->library) != GSASL_OK) {
        free(maker);
        return NULL;
    }
    gsasl_callback_set(maker->library, answer);
    return maker;
}

void exchange_maker_free(struct exchange_maker *maker)
{
    if (maker) {
        gsasl_done(maker->library);
        free(maker);
    }
}

static bool shows_token(const struct exchange *e)
{
    return e->kind == SASL_OAUTHBEARER || e->kind == SASL_XOAUTH2;
}

static int start(struct exchange *e)
{
    starting = e;
    int failed =
        gsasl_server_start(e->maker->library, sasl_mechanisms[e->kind].name.ptr, &e->session);
    starting = NULL;
    if (failed != GSASL_OK) {
        e->session = NULL;
        return failed == GSASL_MALLOC_ERROR ? -ENOMEM : -ENOTSUP;
    }
    gsasl_session_hook_set(e->session, e);
    return 0;
}

int exchange_new(struct exchange_maker *maker, const struct login_facts *facts,
                 struct exchange **made)
{
    enum sasl_kind kind = sasl_find(facts->mechanism);
    sasl_set usable = sasl_usable(maker->allowed, facts->encrypted, facts->exporter.len > 0);
    if (kind == SASL_KINDS || !(usable & SASL_ONE(kind))) {
        return -ENOTSUP;
    }
    struct exchange *e = calloc(1, sizeof *e);
    if (!e) {
        return -ENOMEM;
    }
    e->maker = maker;
    e->kind = kind;
    if (facts->exporter.len > 0) {
        base64_encode(&e->exporter, facts->exporter);
        buf_add_char(&e->exporter, '\0');
    }
    int error = e->exporter.failed ? -ENOMEM : shows_token(e) ? 0 : start(e);
    if (error) {
        exchange_free(e);
        return error;
    }
    *made = e;
    return 0;
}

void exchange_free(struct exchange *e)
{
    if (e) {
        if (e->session) {
            gsasl_finish(e->session);
        }
        buf_done(&e->exporter);
        buf_done(&e->bearer);
        wipe_buf(&e->line);
        explicit_bzero(&e->verifier, sizeof e->verifier);
        free(e);
    }
}

static void note_user(struct exchange *e, struct buf *user)
{
    const char *name = gsasl_property_fast(e->session, GSASL_AUTHID);
    buf_clear(user);
    buf_add(user, str_from_cstr(name));
}

/* Who logs in acts as himself: a second name (authzid) is allowed if it is the same. */
static bool acts_as_himself(struct exchange *e)
{
    const char *as = gsasl_property_fast(e->session, GSASL_AUTHZID);
    const char *name = gsasl_property_fast(e->session, GSASL_AUTHID);
    return name && (!as || !*as || str_eq_nocase(str_from_cstr(as), str_from_cstr(name)));
}

static enum login_result judge(struct exchange *e, int result, struct str out)
{
    switch (result) {
    case GSASL_NEEDS_MORE:
        return LOGIN_MORE;
    case GSASL_OK:
        if (!acts_as_himself(e)) {
            return LOGIN_NO;
        }
        e->last = out.len > 0;
        return e->last ? LOGIN_MORE : LOGIN_YES;
    case GSASL_MECHANISM_PARSE_ERROR:
    case GSASL_BASE64_ERROR:
        return LOGIN_MALFORMED;
    case GSASL_MALLOC_ERROR:
        return LOGIN_LATER;
    default:
        return e->unavailable ? LOGIN_LATER : LOGIN_NO;
    }
}

/* What LOGIN asks, in the words that every client knows (draft-murchison-sasl-login). */
static struct str question(const struct exchange *e, struct str out)
{
    if (!sasl_mechanisms[e->kind].server_first) {
        return out;
    }
    return e->steps == 1 ? STR("Username:") : STR("Password:");
}

/* The question to which the client's first response is the answer. */
static int ask_first(struct exchange *e)
{
    char *out = NULL;
    size_t len = 0;
    e->steps++;
    int result = gsasl_step(e->session, "", 0, &out, &len);
    gsasl_free(out);
    return result == GSASL_NEEDS_MORE ? GSASL_OK : result;
}

/* The client hears why before it hears that: RFC 7628 section 3.2.3. */
static enum login_result refuse(struct exchange *e, struct buf *challenge)
{
    const struct config_store *rules = stores_of_tokens(e->maker->stores);
    struct buf why = {0};
    e->refused = true;
    bearer_refuse(&why, e->kind == SASL_XOAUTH2, rules ? rules->scope : STR(""),
                  rules ? rules->discovery : STR(""));
    base64_encode(challenge, buf_str(&why));
    buf_done(&why);
    return LOGIN_MORE;
}

static enum login_result judge_token(struct exchange *e, struct str token, struct buf *challenge)
{
    struct buf owner = {0};
    enum store_answer answer = stores_check_token(e->maker->stores, token, &owner);
    bool himself = e->bearer.len == 0 || str_eq_nocase(buf_str(&e->bearer), buf_str(&owner));
    enum login_result result = LOGIN_LATER;
    if (answer == STORE_RIGHT && himself && !owner.failed) {
        buf_clear(&e->bearer);
        buf_add(&e->bearer, buf_str(&owner));
        result = LOGIN_YES;
    } else if (answer != STORE_DOWN) {
        result = refuse(e, challenge);
    }
    buf_done(&owner);
    return result;
}

/* Without libgsasl, which does not know these. */
static enum login_result step_with_token(struct exchange *e, struct str response,
                                         struct buf *challenge)
{
    struct buf in = {0};
    struct str token;
    enum login_result result = LOGIN_MALFORMED;
    if (e->refused) {
        return LOGIN_NO;
    }
    if (response.len == 0 && e->steps++ == 0) {
        return LOGIN_MORE; /* it waits to be asked */
    }
    if (base64_decode(&in, response) &&
        bearer_parse(buf_str(&in), e->kind == SASL_XOAUTH2, &e->bearer, &token)) {
        result = judge_token(e, token, challenge);
    }
    wipe_buf(&in);
    return result;
}

/* As exchange_step(), of a mechanism of libgsasl's. */
static enum login_result step_of_library(struct exchange *e, struct str response,
                                         struct buf *challenge, struct buf *user)
{
    struct buf in = {0};
    char *out = NULL;
    size_t out_len = 0;
    if (e->last) { /* the client has seen the server's proof: it says nothing more */
        note_user(e, user);
        return response.len == 0 ? LOGIN_YES : LOGIN_MALFORMED;
    }
    if (!base64_decode(&in, response)) {
        buf_done(&in);
        return in.failed ? LOGIN_LATER : LOGIN_MALFORMED;
    }
    buf_add_char(&in, '\0');
    int result = in.failed ? GSASL_MALLOC_ERROR : GSASL_OK;
    if (result == GSASL_OK && sasl_mechanisms[e->kind].server_first && e->steps == 0 &&
        response.len > 0) {
        result = ask_first(e);
    }
    e->steps++;
    if (result == GSASL_OK) {
        result = gsasl_step(e->session, in.ptr, in.len - 1, &out, &out_len);
    }
    enum login_result verdict = judge(e, result, (struct str){out, out_len});
    if (verdict == LOGIN_MORE) {
        base64_encode(challenge, question(e, (struct str){out, out_len}));
    }
    note_user(e, user);
    gsasl_free(out);
    wipe_buf(&in);
    return verdict;
}

enum login_result exchange_step(struct exchange *e, struct str response, struct buf *challenge,
                                struct buf *user)
{
    enum login_result result;
    buf_clear(challenge);
    if (shows_token(e)) {
        result = step_with_token(e, response, challenge);
        buf_clear(user);
        buf_add(user, buf_str(&e->bearer));
    } else {
        result = step_of_library(e, response, challenge, user);
    }
    return challenge->failed || user->failed ? LOGIN_LATER : result;
}
