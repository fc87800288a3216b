/* A whole exchange of every mechanism with arbitrary lines of a client. The first octet chooses the
 * mechanism (its low bits) and whether the lines are base64 already (the high bit); the rest are
 * the lines. Users are here: anna, with password "p" and token "t".
 *
 * Properties: who shows neither password nor token does not log in, and by SCRAM, whose proof
 * depends on a nonce of the server's, nobody here does; who logs in is anna; a challenge is base64
 * that fits. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/encode.h"
#include "login/exchange.h"
#include "login/question.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct buf keys; /* of anna */

enum store_answer stores_look_up(struct stores *stores, struct str name, struct buf *fields,
                                 size_t *which)
{
    (void)stores;
    *which = 0;
    buf_add(fields, str_eq(name, STR("anna")) ? buf_str(&keys) : STR(""));
    return str_eq(name, STR("anna"))   ? STORE_FOUND
           : str_eq(name, STR("down")) ? STORE_DOWN
                                       : STORE_UNKNOWN;
}

enum store_answer stores_check(struct stores *stores, struct str name, struct str password,
                               size_t *which)
{
    (void)stores;
    *which = 0;
    bool right = str_eq(name, STR("anna")) && str_eq(password, STR("p"));
    return right ? STORE_RIGHT : str_eq(name, STR("down")) ? STORE_DOWN : STORE_WRONG;
}

enum store_answer stores_check_token(struct stores *stores, struct str token, struct buf *user)
{
    (void)stores;
    buf_add(user, str_eq(token, STR("t")) ? STR("anna") : STR(""));
    return str_eq(token, STR("t"))   ? STORE_RIGHT
           : str_eq(token, STR("d")) ? STORE_DOWN
                                     : STORE_WRONG;
}

const struct config_store *stores_of_tokens(const struct stores *stores)
{
    static const struct config_store rules = {.scope = STR_INIT("mail")};
    (void)stores;
    return &rules;
}

static void broken(const char *what)
{
    (void)fprintf(stderr, "broken: %s\n", what);
    abort();
}

static struct exchange_maker *maker(void)
{
    static const struct login_secret secret = {{{1, 2}, {3, 4}}};
    static struct exchange_maker *made;
    if (!made) {
        made = exchange_maker_new(NULL, SASL_ALL, &secret);
        if (!made || verifier_make(&keys, STR("p")) != 0) {
            broken("the library does not start");
        }
    }
    return made;
}

static void judge(enum sasl_kind kind, enum login_result result, const struct buf *challenge,
                  const struct buf *user, struct str said)
{
    struct buf plain = {0};
    bool token = kind == SASL_OAUTHBEARER || kind == SASL_XOAUTH2;
    if (result == LOGIN_MORE &&
        (challenge->len > LOGIN_RESPONSE_MAX || !base64_decode(&plain, buf_str(challenge)))) {
        broken("a challenge is not base64, or too long");
    }
    if (result == LOGIN_YES && !str_eq_nocase(buf_str(user), STR("anna"))) {
        broken("somebody else than anna is in");
    }
    if (result == LOGIN_YES && kind != SASL_PLAIN && kind != SASL_LOGIN && !token) {
        broken("SCRAM lets somebody in who proved nothing");
    }
    if (result == LOGIN_YES && str_find(said, token ? 't' : 'p') == STR_NONE) {
        broken("somebody is in who showed nothing");
    }
    buf_done(&plain);
}

static void talk(struct exchange *exchange, enum sasl_kind kind, struct str lines, bool raw)
{
    struct buf challenge = {0}, user = {0}, line = {0}, said = {0};
    enum login_result result = LOGIN_MORE;
    for (int steps = 0; result == LOGIN_MORE && steps < 8; steps++) {
        struct str text = str_split(&lines, '\n');
        buf_clear(&line);
        if (raw) {
            buf_add(&line, text);
            (void)!base64_decode(&said, text);
        } else {
            base64_encode(&line, text);
            buf_add(&said, text);
        }
        result = exchange_step(exchange, buf_str(&line), &challenge, &user);
        judge(kind, result, &challenge, &user, buf_str(&said));
    }
    buf_done(&challenge);
    buf_done(&user);
    buf_done(&line);
    buf_done(&said);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char exporter[] = "0123456789abcdef0123456789abcdef";
    if (size == 0) {
        return 0;
    }
    enum sasl_kind kind = (enum sasl_kind)((data[0] & 0x7f) % SASL_KINDS);
    struct login_facts facts = {.encrypted = true,
                                .exporter = str_from(exporter, 32),
                                .mechanism = sasl_mechanisms[kind].name};
    struct exchange *exchange = NULL;
    if (exchange_new(maker(), &facts, &exchange) == 0) {
        talk(exchange, kind, str_from((const char *)data + 1, size - 1), data[0] & 0x80);
    }
    exchange_free(exchange);
    return 0;
}
