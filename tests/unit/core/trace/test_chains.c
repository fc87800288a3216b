/* Whole chains: tests/data/received/chains.txt, as honest servers leave them; and what becomes of
 * them when the past of one is put below another. */
#include "core/trace/organisation.h"

#include "judged.h"

enum { CHAINS_MAX = 64 };

struct chain {
    struct str text; /* its fields */
    struct str verdict;
};

static char file_text[1 << 16];

static size_t chains_read(struct chain chains[CHAINS_MAX])
{
    FILE *file = fopen(SOURCE_DIR "/tests/data/received/chains.txt", "rb");
    assert_non_null(file);
    struct str rest = str_from(file_text, fread(file_text, 1, sizeof file_text, file));
    (void)fclose(file);
    assert_true(rest.len < sizeof file_text);
    size_t count = 0;
    struct chain chain = {0};
    while (rest.len > 0) {
        struct str line = str_split(&rest, '\n');
        if (str_starts(line, STR("= "))) {
            chain.verdict = str_tail(line, 2);
            assert_true(count < CHAINS_MAX && chain.text.len > 0);
            chains[count++] = chain;
            chain = (struct chain){0};
        } else if (line.len > 0 && line.ptr[0] != '#') {
            const char *start = chain.text.len > 0 ? chain.text.ptr : line.ptr;
            chain.text = str_from(start, (size_t)(line.ptr + line.len + 1 - start));
        }
    }
    return count;
}

static void chains_of_honest_servers_are_believed(void **state)
{
    (void)state;
    const struct trace_trust top = {.top = true};
    struct chain chains[CHAINS_MAX];
    size_t count = chains_read(chains), wrong = 0;
    assert_true(count >= 15);
    for (size_t i = 0; i < count; i++) {
        struct judged d = {0};
        assert_true(trace_read(&d.trace, &d.arena, chains[i].text));
        assert_true(trace_judge(&d.trace, &top, 0));
        const char *verdict = trace_verdict_name(d.trace.verdict);
        if (!str_eq(chains[i].verdict, str_from_cstr(verdict))) {
            print_error("%.*s: %s\n", STR_ARG(str_head(chains[i].text, 60)), verdict);
            judged_print(&d);
            wrong++;
        }
        judged_done(&d);
    }
    assert_int_equal(wrong, 0);
}

static bool starts_elsewhere(const struct trace *lower, const struct trace *upper)
{
    const struct received *last = &upper->hops[upper->hop_count - 1].received;
    struct str by = lower->hops[0].received.by;
    return last->ip.family != IP_NONE && name_is_public(by) && by.len > 0 &&
           !same_organisation(by, last->helo) && !same_organisation(by, last->rdns) &&
           !same_organisation(by, last->by);
}

/* The lowest true line says who the client was; that is not who wrote the next. */
static void a_true_past_below_another_chain_is_forged_from_its_first_line_on(void **state)
{
    (void)state;
    const struct trace_trust top = {.top = true};
    struct chain chains[CHAINS_MAX];
    size_t count = chains_read(chains), spliced = 0, right = 0, moved = 0;
    for (size_t i = 0; i < count * count; i++) {
        struct judged upper = {0}, lower = {0}, both = {0};
        struct str a = chains[i / count].text, b = chains[i % count].text;
        struct buf message = {0};
        buf_add(&message, a);
        buf_add(&message, b);
        assert_true(trace_read(&upper.trace, &upper.arena, a));
        assert_true(trace_read(&lower.trace, &lower.arena, b));
        assert_true(trace_read(&both.trace, &both.arena, buf_str(&message)));
        if (starts_elsewhere(&lower.trace, &upper.trace)) {
            assert_true(trace_judge(&upper.trace, &top, 0) && trace_judge(&both.trace, &top, 0));
            spliced++;
            right += both.trace.first_forged == upper.trace.hop_count;
            moved += both.trace.boundary != upper.trace.boundary;
        }
        judged_done(&upper);
        judged_done(&lower);
        judged_done(&both);
        buf_done(&message);
    }
    print_message("%zu of %zu splices\n", right, spliced);
    assert_true(spliced > 50);
    assert_int_equal(moved, 0);
    assert_true(right * 100 >= spliced * 95);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chains_of_honest_servers_are_believed),
        cmocka_unit_test(a_true_past_below_another_chain_is_forged_from_its_first_line_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
