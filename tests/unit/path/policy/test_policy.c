#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "path/policy/policy.h"

static struct network networks[1];
static struct alias_target members[] = {{ALIAS_ADDRESS, STR_INIT("ann")},
                                        {ALIAS_ADDRESS, STR_INIT("x@far.example")},
                                        {ALIAS_PIPE, STR_INIT("|/bin/archive")}};
static struct alias aliases[] = {{STR_INIT("staff"), members, 3}};
static struct config_user users[] = {{STR_INIT("ann"), STR_INIT("Ann Smith")},
                                     {STR_INIT("bob"), STR_INIT("Bob Smith")}};
static struct config_user more_users[] = {{STR_INIT("ann"), STR_INIT("Ann Jones")}};
static struct config_domain domains[] = {
    {.name = STR_INIT("one.example"),
     .users = users,
     .user_count = 2,
     .aliases = aliases,
     .alias_count = 1,
     .tag_separator = '+'},
    {.name = STR_INIT("two.example"), .users = more_users, .user_count = 1, .tag_separator = '+'},
};
static struct config config;

static struct policy_client client(const char *ip)
{
    config = (struct config){.hostname = STR("mx.one.example"),
                             .domains = domains,
                             .domain_count = 2,
                             .networks = networks,
                             .network_count = 1};
    assert_true(network_parse(STR("10.0.0.0/8"), &networks[0]));
    struct policy_client c = {.config = &config, .mode = LISTEN_MX};
    assert_true(ip_parse(str_from_cstr(ip), &c.ip));
    return c;
}

static enum answer rcpt(const struct policy_client *c, struct str address, struct arena *arena,
                        struct str *found)
{
    struct scan sc = {.rest = address};
    struct path path;
    assert_int_equal(forward_path_scan(&sc, &path), MAILBOX_OK);
    return policy_rcpt(c, &path, arena, found);
}

static void only_own_networks_relay(void **state)
{
    (void)state;
    struct arena arena = {0};
    struct str found = {0};
    struct policy_client stranger = client("192.0.2.1");
    assert_int_equal(rcpt(&stranger, STR("<x@far.example>"), &arena, &found), ANSWER_RELAY_DENIED);
    assert_int_equal(rcpt(&stranger, STR("<ann@One.example>"), &arena, &found), ANSWER_RCPT_OK);
    assert_true(str_eq(found, STR("ann@one.example")));
    assert_int_equal(rcpt(&stranger, STR("<no@one.example>"), &arena, &found), ANSWER_NO_SUCH_USER);
    assert_int_equal(rcpt(&stranger, STR("<staff@one.example>"), &arena, &found), ANSWER_RCPT_OK);
    assert_int_equal(rcpt(&stranger, STR("<Postmaster>"), &arena, &found), ANSWER_RCPT_OK);
    assert_true(str_eq(found, STR("postmaster@one.example")));
    config.relay = RELAY_OPEN;
    assert_int_equal(rcpt(&stranger, STR("<x@far.example>"), &arena, &found), ANSWER_RCPT_OK);
    struct policy_client own = client("::ffff:10.1.2.3");
    assert_int_equal(rcpt(&own, STR("<x@far.example>"), &arena, &found), ANSWER_RCPT_OK);
    arena_done(&arena);
}

static void a_lie_in_helo_costs_what_the_configuration_says(void **state)
{
    (void)state;
    struct policy_client c = client("192.0.2.1");
    c.helo = HELO_ELSEWHERE;
    assert_int_equal(policy_mail(&c, STR("me@example.net")), ANSWER_OK);
    config.helo = HELO_REJECT;
    assert_int_equal(policy_mail(&c, STR("me@example.net")), ANSWER_HELO_LIE);
    c.helo = HELO_TEMPORARY;
    assert_int_equal(policy_mail(&c, STR("me@example.net")), ANSWER_OK);
    c.mode = LISTEN_SUBMISSION;
    assert_int_equal(policy_mail(&c, STR("me@example.net")), ANSWER_SUBMIT_FIRST);
}

static bool has(struct smtp_reply reply, uint16_t code, const char *text)
{
    return reply.code == code && str_find_str(reply.text, str_from_cstr(text)) != STR_NONE;
}

static void vrfy_and_expn_answer_whom_they_may(void **state)
{
    (void)state;
    struct arena a = {0};
    struct policy_client c = client("10.0.0.1");
    assert_true(has(policy_vrfy(&c, STR("ann"), false, &a), 252, ""));
    assert_true(has(policy_expn(&c, STR("staff"), false, &a), 502, ""));
    config.vrfy = ASK_NETWORKS;
    config.expn = ASK_NETWORKS;
    assert_true(has(policy_vrfy(&c, STR("ann"), false, &a), 553, "<ann@two.example>"));
    assert_true(has(policy_vrfy(&c, STR("bob"), false, &a), 250, "Bob Smith <bob@one.example>"));
    assert_true(has(policy_vrfy(&c, STR("Ann Jones"), false, &a), 250, "<ann@two.example>"));
    assert_true(has(policy_vrfy(&c, STR("<ann@one.example>"), false, &a), 250, "Ann Smith <"));
    assert_true(has(policy_vrfy(&c, STR("no@one.example"), false, &a), 550, ""));
    assert_true(has(policy_vrfy(&c, STR("nobody"), false, &a), 550, ""));
    assert_true(has(policy_vrfy(&c, STR("x@far.example"), false, &a), 252, ""));
    assert_true(has(policy_expn(&c, STR("staff"), false, &a), 250,
                    "<ann@one.example>\n<x@far.example>\n(a program)"));
    assert_true(has(policy_expn(&c, STR("staff@one.example"), false, &a), 250, "<ann@"));
    assert_true(has(policy_expn(&c, STR("bob"), false, &a), 550, ""));
    c.ip.bytes[0] = 11;
    assert_true(has(policy_vrfy(&c, STR("bob"), false, &a), 252, ""));
    arena_done(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_own_networks_relay),
        cmocka_unit_test(a_lie_in_helo_costs_what_the_configuration_says),
        cmocka_unit_test(vrfy_and_expn_answer_whom_they_may),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
