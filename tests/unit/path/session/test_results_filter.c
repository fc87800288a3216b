#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "core/base/buf.h"
#include "path/session/results_filter.h"

static struct results_filter run(struct str in, size_t step, struct buf *out)
{
    struct results_filter f = {.hostname = STR("mx.here.example")};
    struct str piece;
    while (in.len > 0) {
        struct str part = str_head(in, step);
        in = str_tail(in, part.len);
        while (results_filter_take(&f, &part, &piece)) {
            buf_add(out, piece);
        }
    }
    if (results_filter_end(&f, &piece)) {
        buf_add(out, piece);
    }
    return f;
}

/* However it is cut. */
static void becomes(struct str in, struct str wanted, uint32_t removed)
{
    for (size_t step = 1; step <= in.len + 1; step++) {
        struct buf out = {0};
        struct results_filter f = run(in, step, &out);
        if (!str_eq(buf_str(&out), wanted) || f.removed != removed) {
            fail_msg("step %zu, %u removed: %.*s", step, (unsigned)f.removed,
                     STR_ARG(buf_str(&out)));
        }
        buf_done(&out);
    }
}

#define AR "Authentication-Results:"
#define REST "Subject: x\r\n\r\n" AR " mx.here.example; in=body\r\n"

static void results_under_our_name_go_in_whatever_form(void **state)
{
    (void)state;
    static const struct str rows[] = {
        STR_INIT(AR " mx.here.example; spf=pass\r\n"),
        STR_INIT("authentication-RESULTS: MX.Here.Example; none\r\n"),
        STR_INIT(AR "mx.here.example;none\r\n"),
        STR_INIT(AR "\r\n\tmx.here.example;\r\n spf=pass\r\n\tdkim=pass\r\n"),
        STR_INIT(AR " mx.here.example 1; spf=pass\r\n"),
        STR_INIT(AR " mx.here.example(comment); spf=pass\r\n"),
        STR_INIT(AR " (a (nested; \\) one)) mx.here.example; spf=pass\r\n"),
        STR_INIT(AR " \"mx.here.example\"; spf=pass\r\n"),
        STR_INIT(AR " \"mx\\.here.\\example\"; spf=pass\r\n"),
        STR_INIT(AR " mx.here.example.; spf=pass\r\n"),
        STR_INIT("Authentication-Results : mx.here.example; spf=pass\r\n"),
        STR_INIT(AR " mx.here.example\r\n"),
        /* Nobody can tell whose they are. */
        STR_INIT(AR "\r\n"),
        STR_INIT(AR " ; spf=pass\r\n"),
        STR_INIT(AR " (without end mx.other.example; spf=pass\r\n"),
        STR_INIT(AR " \"mx.other.example; spf=pass\r\n"),
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct buf in = {0};
        buf_add(&in, rows[i]);
        buf_add(&in, STR(REST));
        becomes(buf_str(&in), STR(REST), 1);
        becomes(rows[i], STR(""), 1);
        buf_done(&in);
    }
}

static void a_line_that_is_no_field_hides_nothing(void **state)
{
    (void)state;
    becomes(STR("no field\r\n" AR " mx.here.example\r\n\r\n"), STR("no field\r\n\r\n"), 1);
}

static void all_else_stays_octet_by_octet(void **state)
{
    (void)state;
    static const struct str rows[] = {
        STR_INIT(AR " mx.other.example; spf=pass\r\n"),
        STR_INIT(AR " mx.here.example.com; spf=pass\r\n"),
        STR_INIT(AR " amx.here.example; spf=pass\r\n"),
        STR_INIT(AR " \"mx.here.exampl\"; spf=pass\r\n"),
        STR_INIT(AR " \"mx.here.example2\"; spf=pass\r\n"),
        STR_INIT(AR " mx.other.example; mx.here.example=pass\r\n mx.here.example\r\n"),
        STR_INIT(AR " spf=pass (mx.here.example) smtp.mailfrom=a\r\n"),
        STR_INIT("ARC-Authentication-Results: i=1; mx.here.example; spf=pass\r\n"),
        STR_INIT("X: mx.here.example\r\n\t" AR " mx.here.example\r\n"),
        STR_INIT("Authentication-Resultss: mx.here.example\r\n"),
        STR_INIT("Authentication-Results"),
        STR_INIT("A-Field-Whose-Name-Is-Longer-Than-Any-That-Counts: mx.here.example\r\n"),
        STR_INIT("\r\n" AR " mx.here.example\r\n"),
        STR_INIT("\r\n"),
        STR_INIT(""),
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        becomes(rows[i], rows[i], 0);
    }
}

static struct str filled(struct buf *out, const char *start, size_t len, const char *end)
{
    buf_add(out, str_from_cstr(start));
    while (out->len < len) {
        buf_add_char(out, 'x');
    }
    buf_add(out, str_from_cstr(end));
    return buf_str(out);
}

static void a_long_field_is_known_by_its_beginning(void **state)
{
    (void)state;
    for (size_t len = RESULTS_KEPT - 4; len <= RESULTS_KEPT + 4; len++) {
        struct buf other = {0}, ours = {0}, late = {0};
        struct str in = filled(&other, AR " mx.other.example; ", len, "\r\n y\r\nB: c\r\n");
        becomes(in, in, 0);
        in = filled(&ours, AR " mx.here.example; ", len, "\r\n y\r\nB: c\r\n");
        becomes(in, STR("B: c\r\n"), 1);
        /* The name comes too late, or is cut where the memory ends. */
        in = filled(&late, AR " (", len - 9, ") mx.here.example; spf=pass\r\nB: c\r\n");
        becomes(in, STR("B: c\r\n"), 1);
        buf_done(&other);
        buf_done(&ours);
        buf_done(&late);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(results_under_our_name_go_in_whatever_form),
        cmocka_unit_test(a_line_that_is_no_field_hides_nothing),
        cmocka_unit_test(all_else_stays_octet_by_octet),
        cmocka_unit_test(a_long_field_is_known_by_its_beginning),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
