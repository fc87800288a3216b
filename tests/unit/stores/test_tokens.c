/* What a server says of a token, and what is kept of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "stores/token_answer.h"
#include "stores/token_cache.h"

enum { NOW = 1000 };

#define ANY                                                                                        \
    {                                                                                              \
        .claim = STR_INIT("username")                                                              \
    }
#define STRICT                                                                                     \
    {                                                                                              \
        .claim = STR_INIT("email"), .scope = STR_INIT("mail send"), .audience = STR_INIT("us"),    \
        .issuer = STR_INIT("https://i")                                                            \
    }
#define GOOD                                                                                       \
    "\"email\":\"a@x\",\"scope\":\"send x mail\",\"aud\":[\"y\",\"us\"],\"iss\":\"https://i\""

static const struct {
    struct config_store rules;
    struct str json;
    enum token_verdict verdict;
    int64_t until;
} rows[] = {
    {ANY, STR_INIT("{\"active\":true,\"username\":\"a\"}"), TOKEN_GOOD, INT64_MAX},
    {ANY, STR_INIT("{\"active\":true,\"username\":\"a\",\"exp\":1001}"), TOKEN_GOOD, 1001},
    {ANY, STR_INIT("{\"active\":true,\"username\":\"a\",\"exp\":1001.9}"), TOKEN_GOOD, 1001},
    {ANY, STR_INIT("{\"active\":true,\"username\":\"a\",\"exp\":1000}"), TOKEN_BAD, 0},
    {ANY, STR_INIT("{\"active\":true,\"username\":\"a\",\"exp\":-1}"), TOKEN_BAD, 0},
    {ANY, STR_INIT("{\"active\":true,\"username\":\"a\",\"exp\":1e300}"), TOKEN_NONSENSE, 0},
    {ANY, STR_INIT("{\"active\":true,\"username\":\"a\",\"exp\":\"1001\"}"), TOKEN_NONSENSE, 0},
    {ANY, STR_INIT("{\"active\":true,\"username\":\"a\",\"nbf\":1000}"), TOKEN_GOOD, INT64_MAX},
    {ANY, STR_INIT("{\"active\":true,\"username\":\"a\",\"nbf\":1001}"), TOKEN_BAD, 0},
    {ANY, STR_INIT("{\"active\":true}"), TOKEN_BAD, 0},
    {ANY, STR_INIT("{\"active\":false,\"username\":\"a\"}"), TOKEN_BAD, 0},
    {ANY, STR_INIT("{\"active\":1,\"username\":\"a\"}"), TOKEN_NONSENSE, 0},
    {ANY, STR_INIT("{\"username\":\"a\"}"), TOKEN_NONSENSE, 0},
    {ANY, STR_INIT("[]"), TOKEN_NONSENSE, 0},
    {ANY, STR_INIT(""), TOKEN_NONSENSE, 0},
    {ANY, STR_INIT("{\"active\":false,\"active\":true,\"username\":\"a\"}"), TOKEN_NONSENSE, 0},
    {STRICT, STR_INIT("{\"active\":true," GOOD "}"), TOKEN_GOOD, INT64_MAX},
    {STRICT, STR_INIT("{\"active\":true,\"email\":\"a@x\",\"aud\":\"us\",\"iss\":\"https://i\"}"),
     TOKEN_BAD, 0},
    {STRICT,
     STR_INIT("{\"active\":true,\"email\":\"a@x\",\"scope\":\"mail sender\",\"aud\":\"us\","
              "\"iss\":\"https://i\"}"),
     TOKEN_BAD, 0},
    {STRICT,
     STR_INIT("{\"active\":true,\"email\":\"a@x\",\"scope\":\"mail send\",\"aud\":[\"usa\"],"
              "\"iss\":\"https://i\"}"),
     TOKEN_BAD, 0},
    {STRICT,
     STR_INIT("{\"active\":true,\"email\":\"a@x\",\"scope\":\"mail send\",\"aud\":\"us\","
              "\"iss\":\"https://j\"}"),
     TOKEN_BAD, 0},
};

static void a_token_is_good_only_if_all_that_is_asked_is_there(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct buf user = {0};
        int64_t until = 0;
        enum token_verdict verdict = token_judge(rows[i].json, &rows[i].rules, NOW, &user, &until);
        assert_int_equal(verdict, rows[i].verdict);
        if (verdict == TOKEN_GOOD) {
            assert_true(until == rows[i].until);
            assert_true(str_starts(buf_str(&user), STR("a")));
        }
        buf_done(&user);
    }
}

static void a_token_is_known_until_its_end_and_no_longer(void **state)
{
    (void)state;
    struct token_cache *cache = token_cache_new();
    struct buf user = {0};
    assert_non_null(cache);
    token_cache_keep(cache, STR("token"), STR("anna"), NOW + 1);
    assert_true(token_cache_find(cache, STR("token"), NOW, &user));
    assert_true(str_eq(buf_str(&user), STR("anna")));
    assert_false(token_cache_find(cache, STR("token"), NOW + 1, &user));
    assert_false(token_cache_find(cache, STR("Token"), NOW, &user));
    assert_false(token_cache_find(cache, STR(""), NOW, &user));
    token_cache_keep(cache, STR("token"), STR("ben"), NOW + 2);
    buf_clear(&user);
    assert_true(token_cache_find(cache, STR("token"), NOW + 1, &user));
    assert_true(str_eq(buf_str(&user), STR("ben")));
    buf_done(&user);
    token_cache_free(cache);
}

static void a_name_that_is_too_long_is_not_kept(void **state)
{
    (void)state;
    static char name[256];
    struct token_cache *cache = token_cache_new();
    struct buf user = {0};
    assert_non_null(cache);
    token_cache_keep(cache, STR("token"), str_from(name, 256), NOW + 1);
    assert_false(token_cache_find(cache, STR("token"), NOW, &user));
    token_cache_keep(cache, STR("token"), str_from(name, 255), NOW + 1);
    assert_true(token_cache_find(cache, STR("token"), NOW, &user));
    assert_int_equal(user.len, 255);
    buf_done(&user);
    token_cache_free(cache);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_token_is_good_only_if_all_that_is_asked_is_there),
        cmocka_unit_test(a_token_is_known_until_its_end_and_no_longer),
        cmocka_unit_test(a_name_that_is_too_long_is_not_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
