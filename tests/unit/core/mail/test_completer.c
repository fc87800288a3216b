#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "core/mail/completer.h"

static const struct str standing[] = {STR_INIT("localhost"), STR_INIT("lan")};
static const struct completion hosts = {.domain = STR_INIT("o.example"),
                                        .hosts = true,
                                        .standing = standing,
                                        .standing_count = ARRAY_LEN(standing)};

static void run(const struct completion *completion, struct str in, size_t step, struct buf *out)
{
    struct completer c = {.completion = completion};
    struct str piece;
    buf_clear(out);
    for (; in.len > 0; in = str_tail(in, step)) {
        struct str part = str_head(in, step);
        while (completer_take(&c, &part, &piece)) {
            assert_true(piece.len > 0);
            buf_add(out, piece);
        }
        assert_int_equal(part.len, 0);
    }
    if (completer_end(&c, &piece)) {
        buf_add(out, piece);
    }
}

static void expect(const struct completion *completion, struct str in, struct str out)
{
    struct buf got = {0};
    for (size_t step = 1; step <= in.len + 1;
         step += step < 8 || step > in.len ? 1 : in.len / 3 + 1) {
        run(completion, in, step, &got);
        if (!str_eq(buf_str(&got), out)) {
            fail_msg("%.*s, step %zu: %.*s", STR_ARG(in), step, STR_ARG(buf_str(&got)));
        }
    }
    buf_done(&got);
}

struct row {
    struct str in, out;
};

static void names_get_the_domain_where_an_address_ends(void **state)
{
    static const struct row rows[] = {
        {STR_INIT(" jim\r\n"), STR_INIT(" jim@o.example\r\n")},
        {STR_INIT("jim"), STR_INIT("jim@o.example")},
        {STR_INIT(" jim, bob ,\r\n\tanna@x.example\r\n"),
         STR_INIT(" jim@o.example, bob@o.example ,\r\n\tanna@x.example\r\n")},
        {STR_INIT(" Jim Smith <jim>, <bob> (Bob)\r\n"),
         STR_INIT(" Jim Smith <jim@o.example>, <bob@o.example> (Bob)\r\n")},
        {STR_INIT(" jim (Jim (the) Smith, \\) <x>)\r\n (more) , bob"),
         STR_INIT(" jim@o.example (Jim (the) Smith, \\) <x>)\r\n (more) , bob@o.example")},
        {STR_INIT(" < jim\r\n >\r\n"), STR_INIT(" < jim@o.example\r\n >\r\n")},
        {STR_INIT(" jim . smith, <j.s>"), STR_INIT(" jim . smith@o.example, <j.s@o.example>")},
        {STR_INIT(" friends: jim, bob; , (x) carl\r\n"),
         STR_INIT(" friends: jim@o.example, bob@o.example; , (x) carl@o.example\r\n")},
        {STR_INIT(" \"jim\", <\"jim, or bob\">"),
         STR_INIT(" \"jim\"@o.example, <\"jim, or bob\"@o.example>")},
        {STR_INIT(" J\xc3\xb6rg <j\xc3\xb6rg>, \xe6\x9d\x8e"),
         STR_INIT(" J\xc3\xb6rg <j\xc3\xb6rg@o.example>, \xe6\x9d\x8e@o.example")},
        {STR_INIT(" =?utf-8?q?J=C3=B6rg?= <joerg>\r\n"),
         STR_INIT(" =?utf-8?q?J=C3=B6rg?= <joerg@o.example>\r\n")},
        {STR_INIT(" host!jim, jim%host"), STR_INIT(" host!jim@o.example, jim%host@o.example")},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        expect(&hosts, rows[i].in, rows[i].out);
    }
}

static void names_of_hosts_get_it_but_for_those_that_stand(void **state)
{
    static const struct row rows[] = {
        {STR_INIT(" jim@web"), STR_INIT(" jim@web.o.example")},
        {STR_INIT(" Jim <jim@Web-1>, bob @ web (x)\r\n"),
         STR_INIT(" Jim <jim@Web-1.o.example>, bob @ web.o.example (x)\r\n")},
        {STR_INIT(" a@LOCALHOST, b@Lan, c@localhost1"),
         STR_INIT(" a@LOCALHOST, b@Lan, c@localhost1.o.example")},
        {STR_INIT(" a@web., a@web.o.example, a@[192.0.2.1], a@-web, a@we_b, a@\"web\", a@web web"),
         STR_INIT(" a@web., a@web.o.example, a@[192.0.2.1], a@-web, a@we_b, a@\"web\", a@web web")},
    };
    static const struct completion names = {.domain = STR_INIT("o.example")};
    static const struct completion one_label = {.domain = STR_INIT("box"), .hosts = true};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        expect(&hosts, rows[i].in, rows[i].out);
        expect(&names, rows[i].in, rows[i].in);
    }
    expect(&one_label, STR(" jim, jim@web"), STR(" jim@box, jim@web"));
}

static void what_is_no_address_for_certain_stays(void **state)
{
    static const struct str rows[] = {
        STR_INIT(""),
        STR_INIT(" \r\n"),
        STR_INIT(" jim smith\r\n"),
        STR_INIT(" <>, jim <>"),
        STR_INIT(" undisclosed-recipients:;"),
        STR_INIT(" \"Jim Smith\""),
        STR_INIT(" =?utf-8?q?J=C3=B6rg?="),
        STR_INIT(" jim., .jim, jim..x"),
        STR_INIT(" <@a,@b:jim>, <@a:jim@web>"),
        STR_INIT(" jim\"x\", \"x\"jim"),
        STR_INIT(" jim\\, jim)"),
        STR_INIT(" @, jim@, @web"),
        STR_INIT(" <jim"),
        STR_INIT(" jim (never ends, bob"),
        STR_INIT(" \"jim, bob"),
        STR_INIT(" jim@[192.0.2.1, bob"),
        STR_INIT(" <a@x.example> <jim>, bob"),
        STR_INIT(" <a@x.example>: jim"),
        STR_INIT(" a@x.example>, jim"),
        STR_INIT(" jim\x01"),
    };
    static const struct completion nothing = {0};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        expect(&hosts, rows[i], rows[i]);
    }
    expect(&nothing, STR(" jim, jim@web"), STR(" jim, jim@web"));
}

static void add_many(struct buf *text, struct str what, size_t times)
{
    for (size_t i = 0; i < times; i++) {
        buf_add(text, what);
    }
}

static void after_a_name_so_much_is_held_and_no_more(void **state)
{
    (void)state;
    for (size_t more = 0; more <= 1; more++) {
        struct buf in = {0}, out = {0};
        buf_add(&in, STR("jim"));
        buf_add(&out, more ? STR("jim") : STR("jim@o.example"));
        add_many(&in, STR(" "), COMPLETER_HELD_MAX + more);
        add_many(&out, STR(" "), COMPLETER_HELD_MAX + more);
        buf_add(&in, STR(",bob"));
        buf_add(&out, STR(",bob@o.example"));
        expect(&hosts, buf_str(&in), buf_str(&out));
        buf_done(&in);
        buf_done(&out);
    }
}

static void a_label_of_63_octets_is_a_hosts_name_and_one_of_64_is_not(void **state)
{
    (void)state;
    for (size_t more = 0; more <= 1; more++) {
        struct buf in = {0}, out = {0};
        buf_add(&in, STR("jim@"));
        add_many(&in, STR("a"), 63 + more);
        buf_join(&out, buf_str(&in), more ? STR("") : STR(".o.example"));
        expect(&hosts, buf_str(&in), buf_str(&out));
        buf_done(&in);
        buf_done(&out);
    }
}

static void so_much_is_inserted_and_no_more(void **state)
{
    enum { INSERTED = sizeof "@o.example" - 1, NAMES = COMPLETER_INSERTED_MAX / INSERTED };
    struct buf in = {0}, out = {0};
    (void)state;
    add_many(&in, STR("a,"), NAMES + 2);
    add_many(&out, STR("a@o.example,"), NAMES);
    add_many(&out, STR("a,"), 2);
    struct buf got = {0};
    run(&hosts, buf_str(&in), 100, &got);
    assert_true(str_eq(buf_str(&got), buf_str(&out)));
    buf_done(&in);
    buf_done(&out);
    buf_done(&got);
}

static void one_field_leaves_nothing_to_the_next(void **state)
{
    static const struct str fields[] = {STR_INIT(" <jim"), STR_INIT(" \"jim"),
                                        STR_INIT(" (jim"), STR_INIT(" <a@x> <b>"),
                                        STR_INIT(" a b"),  STR_INIT(" jim@")};
    struct completer c = {.completion = &hosts};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
        struct str in = fields[i], next = STR("jim"), piece;
        while (completer_take(&c, &in, &piece)) {}
        (void)!completer_end(&c, &piece);
        assert_true(completer_take(&c, &next, &piece) && str_eq(piece, STR("jim")));
        assert_true(completer_end(&c, &piece) && str_eq(piece, STR("@o.example")));
    }
}

static enum mailbox_error envelope(const struct completion *completion, struct str text,
                                   struct buf *out)
{
    struct arena arena = {0};
    struct path path;
    struct mailbox whole;
    struct scan sc = {.rest = text};
    enum mailbox_error error = reverse_path_scan(&sc, &path);
    if (error == MAILBOX_SYNTAX) {
        sc = (struct scan){.rest = text};
        error = unqualified_path_scan(&sc, &path);
    }
    buf_clear(out);
    if (error == MAILBOX_OK) {
        error = completion_mailbox(completion, &path, &arena, &whole);
    }
    if (error == MAILBOX_OK) {
        mailbox_format(out, &whole);
    }
    arena_done(&arena);
    return error;
}

static void paths_of_an_envelope_are_made_whole(void **state)
{
    static const struct row rows[] = {
        {STR_INIT("<jim>"), STR_INIT("jim@o.example")},
        {STR_INIT("<\"jim smith\">"), STR_INIT("\"jim smith\"@o.example")},
        {STR_INIT("<jim@web>"), STR_INIT("jim@web.o.example")},
        {STR_INIT("<jim@LAN>"), STR_INIT("jim@lan")},
        {STR_INIT("<jim@x.example>"), STR_INIT("jim@x.example")},
        {STR_INIT("<jim@[192.0.2.1]>"), STR_INIT("jim@[192.0.2.1]")},
        {STR_INIT("<j\xc3\xb6rg>"), STR_INIT("j\xc3\xb6rg@o.example")},
    };
    static const struct completion nothing = {0};
    struct buf out = {0};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        assert_int_equal(envelope(&hosts, rows[i].in, &out), MAILBOX_OK);
        assert_true(str_eq(buf_str(&out), rows[i].out));
    }
    assert_int_equal(envelope(&nothing, STR("<jim>"), &out), MAILBOX_SYNTAX);
    assert_int_equal(envelope(&nothing, STR("<jim@web>"), &out), MAILBOX_OK);
    assert_true(str_eq(buf_str(&out), STR("jim@web")));
    static const struct str wrong[] = {STR_INIT("<jim"),     STR_INIT("<jim smith>"),
                                       STR_INIT("<@a:jim>"), STR_INIT("<jim.>"),
                                       STR_INIT("jim"),      STR_INIT("< >")};
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        assert_int_equal(envelope(&hosts, wrong[i], &out), MAILBOX_SYNTAX);
    }
    buf_done(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_get_the_domain_where_an_address_ends),
        cmocka_unit_test(names_of_hosts_get_it_but_for_those_that_stand),
        cmocka_unit_test(what_is_no_address_for_certain_stays),
        cmocka_unit_test(after_a_name_so_much_is_held_and_no_more),
        cmocka_unit_test(a_label_of_63_octets_is_a_hosts_name_and_one_of_64_is_not),
        cmocka_unit_test(so_much_is_inserted_and_no_more),
        cmocka_unit_test(one_field_leaves_nothing_to_the_next),
        cmocka_unit_test(paths_of_an_envelope_are_made_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
