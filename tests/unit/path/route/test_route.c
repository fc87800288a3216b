#include "path/route/route.h"

#include "core/mail/mailbox.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "bench.h"
#include "house.h"

struct asked {
    struct route_query query;
    unsigned done;
};

static void on_done(struct route_query *query)
{
    ((struct asked *)query->owner)->done++;
}

static void start(struct asked *a, struct bench *b, const struct config *config,
                  const char *address)
{
    *a = (struct asked){0};
    a->query = (struct route_query){.done = on_done,
                                    .ports = &b->ports,
                                    .config = config,
                                    .arena = &b->arena,
                                    .address = str_from_cstr(address),
                                    .sender = STR("from@sender.example"),
                                    .owner = a};
    route_start(&a->query);
    assert_int_equal(a->done, 0);
}

static const struct routing *route(struct asked *a, struct bench *b, const struct config *config,
                                   const char *address)
{
    start(a, b, config, address);
    bench_run(b);
    assert_int_equal(a->done, 1);
    return &a->query.result;
}

static void fill_zone(struct zone *z)
{
    static const char *const lines[] = {
        "two.example MX 10 b.example",
        "two.example MX 10 a.example",
        "two.example MX 5 z.example",
        "alias.example CNAME two.example",
        "plain.example A 192.0.2.80",
        "null.example MX 0 .",
        "empty.example TXT x",
        "ours.example MX 10 mx.example.org",
        "loop.example CNAME loop2.example",
        "loop2.example CNAME loop.example",
        "other.example MX 1 mx.other.example",
        "literal.example MX 1 192.0.2.7",
        "xn--bcher-kva.net MX 1 m.example",
    };
    for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
        zone_add(z, lines[i]);
    }
    zone_break(z, "broken.example", 0, ZONE_SERVFAIL);
    zone_break(z, "silent.example", 0, ZONE_TIMEOUT);
}

struct row {
    const char *address;
    enum routing_verdict verdict;
    enum hop_kind kind;
    const char *site; /* HOP; else the status */
    const char *path;
};

static const struct row rows[] = {
    {"ann@example.org", ROUTING_HOP, HOP_MAILDIR, "maildir", "/srv/example.org/ann/"},
    {"Ann+x@Example.org", ROUTING_HOP, HOP_MAILDIR, "maildir", "/srv/example.org/ann/"},
    {"\\bob@example.org", ROUTING_HOP, HOP_MAILDIR, "maildir", "/srv/example.org/bob/"},
    {"\"../x\"@xn--bcher-kva.example", ROUTING_HOP, HOP_MBOX, "mbox", "/var/mail/%2e.%2fx"},
    {"user@catch.example", ROUTING_HOP, HOP_LMTP, "lmtp:[127.0.0.1]:2424", ""},
    {"nobody@example.org", ROUTING_FAIL, 0, "5.1.1", ""},
    {"empty@example.org", ROUTING_FAIL, 0, "5.1.1", ""},
    {"x@two.example", ROUTING_HOP, HOP_SMTP, "smtp:z.example,a.example,b.example:25", ""},
    {"x@alias.example", ROUTING_HOP, HOP_SMTP, "smtp:z.example,a.example,b.example:25", ""},
    {"x@plain.example", ROUTING_HOP, HOP_SMTP, "smtp:plain.example:25", ""},
    {"x@b\xc3\xbc"
     "cher.net",
     ROUTING_HOP, HOP_SMTP, "smtp:m.example:25", ""},
    {"x@null.example", ROUTING_FAIL, 0, "5.1.10", ""},
    {"x@gone.example", ROUTING_FAIL, 0, "5.1.2", ""},
    {"x@empty.example", ROUTING_FAIL, 0, "5.4.4", ""},
    {"x@literal.example", ROUTING_FAIL, 0, "5.4.4", ""},
    {"x@ours.example", ROUTING_FAIL, 0, "5.4.6", ""},
    {"x@loop.example", ROUTING_FAIL, 0, "5.4.6", ""},
    {"x@broken.example", ROUTING_DEFER, 0, "4.4.3", ""},
    {"x@silent.example", ROUTING_DEFER, 0, "4.4.3", ""},
    {"x@[192.0.2.77]", ROUTING_HOP, HOP_SMTP, "smtp:[192.0.2.77]:25", ""},
    {"x@[IPv6:2001:db8::7]", ROUTING_HOP, HOP_SMTP, "smtp:[2001:db8::7]:25", ""},
    {"x@[other:stuff]", ROUTING_FAIL, 0, "5.1.3", ""},
    {"x@smart.example", ROUTING_HOP, HOP_SMTP, "smtp:relay.example:2525", ""},
    {"x@below.Smart.example", ROUTING_HOP, HOP_SMTP, "smtp:[192.0.2.9]:25", ""},
    {"x@verysmart.example", ROUTING_FAIL, 0, "5.1.2", ""},
    {"x@lmtp.example", ROUTING_HOP, HOP_LMTP, "lmtp:lmtp.host.example:24", ""},
    {"x@socket.example", ROUTING_HOP, HOP_LMTP_LOCAL, "lmtp:unix:/run/lmtp", "/run/lmtp"},
    {"x@asmx.example", ROUTING_HOP, HOP_SMTP, "smtp:mx.other.example:25", ""},
    {"x@hole.example", ROUTING_HOP, HOP_DISCARD, "discard", ""},
    {"x@closed.example", ROUTING_FAIL, 0, "5.7.1", ""},
    {"\\/var/mail/archive", ROUTING_HOP, HOP_MBOX, "mbox", "/var/mail/archive"},
    {"\\/var/mail/dir/", ROUTING_HOP, HOP_MAILDIR, "maildir", "/var/mail/dir/"},
    {"\\|", ROUTING_FAIL, 0, "5.3.5", ""},
    {"no address", ROUTING_FAIL, 0, "5.1.3", ""},
    {"", ROUTING_FAIL, 0, "5.1.3", ""},
};

static void check_row(const struct row *row, struct bench *b)
{
    struct asked a;
    const struct routing *r = route(&a, b, &house, row->address);
    struct str shown = r->hop.site;
    if (r->verdict != ROUTING_HOP) {
        shown = arena_format(&b->arena, "%u.%u.%u", (unsigned)r->status.class,
                             (unsigned)r->status.subject, (unsigned)r->status.detail);
        assert_true(r->text.len > 0);
    } else {
        assert_int_equal(r->hop.kind, row->kind);
        assert_true(str_eq(r->hop.path, str_from_cstr(row->path)));
    }
    if (r->verdict != row->verdict || !str_eq(shown, str_from_cstr(row->site))) {
        fail_msg("%s: verdict %d, %.*s", row->address, (int)r->verdict, STR_ARG(shown));
    }
    assert_true(r->step_count > 0);
}

static void every_address_has_its_way_or_a_reason(void **state)
{
    (void)state;
    for (int chase = 0; chase <= 1; chase++) {
        struct bench b;
        bench_init(&b);
        b.zone.chase = chase;
        fill_zone(&b.zone);
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
            check_row(&rows[i], &b);
        }
        bench_done(&b);
    }
}

static void a_list_expands_into_its_members_under_its_owner(void **state)
{
    (void)state;
    struct bench b;
    struct asked a;
    bench_init(&b);
    const struct routing *r = route(&a, &b, &house, "team@example.org");
    assert_int_equal(r->verdict, ROUTING_EXPAND);
    assert_int_equal(r->child_count, 8);
    assert_true(str_eq(r->children[0].address, STR("ann@example.org")));
    assert_true(str_eq(r->children[7].sender, STR("owner-team@example.org")));
    r = route(&a, &b, &house, "bob@example.org");
    assert_int_equal(r->child_count, 2);
    assert_int_equal(r->children[0].sender.len, 0);
    /* The mailbox itself is the end, under its plain name. */
    struct str itself = r->children[0].address;
    assert_true(str_eq(itself, STR("\\bob@example.org")));
    r = route(&a, &b, &house, itself.ptr);
    assert_int_equal(r->verdict, ROUTING_HOP);
    assert_true(str_eq(r->address, STR("bob@example.org")));
    bench_done(&b);
}

static void a_program_is_run_without_a_shell(void **state)
{
    (void)state;
    struct bench b;
    struct asked a;
    bench_init(&b);
    const struct routing *r = route(&a, &b, &house, "\\|/bin/filter  -x \"a b\" ;rm $HOME ");
    static const char *const expected[] = {"/bin/filter", "-x", "\"a", "b\"", ";rm", "$HOME"};
    assert_int_equal(r->hop.kind, HOP_PIPE);
    assert_int_equal(r->hop.argc, ARRAY_LEN(expected));
    for (size_t i = 0; i < r->hop.argc; i++) {
        assert_true(str_eq(r->hop.argv[i], str_from_cstr(expected[i])));
    }
    r = route(&a, &b, &house, "Joe+x@any.example");
    assert_int_equal(r->hop.kind, HOP_PIPE);
    assert_int_equal(r->hop.argc, 4);
    assert_true(str_eq(r->hop.argv[2], STR("joe@any.example")));
    assert_true(str_eq(r->hop.argv[3], STR("from@sender.example")));
    bench_done(&b);
}

/* "|" and "/" are atext: a client may write such a local part, and it is a name like others. */
static void a_client_cannot_name_a_program_or_a_file(void **state)
{
    (void)state;
    struct bench b;
    struct asked a;
    struct mailbox mailbox;
    bench_init(&b);
    const struct routing *r = route(&a, &b, &house, "|/bin/sh@xn--bcher-kva.example");
    assert_int_equal(r->hop.kind, HOP_MBOX);
    assert_true(str_eq(r->hop.path, STR("/var/mail/|%2fbin%2fsh")));
    r = route(&a, &b, &house, "/etc/passwd@xn--bcher-kva.example");
    assert_true(str_eq(r->hop.path, STR("/var/mail/%2fetc%2fpasswd")));
    r = route(&a, &b, &house, "|/bin/sh@example.org");
    assert_int_equal(r->verdict, ROUTING_FAIL);
    r = route(&a, &b, &house, "|/bin/sh");
    assert_int_equal(r->verdict, ROUTING_FAIL);
    /* What would be taken for an alias's is no mailbox, and so cannot come in. */
    static const char *const marked[] = {"\\ann@example.org", "\\/x@example.org",
                                         "\\|x@example.org"};
    for (size_t i = 0; i < ARRAY_LEN(marked); i++) {
        assert_int_not_equal(mailbox_parse(str_from_cstr(marked[i]), &mailbox), MAILBOX_OK);
    }
    bench_done(&b);
}

static void nothing_leaves_the_sandbox(void **state)
{
    (void)state;
    struct bench b;
    struct asked a;
    struct config_domain all[] = {
        {.name = STR_INIT("*"),
         .mailboxes = {.kind = MAILBOX_MAILDIR, .path = STR_INIT("data/{domain}/{local}/")},
         .any_user = true,
         .tag_separator = '+'}};
    struct config config = {.sandbox = true, .domains = all, .domain_count = 1};
    bench_init(&b);
    fill_zone(&b.zone);
    const struct routing *r = route(&a, &b, &config, "x@two.example");
    assert_int_equal(r->hop.kind, HOP_MAILDIR);
    assert_true(str_eq(r->hop.path, STR("data/two.example/x/")));
    config.domain_count = 0;
    r = route(&a, &b, &config, "x@two.example");
    assert_int_equal(r->verdict, ROUTING_FAIL);
    assert_int_equal(b.resolver.asked, 0);
    bench_done(&b);
}

static void equal_hosts_are_shuffled_but_share_one_site(void **state)
{
    (void)state;
    struct bench b;
    struct asked a;
    unsigned first = 0;
    bench_init(&b);
    fill_zone(&b.zone);
    for (int i = 0; i < 100; i++) {
        const struct routing *r = route(&a, &b, &house, "x@two.example");
        assert_int_equal(r->hop.host_count, 3);
        assert_true(str_eq(r->hop.hosts[0].name, STR("z.example")));
        assert_true(str_eq(r->hop.site, STR("smtp:z.example,a.example,b.example:25")));
        first += str_eq(r->hop.hosts[1].name, STR("a.example"));
    }
    assert_in_range(first, 25, 75);
    bench_done(&b);
}

static void a_cancelled_routing_is_silent(void **state)
{
    (void)state;
    static const char *const addresses[] = {"x@two.example", "ann@example.org", "x@plain.example"};
    for (size_t i = 0; i < ARRAY_LEN(addresses); i++) {
        for (int steps = 0; steps <= 2; steps++) {
            struct bench b;
            struct asked a;
            bench_init(&b);
            fill_zone(&b.zone);
            start(&a, &b, &house, addresses[i]);
            for (int step = 0; step < steps && !a.done; step++) {
                (void)bench_step(&b);
            }
            unsigned done = a.done;
            route_cancel(&a.query);
            route_cancel(&a.query);
            bench_run(&b);
            assert_int_equal(a.done, done);
            bench_done(&b);
        }
    }
}

static bool has_step(const struct routing *r, const char *text)
{
    for (size_t i = 0; i < r->step_count; i++) {
        if (str_find_str(r->steps[i].what, str_from_cstr(text)) != STR_NONE) {
            return true;
        }
    }
    return false;
}

static void every_step_is_told(void **state)
{
    (void)state;
    struct bench b;
    struct asked a;
    bench_init(&b);
    fill_zone(&b.zone);
    const struct routing *r = route(&a, &b, &house, "x@alias.example");
    assert_true(has_step(r, "alias.example is an alias (CNAME) of two.example"));
    assert_true(has_step(r, "two.example has MX 10 a.example"));
    assert_true(has_step(r, "x@alias.example goes by SMTP to z.example, then "));
    r = route(&a, &b, &house, "x@smart.example");
    assert_true(has_step(r, "the transport for \"smart.example\" applies"));
    r = route(&a, &b, &house, "team@example.org");
    assert_true(has_step(r, "owner-team@example.org"));
    bench_done(&b);
}

/* What holds for a recipient's whole domain is not asked for again for the next one. */
static void only_domains_of_others_have_one_way_for_all(void **state)
{
    (void)state;
    static const struct {
        const char *address;
        bool whole;
    } cases[] = {
        {"x@two.example", true},       {"x@gone.example", true},      {"x@smart.example", true},
        {"x@broken.example", true},    {"x@socket.example", true},    {"ann@example.org", false},
        {"nobody@example.org", false}, {"user@catch.example", false}, {"\\x@two.example", false},
        {"no address", false},         {"\\/a/file", false},
    };
    struct bench b;
    struct asked a;
    bench_init(&b);
    fill_zone(&b.zone);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        if (route(&a, &b, &house, cases[i].address)->whole_domain != cases[i].whole) {
            fail_msg("%s", cases[i].address);
        }
    }
    bench_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_domains_of_others_have_one_way_for_all),
        cmocka_unit_test(every_address_has_its_way_or_a_reason),
        cmocka_unit_test(a_list_expands_into_its_members_under_its_owner),
        cmocka_unit_test(a_program_is_run_without_a_shell),
        cmocka_unit_test(a_client_cannot_name_a_program_or_a_file),
        cmocka_unit_test(nothing_leaves_the_sandbox),
        cmocka_unit_test(equal_hosts_are_shuffled_but_share_one_site),
        cmocka_unit_test(a_cancelled_routing_is_silent),
        cmocka_unit_test(every_step_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
