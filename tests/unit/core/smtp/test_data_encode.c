#include "core/smtp/data_encode.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const struct row {
    const char *name;
    struct str in, data, bdat;
} rows[] = {
    {"empty", STR_INIT(""), STR_INIT(".\r\n"), STR_INIT("")},
    {"a line", STR_INIT("a\r\n"), STR_INIT("a\r\n.\r\n"), STR_INIT("a\r\n")},
    {"no last line end", STR_INIT("a"), STR_INIT("a\r\n.\r\n"), STR_INIT("a")},
    {"a dot", STR_INIT("."), STR_INIT("..\r\n.\r\n"), STR_INIT(".")},
    {"dots", STR_INIT(".\r\n..\r\n.a\r\nb.\r\n"), STR_INIT("..\r\n...\r\n..a\r\nb.\r\n.\r\n"),
     STR_INIT(".\r\n..\r\n.a\r\nb.\r\n")},
    {"a bare LF", STR_INIT("a\n.\nb"), STR_INIT("a\r\n..\r\nb\r\n.\r\n"), STR_INIT("a\r\n.\r\nb")},
    {"a bare CR", STR_INIT("a\r.\rb"), STR_INIT("a\r\n..\r\nb\r\n.\r\n"), STR_INIT("a\r\n.\r\nb")},
    {"CR at the end", STR_INIT("a\r"), STR_INIT("a\r\n.\r\n"), STR_INIT("a\r\n")},
    {"CR CR LF", STR_INIT("a\r\r\nb\r\n"), STR_INIT("a\r\n\r\nb\r\n.\r\n"),
     STR_INIT("a\r\n\r\nb\r\n")},
    {"LF . CRLF", STR_INIT("a\n.\r\nMAIL"), STR_INIT("a\r\n..\r\nMAIL\r\n.\r\n"),
     STR_INIT("a\r\n.\r\nMAIL")},
    {"NUL stays", STR_INIT("a\0b\r\n"), STR_INIT("a\0b\r\n.\r\n"), STR_INIT("a\0b\r\n")},
};

static void check(const struct row *row, bool dots, size_t step)
{
    struct data_encoder e = data_encoder_begin(dots);
    struct buf out = {0};
    for (struct str rest = row->in; rest.len > 0; rest = str_tail(rest, step)) {
        data_encode(&e, str_head(rest, step), &out);
    }
    data_encode_end(&e, &out);
    if (!str_eq(buf_str(&out), dots ? row->data : row->bdat)) {
        fail_msg("%s by %zu: \"%.*s\"", row->name, step, STR_ARG(buf_str(&out)));
    }
    buf_done(&out);
}

static void every_line_end_leaves_as_crlf_however_the_body_is_cut(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        for (size_t step = 1; step <= rows[i].in.len + 1; step++) {
            check(&rows[i], true, step);
            check(&rows[i], false, step);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_line_end_leaves_as_crlf_however_the_body_is_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
