/* test_exchange.c: each mechanism against libgsasl's own client. */
#include <gsasl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/base/encode.h"
#include "login/exchange.h"
#include "stores/user_file.h"

static char path[64];
static struct config_store place = {.kind = STORE_FILE, .timeout = {1000000}};
static const struct config config = {.stores = &place, .store_count = 1};
static struct stores *users;
static const struct login_secret secret = {{{1, 2}, {3, 4}}};
static struct exchange_maker *maker;

static int begin(void **state)
{
    (void)state;
    struct buf fields = {0};
    (void)snprintf(path, sizeof path, "/tmp/postrider-users-%d", (int)getpid());
    (void)unlink(path);
    assert_int_equal(verifier_make(&fields, STR("correct horse")), 0);
    assert_int_equal(user_file_change(path, USER_ADD, STR("alice"), buf_str(&fields)), 0);
    buf_done(&fields);
    place.place = str_from_cstr(path);
    users = stores_new(&config, NULL);
    assert_non_null(users);
    maker = exchange_maker_new(users, SASL_ALL, &secret);
    return maker ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    exchange_maker_free(maker);
    stores_free(users);
    return unlink(path);
}

struct attempt {
    const char *mechanism, *name, *as, *password;
    const char *client_binding; /* 32 bytes, or null */
    const char *server_binding;
};

static Gsasl_session *client_of(Gsasl *library, const struct attempt *a)
{
    Gsasl_session *client = NULL;
    assert_int_equal(gsasl_client_start(library, a->mechanism, &client), GSASL_OK);
    assert_int_equal(gsasl_property_set(client, GSASL_AUTHID, a->name), GSASL_OK);
    assert_int_equal(gsasl_property_set(client, GSASL_PASSWORD, a->password), GSASL_OK);
    if (a->as) {
        assert_int_equal(gsasl_property_set(client, GSASL_AUTHZID, a->as), GSASL_OK);
    }
    if (a->client_binding) {
        struct buf text = {0};
        base64_encode(&text, (struct str){a->client_binding, 32});
        buf_add_char(&text, '\0');
        assert_int_equal(gsasl_property_set(client, GSASL_CB_TLS_EXPORTER, text.ptr), GSASL_OK);
        buf_done(&text);
    }
    return client;
}

/* As an SMTP client does: the first response may come with the AUTH command or be empty. */
static enum login_result try(const struct attempt *a, struct buf *user)
{
    struct login_facts facts = {.encrypted = true, .mechanism = str_from_cstr(a->mechanism)};
    struct exchange *exchange = NULL;
    struct buf challenge = {0}, response = {0};
    Gsasl *library = NULL;
    if (a->server_binding) {
        facts.exporter = (struct str){a->server_binding, 32};
    }
    assert_int_equal(gsasl_init(&library), GSASL_OK);
    Gsasl_session *client = client_of(library, a);
    assert_int_equal(exchange_new(maker, &facts, &exchange), 0);
    enum login_result result = LOGIN_MORE;
    for (int i = 0; i < 8 && result == LOGIN_MORE; i++) {
        char *out = NULL;
        challenge.len = i == 0 ? 0 : challenge.len;
        buf_add_char(&challenge, '\0');
        bool first_is_servers = i == 0 && strcmp(a->mechanism, "LOGIN") == 0;
        int rc = first_is_servers ? GSASL_NEEDS_MORE : gsasl_step64(client, challenge.ptr, &out);
        if (rc != GSASL_OK && rc != GSASL_NEEDS_MORE) {
            result = LOGIN_NO;
            gsasl_free(out);
            break;
        }
        buf_clear(&response);
        buf_add(&response, str_from_cstr(out));
        gsasl_free(out);
        result = exchange_step(exchange, buf_str(&response), &challenge, user);
    }
    exchange_free(exchange);
    gsasl_finish(client);
    gsasl_done(library);
    buf_done(&challenge);
    buf_done(&response);
    return result;
}

static const char binding[] = "0123456789abcdef0123456789abcdef";
static const char other_binding[] = "1123456789abcdef0123456789abcdef";
static const char *const plain_names[] = {"PLAIN", "LOGIN", "SCRAM-SHA-256", "SCRAM-SHA-1"};
static const char *const plus_names[] = {"SCRAM-SHA-256-PLUS", "SCRAM-SHA-1-PLUS"};

static void the_right_password_logs_in(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(plain_names); i++) {
        struct buf user = {0};
        struct attempt a = {plain_names[i], "alice", NULL, "correct horse", NULL, NULL};
        assert_int_equal(try(&a, &user), LOGIN_YES);
        assert_true(str_eq(buf_str(&user), STR("alice")));
        buf_done(&user);
    }
}

static void a_wrong_password_or_an_unknown_name_does_not(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(plain_names); i++) {
        struct buf user = {0};
        struct attempt wrong = {plain_names[i], "alice", NULL, "wrong horse", NULL, NULL};
        struct attempt unknown = {plain_names[i], "bob", NULL, "correct horse", NULL, NULL};
        assert_int_equal(try(&wrong, &user), LOGIN_NO);
        assert_int_equal(try(&unknown, &user), LOGIN_NO);
        buf_done(&user);
    }
}

static void nobody_acts_as_another(void **state)
{
    (void)state;
    static const char *const names[] = {"PLAIN", "SCRAM-SHA-256"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        struct buf user = {0};
        struct attempt other = {names[i], "alice", "bob", "correct horse", NULL, NULL};
        struct attempt himself = {names[i], "alice", "alice", "correct horse", NULL, NULL};
        assert_int_equal(try(&other, &user), LOGIN_NO);
        assert_int_equal(try(&himself, &user), LOGIN_YES);
        buf_done(&user);
    }
}

static void a_binding_must_be_of_the_same_connection(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(plus_names); i++) {
        struct buf user = {0};
        struct attempt same = {plus_names[i], "alice", NULL, "correct horse", binding, binding};
        struct attempt between = {plus_names[i],   "alice",       NULL,
                                  "correct horse", other_binding, binding};
        assert_int_equal(try(&same, &user), LOGIN_YES);
        assert_int_equal(try(&between, &user), LOGIN_NO);
        buf_done(&user);
    }
}

static void without_tls_no_mechanism_shows_a_password(void **state)
{
    (void)state;
    struct exchange *exchange = NULL;
    struct login_facts facts = {.mechanism = STR("plain")};
    assert_int_equal(sasl_usable(SASL_ALL, false, false),
                     SASL_ONE(SASL_SCRAM_SHA_256) | SASL_ONE(SASL_SCRAM_SHA_1));
    assert_int_equal(exchange_new(maker, &facts, &exchange), -95);
}

static void what_is_not_of_the_form_is_malformed(void **state)
{
    (void)state;
    struct login_facts facts = {.encrypted = true, .mechanism = STR("PLAIN")};
    struct buf challenge = {0}, user = {0};
    struct exchange *exchange = NULL;
    assert_int_equal(exchange_new(maker, &facts, &exchange), 0);
    assert_int_equal(exchange_step(exchange, STR("not base64!"), &challenge, &user),
                     LOGIN_MALFORMED);
    exchange_free(exchange);
    buf_done(&challenge);
    buf_done(&user);
}

static void a_changed_file_is_read_again(void **state)
{
    (void)state;
    struct buf fields = {0}, user = {0};
    struct attempt a = {"PLAIN", "carol", NULL, "tr0ub4dor", NULL, NULL};
    assert_int_equal(try(&a, &user), LOGIN_NO);
    assert_int_equal(verifier_make(&fields, STR("tr0ub4dor")), 0);
    assert_int_equal(user_file_change(path, USER_ADD, STR("carol"), buf_str(&fields)), 0);
    assert_int_equal(user_file_change(path, USER_ADD, STR("Carol"), buf_str(&fields)), -17);
    assert_int_equal(try(&a, &user), LOGIN_YES);
    assert_int_equal(user_file_change(path, USER_REMOVE, STR("carol"), STR("")), 0);
    assert_int_equal(user_file_change(path, USER_REMOVE, STR("carol"), STR("")), -2);
    assert_int_equal(try(&a, &user), LOGIN_NO);
    assert_int_equal(user_file_change(path, USER_ADD, STR("two words"), STR("x")), -22);
    buf_done(&fields);
    buf_done(&user);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_right_password_logs_in),
        cmocka_unit_test(a_wrong_password_or_an_unknown_name_does_not),
        cmocka_unit_test(nobody_acts_as_another),
        cmocka_unit_test(a_binding_must_be_of_the_same_connection),
        cmocka_unit_test(without_tls_no_mechanism_shows_a_password),
        cmocka_unit_test(what_is_not_of_the_form_is_malformed),
        cmocka_unit_test(a_changed_file_is_read_again),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
