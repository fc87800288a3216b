#include "stores/stores.h"

#include "core/base/utf8.h"
#include "stores/store.h"
#include "world/system.h"
#include "world/wipe.h"

#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { NAME_MAX_OCTETS = 255, PASSWORD_MAX_OCTETS = 1024 };
#define TOLD_AGAIN_US INT64_C(10000000)

/* A store that is slow must leave threads for the others: so many questions go to it at once, or,
 * while it gives no answer, so few; who comes when it is full waits for a moment only. */
enum { QUESTIONS_MAX = 12, PROBES = 2 };
#define MOMENT_US INT64_C(250000)

struct place {
    struct store store;
    unsigned asking;
    pthread_cond_t asked; /* one less is asking */
    bool down;
    int64_t told_us; /* when the log was told */
};

struct stores {
    struct log *log;
    pthread_mutex_t lock; /* of the places' states */
    sem_t hashing;        /* a hash takes a processor and 16 MiB: no more at once than processors */
    size_t count;
    struct place places[];
};

static const struct store_kind *const kinds[STORE_KINDS] = {
    [STORE_FILE] = &file_store,
    [STORE_SQLITE] = &sqlite_store,
    [STORE_POSTGRESQL] = &postgresql_store,
    [STORE_LDAP] = &ldap_store,
    [STORE_PAM] = &pam_store,
    [STORE_DOVECOT] = &dovecot_store,
    [STORE_INTROSPECTION] = &introspection_store,
};

static void tell(struct stores *s, const struct place *p, const char *event, struct str reason)
{
    if (s->log) {
        log_event(s->log, reason.len > 0 ? LOG_ERROR : LOG_INFO, event,
                  F_STR("store", p->store.config->name), F_STR("reason", reason));
    }
}

/* By the clock that store_now_us() reads. */
static void init_condition(pthread_cond_t *condition)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(condition, &attributes);
    pthread_condattr_destroy(&attributes);
}

struct stores *stores_new(const struct config *config, struct log *log)
{
    size_t count = config->store_count;
    struct stores *s = calloc(1, sizeof *s + count * sizeof s->places[0]);
    if (!s) {
        return NULL;
    }
    s->log = log;
    s->count = count;
    signal(SIGPIPE, SIG_IGN); /* libraries write to servers that may be gone */
    pthread_mutex_init(&s->lock, NULL);
    sem_init(&s->hashing, 0, (unsigned)system_processors());
    for (size_t i = 0; i < count; i++) {
        struct place *p = &s->places[i];
        struct buf reason = {0};
        init_condition(&p->asked);
        p->store.config = &config->stores[i];
        p->store.kind = kinds[config->stores[i].kind];
        if (p->store.kind->open && p->store.kind->open(&p->store, &reason) != 0) {
            tell(s, p, "store-trouble", buf_str(&reason));
        }
        buf_done(&reason);
    }
    return s;
}

void stores_free(struct stores *s)
{
    if (!s) {
        return;
    }
    for (size_t i = 0; i < s->count; i++) {
        if (s->places[i].store.kind->close) {
            s->places[i].store.kind->close(&s->places[i].store);
        }
        pthread_cond_destroy(&s->places[i].asked);
    }
    sem_destroy(&s->hashing);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

size_t stores_count(const struct stores *s)
{
    return s->count;
}

struct str stores_name(const struct stores *s, size_t which)
{
    return s->places[which].store.config->name;
}

static bool is_full(const struct place *p)
{
    return p->asking >= (p->down ? PROBES : QUESTIONS_MAX);
}

static bool may_ask(struct stores *s, struct place *p)
{
    int64_t until = store_now_us() + MOMENT_US;
    struct timespec end = {.tv_sec = until / 1000000, .tv_nsec = until % 1000000 * 1000};
    int error = 0;
    pthread_mutex_lock(&s->lock);
    while (is_full(p) && !p->down && error == 0) {
        error = pthread_cond_timedwait(&p->asked, &s->lock, &end);
    }
    bool may = !is_full(p);
    p->asking += may;
    pthread_mutex_unlock(&s->lock);
    return may;
}

/* The log hears of a store's going and coming back, and in between once in a while. */
static void note(struct stores *s, struct place *p, bool down, struct str reason)
{
    int64_t now = store_now_us();
    pthread_mutex_lock(&s->lock);
    bool back = p->down && !down;
    bool news = down && (!p->down || now - p->told_us > TOLD_AGAIN_US);
    p->down = down;
    p->told_us = news ? now : p->told_us;
    p->asking--;
    pthread_cond_signal(&p->asked);
    pthread_mutex_unlock(&s->lock);
    if (news) {
        tell(s, p, "store-trouble", reason.len > 0 ? reason : STR("no answer in time"));
    } else if (back) {
        tell(s, p, "store-back", STR(""));
    }
}

typedef enum store_answer (*asking)(struct store *store, const struct store_question *question);

static enum store_answer ask(struct stores *s, struct place *p, asking how,
                             const struct store_question *q)
{
    struct buf reason = {0};
    struct store_question asked = *q;
    if (!may_ask(s, p)) {
        return STORE_DOWN;
    }
    asked.until_us = store_now_us() + p->store.config->timeout.us;
    asked.reason = &reason;
    enum store_answer answer = how(&p->store, &asked);
    note(s, p, answer == STORE_DOWN, buf_str(&reason));
    buf_done(&reason);
    return answer;
}

/* What no store is asked: names that no user can have, as they are wrong in one store's eyes or
 * another's. */
static bool is_askable(struct str name, char text[NAME_MAX_OCTETS + 1])
{
    if (name.len == 0 || name.len > NAME_MAX_OCTETS || str_has_control(name) || !utf8_valid(name)) {
        return false;
    }
    memcpy(text, name.ptr, name.len);
    text[name.len] = '\0';
    return true;
}

static enum store_answer find(struct stores *s, struct place *p, struct store_question *q)
{
    buf_clear(q->fields);
    enum store_answer answer = ask(s, p, p->store.kind->look_up, q);
    return q->fields->failed ? STORE_DOWN : answer;
}

enum store_answer stores_look_up(struct stores *s, struct str name, struct buf *fields,
                                 size_t *which)
{
    char text[NAME_MAX_OCTETS + 1];
    struct store_question q = {.name = name, .name_text = text, .fields = fields};
    enum store_answer answer = STORE_UNKNOWN;
    if (!is_askable(name, text)) {
        return STORE_UNKNOWN;
    }
    for (size_t i = 0; i < s->count && answer == STORE_UNKNOWN; i++) {
        if (s->places[i].store.kind->look_up) {
            *which = i;
            answer = find(s, &s->places[i], &q);
        }
    }
    return answer;
}

/* `fields` empty: a user who is not there, for whom it takes as long. */
static bool hash_fits(struct stores *s, struct str fields, struct str password)
{
    struct verifier verifier;
    bool known = verifier_parse(fields, &verifier);
    while (sem_wait(&s->hashing) != 0) {} /* a signal */
    bool fits = verifier_check(known ? &verifier : NULL, password);
    sem_post(&s->hashing);
    return fits;
}

/* `*hashed` once a hash was made, so that none is made for nobody besides. */
static enum store_answer check_in(struct stores *s, struct place *p, struct store_question *q,
                                  bool *hashed)
{
    if (p->store.kind->check) {
        return ask(s, p, p->store.kind->check, q);
    }
    enum store_answer answer = find(s, p, q);
    if (answer == STORE_FOUND) {
        *hashed = true;
        bool fits = hash_fits(s, buf_str(q->fields), str_from_cstr(q->password));
        answer = fits ? STORE_RIGHT : STORE_WRONG;
    }
    return answer;
}

static enum store_answer check_all(struct stores *s, struct store_question *q, size_t *which)
{
    enum store_answer answer = STORE_UNKNOWN;
    bool hashed = false, hashes = false;
    for (size_t i = 0; i < s->count && answer == STORE_UNKNOWN; i++) {
        if (s->places[i].store.kind->check_token) {
            continue;
        }
        *which = i;
        hashes = hashes || !s->places[i].store.kind->check;
        answer = check_in(s, &s->places[i], q, &hashed);
    }
    if (answer == STORE_UNKNOWN && hashes && !hashed) {
        (void)hash_fits(s, STR(""), str_from_cstr(q->password));
    }
    return answer == STORE_UNKNOWN ? STORE_WRONG : answer;
}

enum store_answer stores_check(struct stores *s, struct str name, struct str password,
                               size_t *which)
{
    char text[NAME_MAX_OCTETS + 1], secret[PASSWORD_MAX_OCTETS + 1];
    struct buf fields = {0};
    struct store_question q = {
        .name = name, .name_text = text, .password = secret, .fields = &fields};
    bool usable = password.len > 0 && password.len <= PASSWORD_MAX_OCTETS &&
                  str_find(password, '\0') == STR_NONE;
    if (!is_askable(name, text) || !usable) {
        (void)hash_fits(s, STR(""), STR("x"));
        return STORE_WRONG;
    }
    memcpy(secret, password.ptr, password.len);
    secret[password.len] = '\0';
    enum store_answer answer = check_all(s, &q, which);
    explicit_bzero(secret, sizeof secret);
    wipe_buf(&fields);
    return answer;
}

/* A name that a store of tokens gives must be one that a user can have. */
static enum store_answer check_token_in(struct stores *s, struct place *p, struct str token,
                                        struct buf *user)
{
    char text[NAME_MAX_OCTETS + 1];
    struct buf name = {0};
    struct store_question q = {.token = token, .fields = &name};
    enum store_answer answer = ask(s, p, p->store.kind->check_token, &q);
    if (answer == STORE_RIGHT && (name.failed || !is_askable(buf_str(&name), text))) {
        answer = STORE_WRONG;
    }
    if (answer == STORE_RIGHT) {
        buf_add(user, buf_str(&name));
    }
    buf_done(&name);
    return answer;
}

enum store_answer stores_check_token(struct stores *s, struct str token, struct buf *user)
{
    enum store_answer answer = STORE_WRONG;
    for (size_t i = 0; i < s->count && answer == STORE_WRONG; i++) {
        if (s->places[i].store.kind->check_token) {
            answer = check_token_in(s, &s->places[i], token, user);
        }
    }
    return answer;
}

const struct config_store *stores_of_tokens(const struct stores *s)
{
    for (size_t i = 0; i < s->count; i++) {
        if (s->places[i].store.kind->check_token) {
            return s->places[i].store.config;
        }
    }
    return NULL;
}

bool stores_reach(struct stores *s, size_t which, struct buf *reason)
{
    struct place *p = &s->places[which];
    struct buf fields = {0};
    struct store_question q = {.name = STR("postmaster"),
                               .name_text = "postmaster",
                               .fields = &fields,
                               .reason = reason,
                               .until_us = store_now_us() + p->store.config->timeout.us};
    asking how = p->store.kind->reach ? p->store.kind->reach : p->store.kind->look_up;
    bool reached = how(&p->store, &q) != STORE_DOWN;
    if (!reached && reason->len == 0) {
        buf_add(reason, STR("no answer in time"));
    }
    buf_done(&fields);
    return reached;
}
