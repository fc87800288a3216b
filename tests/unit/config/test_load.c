#include "config/defaults.h"
#include "config/file.h"
#include "config/load.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static int load(const char *text, struct config **config, struct config_problems *problems)
{
    struct config_source source = {.file = STR("/f.yaml"),
                                   .text = str_from_cstr(text),
                                   .hostname = STR("host.example"),
                                   .text_only = true};
    return config_load(&source, config, problems);
}

static void refused(const char *text, const char *problem)
{
    struct config_problems problems = {0};
    struct config *config = NULL;
    assert_int_not_equal(load(text, &config, &problems), 0);
    struct str first = config_problems_first(&problems);
    if (!str_eq(first, str_from_cstr(problem))) {
        fail_msg("%s\n%.*s", problem, STR_ARG(first));
    }
    config_problems_done(&problems);
}

static void every_problem_is_told_with_its_place(void **state)
{
    static const struct {
        const char *text;
        const char *problem;
    } rows[] = {
        {"hostnam: x", "/f.yaml:1:1: error: unknown key \"hostnam\"; did you mean \"hostname\"?"},
        {"limits:\n  message: 5 apples",
         "/f.yaml:2:12: error: expected a size like 50MiB, at least "
         "65536 octets, not \"5 apples\""},
        {"policy: {helo: maybe}", "/f.yaml:1:16: error: expected note or reject, not \"maybe\""},
        {"queue:\n  retry: []", "/f.yaml:2:10: error: expected at least one time, like [5m, 1h]"},
        {"transports: [{match: \"smtp://x\", to: mx}]",
         "/f.yaml:1:22: error: expected a domain, .domain for its subdomains, or *, not "
         "\"smtp://x\""},
        {"deliver: {tls: [{match: \"[::\", policy: may}]}",
         "/f.yaml:1:25: error: expected a domain, .domain for its subdomains, or *, not \"[::\""},
        {"# one\n# \xff", "/f.yaml:2:3: error: this is no YAML: invalid leading UTF-8 octet"},
        {"listen: [{address: nowhere}]", "/f.yaml:1:20: error: expected an address and port like "
                                         "0.0.0.0:25 or [::]:25, not \"nowhere\""},
        {"loops: 1\nloops: 2",
         "/f.yaml:2:1: error: \"loops\" stands here a second time (first in line 1)"},
        {"tls: {certificates: [{key: k.pem}]}",
         "/f.yaml:1:22: error: expected {certificate: FILE, key: FILE}"},
        {"deliver: {tls: [{policy: encrypt}]}",
         "/f.yaml:1:17: error: a rule needs `match` and `policy`"},
        {"deliver: {tls: [{match: a.example, policy: verify, names: [\"[192.0.2.1]\"]}]}",
         "/f.yaml:1:60: error: expected a host's name, as certificates bear it"},
        {"deliver: {tls: [{match: a.example, policy: may, names: [a.example]}]}",
         "/f.yaml:1:17: error: `names` are looked at with `policy: verify` only"},
        {"deliver: {tls: [{match: a.example, policy: fingerprint}]}",
         "/f.yaml:1:17: error: `policy: fingerprint` and `fingerprints` need each other"},
        {"deliver: {tls: [{match: a.example, policy: fingerprint, fingerprints: [\"00:11\"]}]}",
         "/f.yaml:1:72: error: expected the SHA-256 of a certificate or a public key: 64 "
         "hexadecimal digits"},
        {"dkim: [{domain: a.example, selector: s}]",
         "/f.yaml:1:8: error: expected {domain: NAME, selector: NAME, key: FILE}"},
        {"dkim: [{domain: a b, selector: s, key: k}]",
         "/f.yaml:1:17: error: expected a name of the DNS"},
        {"dkim: [{domain: a.example, selector: s, key: k},\n"
         " {domain: A.example, selector: S, key: l}]",
         "/f.yaml:2:2: error: a.example has a key with the selector s already"},
        {"dkim: [{domain: a.example, selector: s, key: k, fields: [To, Subject]}]",
         "/f.yaml:1:57: error: From must be signed (RFC 6376 5.4)"},
        {"dkim: [{domain: a.example, selector: s, key: k, fields: [From, \"a: b\"]}]",
         "/f.yaml:1:64: error: expected a header field's name"},
        {"networks: [\"0.0.0.0/0\"]",
         "/f.yaml: error: the network 0.0.0.0/0 would make this server an open relay; list the "
         "networks of your own, or say `relay: open-relay-i-know`"},
        {"domains: {\"*\": {}}",
         "/f.yaml:1:11: error: \"*\" would take mail for all the world: list "
         "your own domains"},
        {"- a list", "/f.yaml:1:1: error: expected keys and their values"},
        {"a: [", "/f.yaml:2:1: error: this is no YAML: did not find expected node content while "
                 "parsing a flow node"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        refused(rows[i].text, rows[i].problem);
    }
}

static void all_problems_are_told_at_once(void **state)
{
    struct config_problems problems = {0};
    struct config *config = NULL;
    (void)state;
    assert_int_not_equal(load("a: 1\nb: 2\nlimits: {message: x, errors: 0}\n", &config, &problems),
                         0);
    assert_int_equal(problems.errors, 4);
    config_problems_done(&problems);
}

static void an_open_relay_by_words_is_warned_of(void **state)
{
    struct config_problems problems = {0};
    struct config *config = NULL;
    (void)state;
    assert_int_equal(load("relay: open-relay-i-know\n", &config, &problems), 0);
    assert_int_equal(problems.count, 1);
    assert_true(problems.list[0].warning);
    assert_int_equal(config->relay, RELAY_OPEN);
    config_drop(config);
    config_problems_done(&problems);
}

static void anchors_cannot_multiply_without_end(void **state)
{
    struct buf text = {0};
    struct config_problems problems = {0};
    struct config *config = NULL;
    (void)state;
    buf_add(&text, STR("domains:\n  a0.example: &d {users: &u ["));
    for (int i = 0; i < 2000; i++) {
        buf_add_format(&text, "u%d, ", i);
    }
    buf_add(&text, STR("z]}\n"));
    for (int i = 1; i < 2000; i++) {
        buf_add_format(&text, "  a%d.example: *d\n", i);
    }
    buf_put_u8(&text, 0);
    assert_int_not_equal(load(text.ptr, &config, &problems), 0);
    config_problems_done(&problems);
    buf_done(&text);
}

static void the_example_documents_the_defaults(void **state)
{
    struct buf text = {0};
    struct config_problems problems = {0};
    struct config *example = NULL;
    struct config *defaults = config_new();
    (void)state;
    assert_int_equal(file_read(STR(SOURCE_DIR "/postrider.example.yaml"), 1 << 20, &text), 0);
    buf_put_u8(&text, 0);
    if (load(text.ptr, &example, &problems) != 0) {
        fail_msg("%.*s", STR_ARG(config_problems_first(&problems)));
    }
    assert_int_equal(problems.count, 0);
    assert_memory_equal(&example->limits, &defaults->limits, sizeof example->limits);
    assert_memory_equal(&example->deliver, &defaults->deliver, sizeof example->deliver);
    assert_true(str_eq(example->spool_path, defaults->spool_path));
    assert_true(str_eq(example->control_path, defaults->control_path));
    assert_int_equal(example->spool_reserve, defaults->spool_reserve);
    assert_int_equal(example->queue.expire.us, defaults->queue.expire.us);
    assert_int_equal(example->queue.delay_notice.us, defaults->queue.delay_notice.us);
    assert_int_equal(example->queue.history.us, defaults->queue.history.us);
    assert_int_equal(example->queue.history_size, defaults->queue.history_size);
    assert_int_equal(example->queue.active, defaults->queue.active);
    assert_int_equal(example->queue.site_connections, defaults->queue.site_connections);
    assert_int_equal(example->queue.retry_count, defaults->queue.retry_count);
    for (size_t i = 0; i < defaults->queue.retry_count; i++) {
        assert_int_equal(example->queue.retry[i].us, defaults->queue.retry[i].us);
    }
    assert_int_equal(example->listen_count, defaults->listen_count);
    assert_int_equal(example->listens[0].at.port, defaults->listens[0].at.port);
    assert_int_equal(example->network_count, defaults->network_count);
    assert_int_equal(example->log_level, defaults->log_level);
    assert_int_equal(example->helo, defaults->helo);
    assert_int_equal(example->complete.what, defaults->complete.what);
    assert_int_equal(example->complete.whose, defaults->complete.whose);
    assert_int_equal(example->vrfy, defaults->vrfy);
    assert_int_equal(example->line_endings, defaults->line_endings);
    assert_int_equal(example->loops, defaults->loops);
    config_drop(example);
    config_drop(defaults);
    config_problems_done(&problems);
    buf_done(&text);
}

static void a_user_has_his_own_limits_and_else_those_of_everybody(void **state)
{
    struct config *c = NULL;
    struct config_problems problems = {0};
    (void)state;
    assert_int_equal(load("users:\n"
                          "  limits:\n"
                          "    for: {Zoe: {messages: 0}, anna: {size: 1MiB, recipients: 7}}\n"
                          "    messages: 20\n",
                          &c, &problems),
                     0);
    static const struct {
        struct str user;
        struct config_user_limits limits;
    } rows[] = {
        {STR_INIT("ben"), {.an_hour = {{20, 2000}}}},
        {STR_INIT(""), {.an_hour = {{20, 2000}}}},
        {STR_INIT("ANNA"), {.an_hour = {{20, 7}}, .size = 1 << 20}},
        {STR_INIT("anna "), {.an_hour = {{20, 7}}, .size = 1 << 20}},
        {STR_INIT("zoe"), {.an_hour = {{0, 2000}}}},
        {STR_INIT("zoey"), {.an_hour = {{20, 2000}}}},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct config_user_limits *found = config_find_user_limits(c, rows[i].user);
        assert_int_equal(found->size, rows[i].limits.size);
        assert_memory_equal(&found->an_hour, &rows[i].limits.an_hour, sizeof found->an_hour);
    }
    config_drop(c);
    config_problems_done(&problems);
}

static void limits_of_users_that_make_no_sense_are_refused(void **state)
{
    (void)state;
    refused("users: {limits: {messages: 1000000001}}",
            "/f.yaml:1:28: error: expected a number from 0 to 1000000000, not \"1000000001\"");
    refused("users: {limits: {for: {anna: {sizes: 1}}}}",
            "/f.yaml:1:31: error: unknown key \"sizes\"; did you mean \"size\"?");
    refused("users: {limits: {for: {anna: {}, ANNA: {}}}}",
            "/f.yaml:1:23: error: anna is there twice");
}

static void completes(const char *text, const char *domain, bool hosts, const char *standing)
{
    struct config_problems problems = {0};
    struct config *c = NULL;
    struct buf names = {0};
    assert_int_equal(load(text, &c, &problems), 0);
    for (size_t i = 0; i < c->completion.standing_count; i++) {
        buf_join(&names, c->completion.standing[i], STR(" "));
    }
    if (!str_eq(c->completion.domain, str_from_cstr(domain)) || c->completion.hosts != hosts ||
        !str_eq(buf_str(&names), str_from_cstr(standing))) {
        fail_msg("%s: %.*s, %.*s", text, STR_ARG(c->completion.domain), STR_ARG(buf_str(&names)));
    }
    buf_done(&names);
    config_drop(c);
    config_problems_done(&problems);
}

#define BOX ": {mailboxes: \"discard:\"}, "

static void addresses_get_the_domain_that_the_host_is_in(void **state)
{
    (void)state;
    completes("{}", "host.example", true, "localhost ");
    completes("domains: {only.example" BOX "}", "only.example", true, "localhost ");
    completes("domains: {a.example" BOX "b.example" BOX "}", "host.example", true, "localhost ");
    completes("{hostname: mx.b.example, domains: {a.example" BOX "b.example" BOX
              "mx.b.example.x" BOX "}}",
              "b.example", true, "localhost ");
    completes("{hostname: mxb.example, domains: {a.example" BOX "b.example" BOX "}}", "mxb.example",
              true, "localhost ");
    completes("{domains: {lan" BOX
              "}, transports: [{match: home, to: \"discard:\"}, {match: \"*\", to: \"discard:\"}]}",
              "lan", true, "localhost lan home ");
    completes("policy: {complete: {domain: X.example, addresses: names}}", "x.example", false,
              "localhost ");
    completes("policy: {complete: {domain: x.example, addresses: off}}", "", false, "localhost ");
}

static void the_sandbox_takes_all_and_sends_nothing(void **state)
{
    struct config *c = config_sandbox(STR("/data"), STR("host"));
    (void)state;
    assert_non_null(c);
    assert_true(c->sandbox);
    assert_int_equal(c->listens[0].at.port, 2525);
    assert_non_null(config_find_domain(c, STR("any.example")));
    assert_true(str_eq(c->domains[0].mailboxes.path, STR("/data/{domain}/{local}/")));
    config_drop(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_problem_is_told_with_its_place),
        cmocka_unit_test(all_problems_are_told_at_once),
        cmocka_unit_test(an_open_relay_by_words_is_warned_of),
        cmocka_unit_test(anchors_cannot_multiply_without_end),
        cmocka_unit_test(the_example_documents_the_defaults),
        cmocka_unit_test(a_user_has_his_own_limits_and_else_those_of_everybody),
        cmocka_unit_test(limits_of_users_that_make_no_sense_are_refused),
        cmocka_unit_test(addresses_get_the_domain_that_the_host_is_in),
        cmocka_unit_test(the_sandbox_takes_all_and_sends_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
