/* Text, page and facts of one trace made by hand, whose every text is hostile. */
#include "cli/trace/facts.h"
#include "cli/trace/page.h"
#include "cli/trace/text.h"

// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include <string.h>

#define EVIL "<script>\x1b[2J\xe2\x80\xae\x07\"'&\xff\x9b"

static const struct trace_rule rule = {"a-rule", "Lines \"must\" <fit>.", -100, true, false};
static const struct trace_rule *const left_out[] = {&rule};
static struct trace_reason against = {.rule = &rule, .weight = -100, .text = STR_INIT("why " EVIL)};
static struct trace_hop hops[3];
static struct trace t;

static int make(void **state)
{
    (void)state;
    received_parse(STR("from mail.example.net (mail.example.net [203.0.113.7]) by mx.example.org "
                       "(Postfix) with ESMTPS id 4jYYxN6Ph7z9rTn; Tue, 24 Nov 2026 07:15:34 +0000"),
                   &hops[0].received);
    received_parse(STR("from [10.0.0.9] by mail.example.net with ESMTPA; "
                       "Tue, 24 Nov 2026 07:15:30 +0000"),
                   &hops[1].received);
    hops[0].delay = 4;
    hops[0].trusted = true;
    hops[1].delay = -3600;
    hops[1].position = 1;
    hops[1].verdict = TRACE_UNVERIFIABLE;
    hops[2].position = 2;
    hops[2].received.by = STR(EVIL);
    hops[2].received.helo = STR(EVIL);
    hops[2].received.id = STR(EVIL);
    hops[2].delay = TRACE_NO_DELAY;
    hops[2].verdict = TRACE_FORGED;
    hops[2].reasons = &against;
    t = (struct trace){.hops = hops,
                       .hop_count = 3,
                       .verdict = TRACE_FORGED,
                       .boundary = 0,
                       .boundary_ip = hops[0].received.ip,
                       .first_forged = 2,
                       .origin = 0,
                       .origin_ip = hops[0].received.ip,
                       .origin_name = hops[0].received.rdns,
                       .left_out = (const struct trace_rule **)(uintptr_t)left_out,
                       .left_out_count = 1};
    return 0;
}

static const struct trace_view view = {.trace = &t, .source = STR_INIT("file" EVIL)};

static bool has(const struct buf *out, const char *text)
{
    return str_find_str(buf_str(out), str_from_cstr(text)) != STR_NONE;
}

static void no_octet_steers(const struct buf *out)
{
    assert_false(out->failed);
    for (size_t i = 0; i < out->len; i++) {
        unsigned char c = (unsigned char)out->ptr[i];
        assert_true(c >= 0x20 || c == '\n');
        assert_int_not_equal(c, 0x7f);
        assert_int_not_equal(c, 0xff);
    }
    assert_false(has(out, "\xe2\x80\xae"));
}

static void the_verdict_and_the_origin_stand_on_top(void **state)
{
    (void)state;
    struct buf out = {0};
    struct text_style style = {.width = 200};
    text_render(&out, &view, &style);
    static const char top[] =
        "X forged: it lies about the way it came\n"
        "True origin: 203.0.113.7 (mail.example.net), handed over to mx.example.org on 2026-11-24 "
        "07:15:34 UTC (line 1).\n"
        "Everything below line 2 is forged. Line 3: why <script>";
    assert_true(out.len > sizeof top);
    assert_memory_equal(out.ptr, top, sizeof top - 1);
    assert_true(has(&out, "Trusted is line 1, the top one, as written by the server where"));
    assert_true(has(&out, "--trust .example.org"));
    assert_true(has(&out, "a-rule"));
    no_octet_steers(&out);
    buf_done(&out);
}

static void a_suspect_line_is_why_the_origin_is_not_sought_further_down(void **state)
{
    (void)state;
    struct buf out = {0};
    words_finding(&out, &view);
    assert_false(has(&out, "further away"));
    buf_clear(&out);
    hops[1].verdict = TRACE_SUSPECT;
    hops[1].reasons = &against;
    words_finding(&out, &view);
    hops[1].reasons = NULL;
    assert_true(has(&out, "It may have come there from further away: line 2 is suspect: why "));
    buf_done(&out);
}

static void hops_go_from_the_origin_to_here(void **state)
{
    (void)state;
    struct buf out = {0};
    struct text_style style = {.width = 80};
    text_render(&out, &view, &style);
    size_t third = str_find_str(buf_str(&out), STR("\nX line 3  forged\n"));
    size_t second = str_find_str(buf_str(&out), STR("\n? line 2  unverifiable\n"));
    size_t first = str_find_str(buf_str(&out), STR("\n+ line 1  proven, trusted  <- here it "));
    assert_true(third < second && second < first && first != STR_NONE);
    assert_true(has(&out, "##........ 4 s\n"));
    assert_true(has(&out, "#######... -1 h: before the line below\n"));
    buf_done(&out);
}

static void lines_keep_to_the_width(void **state)
{
    (void)state;
    for (size_t width = 60; width <= 120; width += 20) {
        struct buf out = {0};
        struct text_style style = {.width = width};
        text_render(&out, &view, &style);
        struct str rest = buf_str(&out);
        while (rest.len > 0) {
            struct str line = str_split(&rest, '\n');
            /* The date with its bar is not broken, and no word is. */
            assert_true(line.len <= width || str_find_str(line, STR("UTC  ")) != STR_NONE ||
                        str_find_str(line, STR("---")) != STR_NONE);
        }
        buf_done(&out);
    }
}

static void colour_is_never_all_that_tells(void **state)
{
    (void)state;
    struct buf plain = {0}, coloured = {0}, stripped = {0};
    struct text_style style = {.width = 80, .utf8 = true};
    text_render(&plain, &view, &style);
    style.colour = true;
    text_render(&coloured, &view, &style);
    assert_true(has(&coloured, "\033[1;31m\xe2\x9c\x97 line 3  forged\033[0m"));
    for (size_t i = 0; i < coloured.len; i++) {
        if (coloured.ptr[i] == '\033') {
            while (coloured.ptr[i] != 'm') {
                i++;
            }
        } else {
            buf_add_char(&stripped, coloured.ptr[i]);
        }
    }
    assert_true(str_eq(buf_str(&plain), buf_str(&stripped)));
    buf_done(&plain);
    buf_done(&coloured);
    buf_done(&stripped);
}

static void a_page_escapes_what_others_wrote_and_runs_nothing(void **state)
{
    (void)state;
    struct buf out = {0};
    page_render(&out, &view);
    no_octet_steers(&out);
    assert_true(has(&out, "&lt;script&gt;"));
    assert_false(has(&out, "<script"));
    assert_false(has(&out, "\"must\""));
    assert_true(has(&out, "Lines &quot;must&quot; &lt;fit&gt;."));
    assert_true(has(&out, "&quot;&#39;&amp;"));
    assert_false(has(&out, "http:") || has(&out, "https:") || has(&out, "url("));
    assert_true(has(&out, "prefers-color-scheme: dark"));
    assert_true(has(&out, "name=\"viewport\""));
    buf_done(&out);
}

static size_t count(const struct buf *out, const char *what)
{
    size_t n = 0;
    struct str rest = buf_str(out);
    struct str needle = str_from_cstr(what);
    for (size_t at; (at = str_find_str(rest, needle)) != STR_NONE; n++) {
        rest = str_tail(rest, at + needle.len);
    }
    return n;
}

static void a_picture_has_a_host_at_each_end_of_a_line(void **state)
{
    (void)state;
    struct buf out = {0};
    /* The forged line leads from host to host, and not on to the others. */
    page_picture(&out, &t);
    assert_int_equal(count(&out, "<line "), 3);
    assert_int_equal(count(&out, "<circle "), 5);
    assert_true(has(&out, ">[10.0.0.9]</text>"));
    buf_clear(&out);
    t.first_forged = TRACE_NONE;
    page_picture(&out, &t);
    assert_int_equal(count(&out, "<circle "), 4);
    assert_false(has(&out, ">[10.0.0.9]</text>"));
    buf_clear(&out);
    t.first_forged = 0;
    page_picture(&out, &t);
    assert_int_equal(count(&out, "<circle "), 4);
    buf_done(&out);
}

static void facts_have_null_for_what_is_not_known(void **state)
{
    (void)state;
    json_t *facts = facts_of_trace(&view);
    const json_t *all = json_object_get(facts, "hops");
    assert_int_equal(json_array_size(all), 3);
    const json_t *last = json_array_get(all, 2);
    assert_true(json_is_null(json_object_get(last, "date")));
    assert_true(json_is_null(json_object_get(last, "delay_s")));
    assert_true(json_is_null(json_object_get(json_object_get(last, "from"), "ip")));
    assert_int_equal(json_integer_value(json_object_get(json_array_get(all, 1), "delay_s")), -3600);
    assert_int_equal(json_integer_value(json_object_get(facts, "first_forged")), 2);
    t.first_forged = TRACE_NONE;
    json_decref(facts);
    facts = facts_of_trace(&view);
    assert_true(json_is_null(json_object_get(facts, "first_forged")));
    json_decref(facts);
}

static void without_received_lines_nothing_is_made_up(void **state)
{
    (void)state;
    struct trace none = {.boundary = TRACE_NONE,
                         .origin = TRACE_NONE,
                         .first_forged = TRACE_NONE,
                         .verdict = TRACE_UNVERIFIABLE};
    struct trace_view empty = {.trace = &none};
    struct text_style style = {.width = 80};
    struct buf out = {0};
    text_render(&out, &empty, &style);
    assert_true(
        str_eq(buf_str(&out), STR("There are no Received lines: nothing tells which way the "
                                  "message came.\n")));
    buf_clear(&out);
    page_render(&out, &empty);
    assert_false(has(&out, "<svg"));
    assert_true(has(&out, "</html>"));
    buf_done(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(the_verdict_and_the_origin_stand_on_top, make),
        cmocka_unit_test_setup(a_suspect_line_is_why_the_origin_is_not_sought_further_down, make),
        cmocka_unit_test_setup(hops_go_from_the_origin_to_here, make),
        cmocka_unit_test_setup(lines_keep_to_the_width, make),
        cmocka_unit_test_setup(colour_is_never_all_that_tells, make),
        cmocka_unit_test_setup(a_page_escapes_what_others_wrote_and_runs_nothing, make),
        cmocka_unit_test_setup(a_picture_has_a_host_at_each_end_of_a_line, make),
        cmocka_unit_test_setup(facts_have_null_for_what_is_not_known, make),
        cmocka_unit_test(without_received_lines_nothing_is_made_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
