#include "config/aliases.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

/* Lists by their paths: "/loop" includes itself, "/deep/N" includes "/deep/N+1", "/gone" is not
 * there, any other holds what `text` says. */
struct lists {
    struct aliases_reader reader;
    const char *text;
};

static int read_list(struct aliases_reader *reader, struct str path, struct buf *out)
{
    if (str_eq(path, STR("/gone"))) {
        return -ENOENT;
    }
    if (str_eq(path, STR("/loop"))) {
        buf_add(out, STR(":include:/loop\n"));
    } else if (str_starts(path, STR("/deep/"))) {
        buf_add_format(out, ":include:%.*sx\nend@c.example\n", STR_ARG(path));
    } else {
        buf_add(out, str_from_cstr(CONTAINER_OF(reader, struct lists, reader)->text));
    }
    return 0;
}

struct parsed {
    struct arena arena;
    struct config_domain domain;
    struct config_problems problems;
};

static void parse(struct parsed *p, const char *text, const char *list)
{
    struct lists lists = {{read_list}, list};
    struct aliases_input input = {STR("/a"), str_from_cstr(text), &lists.reader};
    *p = (struct parsed){.domain = {.name = STR("b.example")}};
    aliases_parse(&input, &p->arena, &p->domain, &p->problems);
}

static void parsed_done(struct parsed *p)
{
    config_problems_done(&p->problems);
    arena_done(&p->arena);
}

/* All aliases as "name=kind:target,...;". */
static void assert_aliases(const char *text, const char *list, const char *want)
{
    struct parsed p;
    struct buf out = {0};
    parse(&p, text, list);
    if (p.problems.errors > 0) {
        fail_msg("%s\n%.*s", text, STR_ARG(config_problems_first(&p.problems)));
    }
    for (size_t i = 0; i < p.domain.alias_count; i++) {
        buf_add_format(&out, "%.*s=", STR_ARG(p.domain.aliases[i].name));
        for (size_t k = 0; k < p.domain.aliases[i].target_count; k++) {
            struct alias_target t = p.domain.aliases[i].targets[k];
            buf_add_format(&out, "%s%c:%.*s", k ? "," : "", "AFP"[t.kind], STR_ARG(t.text));
        }
        buf_add_char(&out, ';');
    }
    if (!str_eq(buf_str(&out), str_from_cstr(want))) {
        fail_msg("%s\n%.*s\n%s", text, STR_ARG(out), want);
    }
    buf_done(&out);
    parsed_done(&p);
}

static void entries_are_read_as_aliases_5_has_them(void **state)
{
    (void)state;
    assert_aliases("", "", "");
    assert_aliases("# only a comment\n\n  # another\n", "", "");
    assert_aliases("Root: a\n", "", "root=A:a;");
    assert_aliases("z: b\na: c@d.example", "", "a=A:c@d.example;z=A:b;");
    assert_aliases("a: b,\r\n c ,\r\n\td\r\n# x\r\n e\r\n", "", "a=A:b,A:c,A:d,A:e;");
    assert_aliases("a: b,,c,\n", "", "a=A:b,A:c;");
    assert_aliases("a: Name One <x@y.example>, <z>, \"N, M\" <q@r.example>\n", "",
                   "a=A:x@y.example,A:z,A:q@r.example;");
    assert_aliases("a: b (a comment, (nested)), c\n", "", "a=A:b,A:c;");
    assert_aliases("a: \\a, b\n", "", "a=A:\\a,A:b;");
    assert_aliases("A@B.Example: c\n", "", "a@b.example=A:c;");
    assert_aliases("\"A b:c\": d\n", "", "a b:c=A:d;");
    assert_aliases("a: /dev/null, /m/x/, |/bin/p -x y, \"|/bin/q a b\", |\"/bin/r z\"\n", "",
                   "a=F:/dev/null,F:/m/x/,P:/bin/p -x y,P:/bin/q a b,P:/bin/r z;");
    assert_aliases("a: b@[192.0.2.1], c@[IPv6:::1]\n", "", "a=A:b@[192.0.2.1],A:c@[IPv6:::1];");
    assert_aliases("\xef\xbb\xbf"
                   "a: b\n",
                   "", "a=A:b;");
}

static void lists_are_laid_in(void **state)
{
    (void)state;
    assert_aliases("a: x, :include:/l, y\n", "m@c.example\n# no\nn, o\n",
                   "a=A:x,A:m@c.example,A:n,A:o,A:y;");
    assert_aliases("a: \":include:/l\"\n", "m", "a=A:m;");
    assert_aliases("a: :include:/l\n", "", "a=;"); /* with a warning */
}

static void a_catch_all_is_one_address_of_this_domain(void **state)
{
    (void)state;
    struct parsed p;
    parse(&p, "@B.Example: all@c.example\n@other.example: x\n", "");
    assert_int_equal(p.problems.count, 0);
    assert_true(str_eq(p.domain.catch_all, STR("all@c.example")));
    assert_int_equal(p.domain.alias_count, 0);
    parsed_done(&p);
}

static void what_is_wrong_is_told_with_its_place(void **state)
{
    (void)state;
    static const struct {
        const char *text, *list, *problem;
    } rows[] = {
        {"\na b\n", "", "/a:2:1: error: expected \"name: target, ...\""},
        {" a: b\n", "", "/a:1:1: error: a line that begins with a blank"},
        {"a:\n", "", "/a:1:1: error: expected a target"},
        {"a: b\nA: c\n", "", "/a:2:1: error: the alias \"a\" stands in line 1 already"},
        {"a b: c\n", "", "/a:1:1: error: expected a name"},
        {": c\n", "", "/a:1:1: error: expected a name"},
        {"a: b, c d\n", "", "/a:1:7: error: expected a comma between addresses"},
        {"a: b@\n", "", "/a:1:4: error: this is no address"},
        {"a: \"b\n", "", "/a:1:4: error: a quotation mark or parenthesis"},
        {"a: (b\n", "", "/a:1:4: error: a quotation mark or parenthesis"},
        {"a: <b\n", "", "/a:1:4: error: expected a \">\""},
        {"a: |p\n", "", "/a:1:4: error: a program is named by its absolute path"},
        {"a: /x\001y\n", "", "/a:1:4: error: a control character"},
        {"a: :include:l\n", "", "/a:1:4: error: a list is named by its absolute path"},
        {"a: :exclude:/l\n", "", "/a:1:4: error: expected an address, \"/file\""},
        {"a: :include:/gone\n", "", "/a:1:4: error: No such file"},
        {"a: :include:/loop\n", "", "/loop:1:1: error: this list includes itself"},
        {"a: :include:/deep/\n", "", "error: lists are included within each other more than 8"},
        {"a: :include:/l\n", "/etc/passwd", "/l:1:1: error: a list names addresses only"},
        {"a: :include:/l\n", "x\n\"|/bin/sh\"", "/l:2:1: error: a list names addresses only"},
        {"@b.example: c, d\n", "", "/a:1:1: error: a catch-all has one address"},
        {"@b.example: /m\n", "", "/a:1:1: error: a catch-all has one address"},
        {"@b.example: \\x\n", "", "/a:1:1: error: a catch-all has one address"},
        {"@b.example: c\n@b.example: d\n", "", "/a:2:1: error: this domain has a catch-all"},
        {"a: \x1b[2J\n", "", "?[2J"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct parsed p;
        parse(&p, rows[i].text, rows[i].list);
        struct str first = config_problems_first(&p.problems);
        if (p.problems.errors == 0 ||
            str_find_str(first, str_from_cstr(rows[i].problem)) == STR_NONE) {
            fail_msg("%s\n%.*s", rows[i].problem, STR_ARG(first));
        }
        parsed_done(&p);
    }
}

static void what_a_shell_would_read_is_warned_of(void **state)
{
    (void)state;
    struct parsed p;
    parse(&p, "a: |/bin/p $HOME\n", "");
    assert_int_equal(p.problems.errors, 0);
    assert_int_equal(p.problems.count, 1);
    assert_true(p.problems.list[0].warning);
    parsed_done(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entries_are_read_as_aliases_5_has_them),
        cmocka_unit_test(lists_are_laid_in),
        cmocka_unit_test(a_catch_all_is_one_address_of_this_domain),
        cmocka_unit_test(what_is_wrong_is_told_with_its_place),
        cmocka_unit_test(what_a_shell_would_read_is_warned_of),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
