#include "path/deliver/mbox_quote.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* What a message becomes, fed in pieces of `size` octets; 0: at once. */
static void quote(struct str text, size_t size, struct buf *out)
{
    struct mbox_quoter q = {0};
    for (struct str rest = text; rest.len > 0; rest = str_tail(rest, size > 0 ? size : rest.len)) {
        mbox_quote(&q, str_head(rest, size > 0 ? size : rest.len), out);
    }
    mbox_quote_end(&q, out);
}

/* As a mail reader does it: one ">" less where one stands before any number of them and "From ". */
static void unquote(struct str text, struct buf *out)
{
    bool first = true;
    while (text.len > 0) {
        size_t lf = str_find(text, '\n');
        size_t end = lf == STR_NONE ? text.len : lf + 1;
        struct str line = str_head(text, end);
        struct str bare = line;
        while (str_starts(bare, STR(">"))) {
            bare = str_tail(bare, 1);
        }
        bool quoted = bare.len < line.len && str_starts(bare, STR("From "));
        assert_false(!first && str_starts(line, STR("From ")));
        buf_add(out, quoted ? str_tail(line, 1) : line);
        text = str_tail(text, end);
        first = false;
    }
}

static const struct {
    struct str message, quoted;
} rows[] = {
    {STR_INIT(""), STR_INIT("")},
    {STR_INIT("a"), STR_INIT("a\n")},
    {STR_INIT("a\n"), STR_INIT("a\n")},
    {STR_INIT("\n"), STR_INIT("\n")},
    {STR_INIT("From "), STR_INIT(">From \n")},
    {STR_INIT("From x\n"), STR_INIT(">From x\n")},
    {STR_INIT("From"), STR_INIT("From\n")},
    {STR_INIT("From\n"), STR_INIT("From\n")},
    {STR_INIT("From\tx\n"), STR_INIT("From\tx\n")},
    {STR_INIT("FrFrom x\n"), STR_INIT("FrFrom x\n")},
    {STR_INIT(" From x\n"), STR_INIT(" From x\n")},
    {STR_INIT("from x\n"), STR_INIT("from x\n")},
    {STR_INIT("FROM x\n"), STR_INIT("FROM x\n")},
    {STR_INIT(">From x\n"), STR_INIT(">>From x\n")},
    {STR_INIT(">>>From x\n"), STR_INIT(">>>>From x\n")},
    {STR_INIT("> From x\n"), STR_INIT("> From x\n")},
    {STR_INIT(">\nFrom x\n"), STR_INIT(">\n>From x\n")},
    {STR_INIT("a\nFrom x\nFrom y"), STR_INIT("a\n>From x\n>From y\n")},
    {STR_INIT("Fr\nFrom x\n"), STR_INIT("Fr\n>From x\n")},
    {STR_INIT("a\n\nF"), STR_INIT("a\n\nF\n")},
    {STR_INIT("a\rFrom x\n"), STR_INIT("a\rFrom x\n")},
    {STR_INIT("a\0\nFrom \0"), STR_INIT("a\0\n>From \0\n")},
};

static void a_line_that_would_begin_a_message_gets_one_more(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct buf out = {0};
        quote(rows[i].message, 0, &out);
        /* Where in a row of ">" the new one stands cannot be seen. */
        if (!str_eq(buf_str(&out), rows[i].quoted)) {
            fail_msg("row %zu: \"%.*s\"", i, STR_ARG(out));
        }
        buf_done(&out);
    }
}

static void the_pieces_make_no_difference(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        for (size_t size = 1; size < 8; size++) {
            struct buf out = {0};
            quote(rows[i].message, size, &out);
            assert_true(str_eq(buf_str(&out), rows[i].quoted));
            buf_done(&out);
        }
    }
}

static void taking_one_off_gives_the_message_back(void **state)
{
    (void)state;
    static const char letters[] = {'>', 'F', 'r', 'o', 'm', ' ', '\n', 'x'};
    uint64_t random = 1;
    for (int round = 0; round < 20000; round++) {
        struct buf message = {0}, quoted = {0}, back = {0};
        size_t len = (size_t)(random >> 33) % 24;
        while (message.len < len) {
            random = random * 6364136223846793005U + 1442695040888963407U;
            if (random >> 62 == 0) {
                buf_add(&message, STR("\nFrom "));
            } else {
                buf_add_char(&message, letters[random >> 40 & 7]);
            }
        }
        quote(buf_str(&message), (size_t)(round % 4), &quoted);
        unquote(buf_str(&quoted), &back);
        if (message.len > 0 && message.ptr[message.len - 1] != '\n') {
            buf_add_char(&message, '\n');
        }
        assert_true(str_eq(buf_str(&back), buf_str(&message)));
        random = random * 6364136223846793005U + 1442695040888963407U;
        buf_done(&message);
        buf_done(&quoted);
        buf_done(&back);
    }
}

static void it_holds_back_five_octets_at_most(void **state)
{
    (void)state;
    struct mbox_quoter q = {0};
    struct buf out = {0};
    size_t fed = 0;
    static const struct str pieces[] = {STR_INIT("x\n"), STR_INIT(">>>"),   STR_INIT("From"),
                                        STR_INIT(" "),   STR_INIT("\nFro"), STR_INIT("g")};
    for (size_t i = 0; i < ARRAY_LEN(pieces); i++) {
        mbox_quote(&q, pieces[i], &out);
        fed += pieces[i].len;
        assert_true(out.len + 5 >= fed);
    }
    mbox_quote_end(&q, &out);
    assert_true(str_eq(buf_str(&out), STR("x\n>>>>From \nFrog\n")));
    buf_done(&out);
}

static void after_its_end_it_begins_anew(void **state)
{
    (void)state;
    struct mbox_quoter q = {0};
    struct buf out = {0};
    mbox_quote(&q, STR("abc From"), &out);
    mbox_quote_end(&q, &out);
    mbox_quote(&q, STR("From "), &out);
    mbox_quote_end(&q, &out);
    assert_true(str_eq(buf_str(&out), STR("abc From\n>From \n")));
    buf_done(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_that_would_begin_a_message_gets_one_more),
        cmocka_unit_test(the_pieces_make_no_difference),
        cmocka_unit_test(taking_one_off_gives_the_message_back),
        cmocka_unit_test(it_holds_back_five_octets_at_most),
        cmocka_unit_test(after_its_end_it_begins_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
