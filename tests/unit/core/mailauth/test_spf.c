#include "core/mailauth/spf.h"
#include "unit/core/mailauth/zones.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

struct fixture {
    struct zone zone;
    struct arena arena;
    struct spf spf;
    size_t asked;
};

static void teardown(struct fixture *f)
{
    zone_done(&f->zone);
    arena_done(&f->arena);
}

static enum spf_result check(struct fixture *f, const struct spf_request *request)
{
    arena_done(&f->arena);
    f->arena = (struct arena){0};
    f->zone.chase = true;
    f->asked = 0;
    spf_start(&f->spf, &f->arena, request);
    for (struct dns_question question; spf_question(&f->spf, &question); f->asked++) {
        struct zone_answer answer;
        struct dns_answer given = zones_answer(&f->zone, &question, &answer);
        spf_answer(&f->spf, &given);
        buf_done(&answer.message);
        assert_true(f->asked < 300);
    }
    assert_int_not_equal(f->spf.result, SPF_OPEN);
    assert_true(f->spf.reason.len > 0);
    return f->spf.result;
}

static enum spf_result ask(struct fixture *f, const char *ip, const char *sender)
{
    struct spf_request request = {.sender = str_from_cstr(sender), .helo = STR("helo.example.net")};
    assert_true(ip_parse(str_from_cstr(ip), &request.ip));
    return check(f, &request);
}

/* The cases that say other than RFC 7208, by name, and its sentence. */
static const char *exempted(const char *name)
{
    static const struct {
        const char *name, *sentence;
    } rows[] = {
        {"all-001 All test",
         "4.6: \"If there are any syntax errors anywhere in the record, check_host() returns "
         "immediately with the result permerror\""},
        {"basic-009 DNS Lookup Limits",
         "4.6.4: \"a default of two is RECOMMENDED. Exceeding the limit produces a permerror\""},
        {"basic-018 HELO identity",
         "2.4: checked is the identity of MAIL FROM here; the HELO name's is a check of its own"},
        {"exists-002 Exists",
         "5.7: \"used for a DNS A RR lookup (even when the connection type is IPv6)\""},
        {"include-006 Include match",
         "5.2: \"none: return permerror\"; the zone has a fault at another name"},
        {"macro-004 Macro expansion 2",
         "5.7: \"used for a DNS A RR lookup (even when the connection type is IPv6)\""},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (strcmp(rows[i].name, name) == 0) {
            return rows[i].sentence;
        }
    }
    return NULL;
}

static bool expected(const json_t *results, enum spf_result result)
{
    size_t at;
    json_t *one;
    json_array_foreach(results, at, one)
    {
        if (strcmp(json_string_value(one), spf_result_name(result)) == 0) {
            return true;
        }
    }
    return false;
}

static struct str member(const json_t *object, const char *key)
{
    return str_from_cstr(json_string_value(json_object_get(object, key)));
}

static bool run_case(struct fixture *f, const json_t *one)
{
    const char *name = json_string_value(json_object_get(one, "name"));
    struct str explanation = member(one, "explanation");
    struct spf_request request = {.sender = member(one, "mailfrom"), .helo = member(one, "helo")};
    assert_true(ip_parse(member(one, "ip"), &request.ip));
    (void)check(f, &request);
    bool good = expected(json_object_get(one, "result"), f->spf.result) &&
                (explanation.len == 0 || str_eq(explanation, f->spf.explanation));
    const char *sentence = exempted(name);
    if (!good) {
        (void)printf("%s: %s (%.*s) \"%.*s\"%s%s\n", name, spf_result_name(f->spf.result),
                     STR_ARG(f->spf.reason), STR_ARG(f->spf.explanation),
                     sentence ? "; skipped: " : "", sentence ? sentence : "");
    }
    return good || sentence;
}

static void the_zones_that_others_made_give_what_they_expect(void **state)
{
    json_t *all = zones_collection("spf-stalwart.json");
    size_t at;
    size_t bad = 0;
    size_t count = 0;
    json_t *group;
    (void)state;
    json_array_foreach(all, at, group)
    {
        struct fixture f = {0};
        size_t number;
        json_t *one;
        zones_load(&f.zone, json_object_get(group, "zone"));
        json_array_foreach(json_object_get(group, "tests"), number, one)
        {
            bad += !run_case(&f, one);
            count++;
        }
        teardown(&f);
    }
    (void)printf("%zu cases of %zu zones\n", count, json_array_size(all));
    json_decref(all);
    assert_int_equal(bad, 0);
}

/* An include of an include …, `deep` of them, and at the end "+all". */
static void add_includes(struct zone *z, int deep)
{
    char line[100];
    for (int i = 0; i < deep; i++) {
        (void)snprintf(line, sizeof line, "i%d.example TXT v=spf1 include:i%d.example -all", i,
                       i + 1);
        zone_add(z, line);
    }
    (void)snprintf(line, sizeof line, "i%d.example TXT v=spf1 +all", deep);
    zone_add(z, line);
}

static void ten_lookups_are_made_and_eleven_are_not(void **state)
{
    (void)state;
    for (int over = 0; over <= 1; over++) {
        struct fixture f = {0};
        add_includes(&f.zone, SPF_LOOKUPS_MAX + over);
        assert_int_equal(ask(&f, "192.0.2.1", "a@i0.example"), over ? SPF_PERMERROR : SPF_PASS);
        assert_int_equal(f.spf.lookups, SPF_LOOKUPS_MAX);
        teardown(&f);
    }
}

static void two_things_may_be_missing_and_not_three(void **state)
{
    struct fixture f = {0};
    (void)state;
    zone_add(&f.zone, "two.example TXT v=spf1 a:gone1.example mx:gone2.example ?all");
    zone_add(&f.zone, "three.example TXT v=spf1 a:gone1.example mx:gone2.example "
                      "exists:gone3.example ?all");
    zone_add(&f.zone, "hosts.example TXT v=spf1 mx ?all");
    for (int i = 1; i <= 3; i++) {
        char line[64];
        (void)snprintf(line, sizeof line, "hosts.example MX %d gone%d.example", i, i);
        zone_add(&f.zone, line);
    }
    assert_int_equal(ask(&f, "192.0.2.1", "a@two.example"), SPF_NEUTRAL);
    assert_int_equal(ask(&f, "192.0.2.1", "a@three.example"), SPF_PERMERROR);
    assert_int_equal(ask(&f, "192.0.2.1", "a@hosts.example"), SPF_PERMERROR);
    for (int i = 1; i <= 3; i++) {
        char line[64];
        (void)snprintf(line, sizeof line, "gone%d.example A 192.0.2.%d", i, i);
        zone_add(&f.zone, line); /* they are there, though not by IPv6 */
    }
    assert_int_equal(ask(&f, "2001:db8::1", "a@hosts.example"), SPF_NEUTRAL);
    teardown(&f);
}

/* Hosts h1.example to hN.example, the last of which has 192.0.2.1. */
static void add_hosts(struct zone *z, int count, const char *type)
{
    char line[100];
    bool mx = type[0] == 'M';
    for (int i = 1; i <= count; i++) {
        if (mx) { /* the best comes last */
            (void)snprintf(line, sizeof line, "mx.example MX %d h%d.example", count - i, i);
        } else {
            (void)snprintf(line, sizeof line, "1.2.0.192.in-addr.arpa PTR h%d.example", i);
        }
        zone_add(z, line);
        (void)snprintf(line, sizeof line, "h%d.example A 192.0.2.%d", i, i == count ? 1 : i + 1);
        zone_add(z, line);
    }
    zone_add(z, "mx.example TXT v=spf1 mx -all");
}

static void ten_mx_hosts_are_asked_about_and_eleven_are_a_mistake(void **state)
{
    (void)state;
    for (int over = 0; over <= 1; over++) {
        struct fixture f = {0};
        add_hosts(&f.zone, SPF_NAMES_MAX + over, "MX");
        assert_int_equal(ask(&f, "192.0.2.2", "a@mx.example"), over ? SPF_PERMERROR : SPF_PASS);
        assert_int_equal(ask(&f, "192.0.2.1", "a@mx.example"), SPF_PASS); /* the best of them */
        teardown(&f);
    }
}

static void the_eleventh_name_of_an_address_is_not_looked_at(void **state)
{
    (void)state;
    for (int over = 0; over <= 1; over++) {
        struct fixture f = {0};
        add_hosts(&f.zone, SPF_NAMES_MAX + over, "PTR");
        zone_add(&f.zone, "top.example TXT v=spf1 ptr:%{d1} -all"); /* "example" */
        assert_int_equal(ask(&f, "192.0.2.1", "a@top.example"), over ? SPF_FAIL : SPF_PASS);
        teardown(&f);
    }
}

static const struct {
    const char *ip, *sender;
    enum spf_result result;
} results[] = {
    {"192.0.2.1", "a@plain.example", SPF_PASS},
    {"::ffff:192.0.2.1", "a@plain.example", SPF_PASS},
    {"192.0.2.9", "a@plain.example", SPF_FAIL},
    {"192.0.2.9", "plain.example", SPF_FAIL},
    {"192.0.2.9", "", SPF_SOFTFAIL}, /* of the HELO name */
    {"192.0.2.9", "@plain.example", SPF_FAIL},
    {"192.0.2.9", "a@b@plain.example", SPF_FAIL},
    {"192.0.2.1", "a@PLAIN.example.", SPF_PASS},
    {"192.0.2.1", "a@twice.example", SPF_PERMERROR},
    {"192.0.2.1", "a@nothing.example", SPF_NONE},
    {"192.0.2.1", "a@nowhere.example", SPF_NONE},
    {"192.0.2.1", "a@alone", SPF_NONE},
    {"192.0.2.1", "a@a..b", SPF_NONE},
    {"192.0.2.1", "a@[192.0.2.1]", SPF_NONE},
    {"192.0.2.1", "a@broken.example", SPF_TEMPERROR},
    {"192.0.2.1", "a@silent.example", SPF_TEMPERROR},
    {"192.0.2.1", "a@needs-broken.example", SPF_TEMPERROR},
    {"192.0.2.1", "a@redirected.example", SPF_PASS},
    {"192.0.2.9", "a@redirected.example", SPF_FAIL},
    {"192.0.2.1", "a@to-nothing.example", SPF_PERMERROR},
    {"192.0.2.1", "a@includes-nothing.example", SPF_PERMERROR},
    {"192.0.2.9", "a@includes-fail.example", SPF_SOFTFAIL},
    {"192.0.2.1", "a@excludes.example", SPF_FAIL},
    {"2001:db8::1", "a@six.example", SPF_PASS},
    {"2001:db8::2", "a@six.example", SPF_PASS}, /* "//64" */
    {"2001:db8:0:1::2", "a@six.example", SPF_NEUTRAL},
    {"192.0.2.1", "a@bad-names.example", SPF_NEUTRAL},
    {"192.0.2.1", "a@alias.example", SPF_PASS},
    {"192.0.2.1", "x\\y@odd.example", SPF_PASS},
    {"192.0.2.1", "a@named.example", SPF_PASS},
    {"192.0.2.9", "a@named.example", SPF_FAIL},
};
static const char *const published[] = {
    "plain.example TXT v=spf1 a:host.example -all",
    "plain.example TXT other text",
    "host.example A 192.0.2.1",
    "host.example AAAA 2001:db8::1",
    "helo.example.net TXT v=spf1 ~all",
    "twice.example TXT v=spf1 +all",
    "twice.example TXT v=spf1 -all",
    "nothing.example TXT v=spf10 +all",
    "needs-broken.example TXT v=spf1 a:broken.example -all",
    "redirected.example TXT v=spf1 redirect=plain.example",
    "to-nothing.example TXT v=spf1 redirect=nothing.example",
    "includes-nothing.example TXT v=spf1 include:nothing.example -all",
    "includes-fail.example TXT v=spf1 include:plain.example ~all",
    "excludes.example TXT v=spf1 -include:plain.example +all",
    "six.example TXT v=spf1 a:host.example/24//64 ?all",
    "bad-names.example TXT v=spf1 a:a..b.example exists:%{d}..%{d} mx:.example ?all",
    "alias.example CNAME plain.example",
    "odd.example TXT v=spf1 exists:%{l}.l.example -all",
    "x\\\\y.l.example A 127.0.0.2",
    "named.example TXT v=spf1 exists:%{p}.p.example -all",
    "1.2.0.192.in-addr.arpa PTR liar.example",
    "1.2.0.192.in-addr.arpa PTR host.example",
    "liar.example A 192.0.2.66",
    "host.example.p.example A 127.0.0.2",
};

static void a_result_is_what_the_record_says(void **state)
{
    struct fixture f = {0};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(published); i++) {
        zone_add(&f.zone, published[i]);
    }
    zone_break(&f.zone, "broken.example", 0, ZONE_SERVFAIL);
    zone_break(&f.zone, "silent.example", 0, ZONE_TIMEOUT);
    for (size_t i = 0; i < ARRAY_LEN(results); i++) {
        enum spf_result result = ask(&f, results[i].ip, results[i].sender);
        if (result != results[i].result) {
            (void)printf("%s %s: %s (%.*s)\n", results[i].ip, results[i].sender,
                         spf_result_name(result), STR_ARG(f.spf.reason));
        }
        assert_int_equal(result, results[i].result);
    }
    teardown(&f);
}

static void a_fail_is_explained_in_the_domains_words_or_not_at_all(void **state)
{
    struct fixture f = {0};
    static const struct {
        const char *sender, *words;
    } rows[] = {
        {"a@good.example", "a@good.example is not sent by 192.0.2.9, says good.example (%)"},
        {"a@two.example", ""},
        {"a@bad.example", ""},
        {"a@gone.example", ""},
        {"a@redirects.example",
         "a@redirects.example is not sent by 192.0.2.9, says good.example (%)"},
        {"a@includes.example", ""},
    };
    (void)state;
    zone_add(&f.zone, "good.example TXT v=spf1 -all exp=words.%{d}");
    zone_add(&f.zone, "words.good.example TXT %{s} is not sent by %{c}, says %{d} (%%)");
    zone_add(&f.zone, "two.example TXT v=spf1 -all exp=words.two.example");
    zone_add(&f.zone, "words.two.example TXT one");
    zone_add(&f.zone, "words.two.example TXT two");
    zone_add(&f.zone, "bad.example TXT v=spf1 -all exp=words.bad.example");
    zone_add(&f.zone, "words.bad.example TXT %{s");
    zone_add(&f.zone, "gone.example TXT v=spf1 -all exp=words.gone.example");
    zone_add(&f.zone, "redirects.example TXT v=spf1 redirect=good.example exp=words.bad.example");
    zone_add(&f.zone, "includes.example TXT v=spf1 include:good.example -all");
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        assert_int_equal(ask(&f, "192.0.2.9", rows[i].sender), SPF_FAIL);
        assert_true(str_eq(f.spf.explanation, str_from_cstr(rows[i].words)));
    }
    teardown(&f);
}

static void what_is_open_when_patience_ends_is_temporary(void **state)
{
    struct fixture f = {0};
    struct spf_request request = {.sender = STR("a@example.org"), .ip = {.family = IP_V4}};
    (void)state;
    spf_start(&f.spf, &f.arena, &request);
    assert_int_equal(f.spf.result, SPF_OPEN);
    spf_give_up(&f.spf);
    assert_int_equal(f.spf.result, SPF_TEMPERROR);
    struct dns_question question;
    assert_false(spf_question(&f.spf, &question));
    teardown(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_zones_that_others_made_give_what_they_expect),
        cmocka_unit_test(ten_lookups_are_made_and_eleven_are_not),
        cmocka_unit_test(two_things_may_be_missing_and_not_three),
        cmocka_unit_test(ten_mx_hosts_are_asked_about_and_eleven_are_a_mistake),
        cmocka_unit_test(the_eleventh_name_of_an_address_is_not_looked_at),
        cmocka_unit_test(a_result_is_what_the_record_says),
        cmocka_unit_test(a_fail_is_explained_in_the_domains_words_or_not_at_all),
        cmocka_unit_test(what_is_open_when_patience_ends_is_temporary),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
