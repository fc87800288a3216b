/* introspection_store.c: a web server that says whose a token is (RFC 7662), as a store: it judges
 * tokens, not passwords. */
#include "stores/store.h"
#include "stores/token_answer.h"
#include "stores/token_cache.h"
#include "world/https_once.h"
#include "world/whole_file.h"
#include "world/wipe.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ANSWER_MAX = 65536, STATUS_OK = 200 };

struct office {
    struct token_cache *cache;
    struct buf client, secret; /* encoded as RFC 6749 section 2.3.1 has it, end with NUL */
    struct buf authorities;
};

/* As in a form (application/x-www-form-urlencoded). */
static void add_encoded(struct buf *out, struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (ascii_is_alnum(c) || str_find(STR("-._~"), c) != STR_NONE) {
            buf_add_char(out, c);
        } else {
            buf_add_format(out, "%%%02X", (unsigned)(unsigned char)c);
        }
    }
}

static int read_files(const struct config_store *config, struct office *office, struct buf *reason)
{
    struct buf secret = {0};
    struct file_stamp stamp;
    int error = 0;
    if (config->password_file.len > 0) {
        error = store_secret(config->password_file.ptr, &secret, reason);
        add_encoded(&office->client, config->client_id);
        buf_add_char(&office->client, '\0');
        add_encoded(&office->secret, buf_str(&secret));
        buf_add_char(&office->secret, '\0');
    }
    wipe_buf(&secret);
    if (!error && config->authorities.len > 0) {
        error = whole_file_read(config->authorities.ptr, &office->authorities, &stamp);
        if (error) {
            buf_add_format(reason, "%.*s: %s", STR_ARG(config->authorities), strerror(-error));
        }
    }
    return error;
}

static int open_office(struct store *store, struct buf *reason)
{
    struct office *office = calloc(1, sizeof *office);
    store->own = office;
    if (!office || !https_once_start() || !(office->cache = token_cache_new())) {
        buf_add(reason, STR("not enough memory"));
        return -ENOMEM;
    }
    return read_files(store->config, office, reason);
}

static void close_office(struct store *store)
{
    struct office *office = store->own;
    if (office) {
        token_cache_free(office->cache);
        wipe_buf(&office->client);
        wipe_buf(&office->secret);
        buf_done(&office->authorities);
        free(office);
    }
}

/* What the server says, in `answer`; false with the reason. */
static bool ask(const struct store *store, const struct store_question *question, struct str token,
                struct buf *answer)
{
    const struct office *office = store->own;
    struct buf body = {0};
    buf_add(&body, STR("token_type_hint=access_token&token="));
    add_encoded(&body, token);
    struct https_once once = {.url = store->config->place.ptr,
                              .body = buf_str(&body),
                              .content_type = "application/x-www-form-urlencoded",
                              .authorities = buf_str(&office->authorities),
                              .limit = ANSWER_MAX,
                              .time = SPAN_MS(store_left_ms(question)),
                              .answer = answer,
                              .reason = question->reason};
    if (office->client.len > 0) {
        once.user = office->client.ptr;
        once.password = office->secret.ptr;
    }
    bool asked = !body.failed && !office->client.failed && !office->secret.failed &&
                 https_once(&once) == HTTPS_ANSWERED;
    if (asked && once.status != STATUS_OK) {
        (void)store_down(question, "it answered with HTTP status %d", once.status);
        asked = false;
    }
    wipe_buf(&body);
    return asked;
}

static enum store_answer judge(const struct store *store, const struct store_question *question,
                               struct str token, struct str json)
{
    const struct office *office = store->own;
    int64_t now = (int64_t)time(NULL), until = 0;
    int64_t longest = now + store->config->cache.us / 1000000;
    switch (token_judge(json, store->config, now, question->fields, &until)) {
    case TOKEN_GOOD:
        token_cache_keep(office->cache, token, buf_str(question->fields),
                         until < longest ? until : longest);
        return STORE_RIGHT;
    case TOKEN_BAD:
        return STORE_WRONG;
    case TOKEN_NONSENSE:
        break;
    }
    return store_down(question, "its answer is not of RFC 7662");
}

static enum store_answer check_token(struct store *store, const struct store_question *question)
{
    struct office *office = store->own;
    struct buf answer = {0};
    enum store_answer verdict = STORE_DOWN;
    if (!office || !office->cache) {
        return store_down(question, "not enough memory");
    }
    if (token_cache_find(office->cache, question->token, (int64_t)time(NULL), question->fields)) {
        return STORE_RIGHT;
    }
    if (ask(store, question, question->token, &answer)) {
        verdict = judge(store, question, question->token, buf_str(&answer));
    }
    wipe_buf(&answer);
    return verdict;
}

/* With what is no token: an answer that says so is one. */
static enum store_answer reach(struct store *store, const struct store_question *question)
{
    struct store_question probe = *question;
    probe.token = STR("postrider-check");
    return check_token(store, &probe) == STORE_DOWN ? STORE_DOWN : STORE_FOUND;
}

const struct store_kind introspection_store = {.word = "introspection",
                                               .open = open_office,
                                               .check_token = check_token,
                                               .reach = reach,
                                               .close = close_office};
