#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "core/base/buf.h"
#include "path/session/header_filter.h"

static void feed(struct header_filter *f, struct str in, size_t step, struct buf *out)
{
    struct str piece;
    while (in.len > 0) {
        struct str part = str_head(in, step);
        in = str_tail(in, part.len);
        while (header_filter_take(f, &part, &piece)) {
            buf_add(out, piece);
        }
    }
    if (header_filter_end(f, &piece)) {
        buf_add(out, piece);
    }
}

static struct header_filter run(struct str in, size_t step, bool submitted, struct buf *out)
{
    static struct envelope_rcpt rcpts[] = {{.address = STR_INIT("me@here.example")}};
    static const struct envelope envelope = {.rcpts = rcpts, .rcpt_count = 1};
    struct header_filter f = {.envelope = &envelope, .submitted = submitted};
    feed(&f, in, step, out);
    return f;
}

static void bcc_goes_from_what_is_submitted_and_nothing_else(void **state)
{
    (void)state;
    static const struct {
        struct str in, out;
    } rows[] = {
        {STR_INIT("To: a\r\nBcc: b,\r\n\tc\r\nX: y\r\n\r\nBcc: d\r\n"),
         STR_INIT("To: a\r\nX: y\r\n\r\nBcc: d\r\n")},
        {STR_INIT("bcc: b\r\n\r\n"), STR_INIT("\r\n")},
        {STR_INIT("BCC : b\r\nResent-Bcc: c\r\n"), STR_INIT("")},
        {STR_INIT("Return-Path: <a@b.example>\r\nTo: a\r\n"), STR_INIT("To: a\r\n")},
        {STR_INIT("Bcc"), STR_INIT("Bcc")},
        {STR_INIT("Bccx: a\r\nBc: d\r\n"), STR_INIT("Bccx: a\r\nBc: d\r\n")},
        {STR_INIT("no header\r\nBcc: a\r\n"), STR_INIT("no header\r\nBcc: a\r\n")},
        {STR_INIT("A-Field-Name-That-Is-Longer-Than-Any: b\r\nBcc: a\r\n"),
         STR_INIT("A-Field-Name-That-Is-Longer-Than-Any: b\r\n")},
        {STR_INIT(""), STR_INIT("")},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        for (size_t step = 1; step <= rows[i].in.len + 1; step++) {
            struct buf out = {0};
            (void)run(rows[i].in, step, true, &out);
            if (!str_eq(buf_str(&out), rows[i].out)) {
                fail_msg("row %zu, step %zu: %.*s", i, step, STR_ARG(buf_str(&out)));
            }
            buf_clear(&out);
            (void)run(rows[i].in, step, false, &out);
            assert_true(str_eq(buf_str(&out), rows[i].in));
            buf_done(&out);
        }
    }
}

static void loops_and_lacks_are_found_in_the_header_alone(void **state)
{
    (void)state;
    struct str in = STR("Received: a\r\n b\r\nreceived: c\r\nDelivered-To:\r\n ME@here.example \r\n"
                        "Date: x\r\n\r\nReceived: d\r\nMessage-ID: e\r\nFrom: f\r\n");
    for (size_t step = 1; step <= in.len; step++) {
        struct buf out = {0};
        struct header_filter f = run(in, step, true, &out);
        assert_int_equal(f.received, 2);
        assert_true(f.delivered_here && f.has_date);
        assert_false(f.has_message_id || f.authors.count > 0);
        buf_done(&out);
    }
    struct buf out = {0};
    assert_false(run(STR("Delivered-To: you@here.example\r\n"), 9, true, &out).delivered_here);
    assert_true(run(STR("Delivered-To: me@here.example\r\n"), 9, true, &out).delivered_here);
    buf_done(&out);
}

static void tls_required_no_is_found_in_any_case_and_nothing_else_is(void **state)
{
    (void)state;
    static const struct {
        struct str in;
        bool optional;
    } rows[] = {
        {STR_INIT("TLS-Required: No\r\n\r\n"), true},
        {STR_INIT("tls-required:\r\n\tNO \r\nX: y\r\n"), true},
        {STR_INIT("TLS-Required: Yes\r\n\r\n"), false},
        {STR_INIT("TLS-Required: No, thanks\r\n\r\n"), false},
        {STR_INIT("X: y\r\n\r\nTLS-Required: No\r\n"), false},
        {STR_INIT("Delivered-To: No\r\n\r\n"), false},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        for (size_t step = 1; step <= rows[i].in.len; step++) {
            struct buf out = {0};
            struct header_filter f = run(rows[i].in, step, true, &out);
            if (f.tls_optional != rows[i].optional || !str_eq(buf_str(&out), rows[i].in)) {
                fail_msg("row %zu, step %zu", i, step);
            }
            buf_done(&out);
        }
    }
}

static void the_fields_that_say_whose_a_message_is_are_kept_each_for_itself(void **state)
{
    (void)state;
    struct str in = STR("From: a@b.example,\r\n\tc@d.example\r\nTo: e\r\nresent-sender: f\r\n"
                        "SENDER:g\r\nFromage: h\r\n\r\nFrom: i\r\n");
    static const struct {
        enum header_author author;
        struct str value;
    } rows[] = {{AUTHOR_FROM, STR_INIT(" a@b.example,\r\n\tc@d.example\r\n")},
                {AUTHOR_RESENT_SENDER, STR_INIT(" f\r\n")},
                {AUTHOR_SENDER, STR_INIT("g\r\n")}};
    for (size_t step = 1; step <= in.len; step++) {
        struct buf out = {0};
        struct header_filter f = run(in, step, true, &out);
        assert_int_equal(f.authors.count, ARRAY_LEN(rows));
        assert_false(f.authors.cut);
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
            assert_int_equal(f.authors.fields[i].author, rows[i].author);
            assert_true(str_eq(header_author_value(&f.authors, i), rows[i].value));
        }
        buf_done(&out);
    }
}

static void addresses_are_made_whole_above_what_came_a_way_or_is_signed(void **state)
{
    (void)state;
    static const struct completion completion = {.domain = STR_INIT("o.example"), .hosts = true};
    static const struct {
        struct str in, out;
    } rows[] = {
        {STR_INIT("From: a\r\nTo: b,\r\n\tc (d)\r\nX-To: e\r\n\r\nTo: f\r\n"),
         STR_INIT("From: a@o.example\r\nTo: b@o.example,\r\n\tc@o.example (d)\r\nX-To: e\r\n\r\n"
                  "To: f\r\n")},
        {STR_INIT("Disposition-Notification-To: a@h\r\nBcc: b\r\nsender : c"),
         STR_INIT("Disposition-Notification-To: a@h.o.example\r\nsender : c@o.example")},
        {STR_INIT("Resent-To: a\r\nReceived: b\r\nTo: c\r\n"),
         STR_INIT("Resent-To: a@o.example\r\nReceived: b\r\nTo: c\r\n")},
        {STR_INIT("DKIM-Signature: a\r\nTo: c\r\n"), STR_INIT("DKIM-Signature: a\r\nTo: c\r\n")},
        {STR_INIT("To: a\r\nno header\r\nTo: b\r\n"),
         STR_INIT("To: a@o.example\r\nno header\r\nTo: b\r\n")},
        {STR_INIT("To:\r\nCc: <\r\nReply-To: b"),
         STR_INIT("To:\r\nCc: <\r\nReply-To: b@o.example")},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        for (size_t step = 1; step <= rows[i].in.len; step++) {
            struct buf out = {0};
            struct header_filter f = {.submitted = true, .completer = {.completion = &completion}};
            feed(&f, rows[i].in, step, &out);
            if (!str_eq(buf_str(&out), rows[i].out)) {
                fail_msg("row %zu, step %zu: %.*s", i, step, STR_ARG(buf_str(&out)));
            }
            assert_true(i > 0 ||
                        str_eq(header_author_value(&f.authors, 0), STR(" a@o.example\r\n")));
            buf_done(&out);
        }
    }
}

static struct header_filter run_fields(size_t count, size_t length)
{
    struct buf in = {0}, out = {0};
    for (size_t i = 0; i < count; i++) {
        buf_add(&in, STR("From:"));
        for (size_t k = 2; k < length; k++) {
            buf_add_char(&in, 'a');
        }
        buf_add(&in, STR("\r\n"));
    }
    struct header_filter f = run(buf_str(&in), 100, true, &out);
    assert_true(str_eq(buf_str(&in), buf_str(&out)));
    buf_done(&in);
    buf_done(&out);
    return f;
}

static void what_is_not_kept_of_them_is_known_to_be_cut(void **state)
{
    (void)state;
    assert_false(run_fields(HEADER_AUTHORS_MAX, 10).authors.cut);
    assert_true(run_fields(HEADER_AUTHORS_MAX + 1, 10).authors.cut);
    assert_false(run_fields(3, HEADER_AUTHORS_KEPT / 3).authors.cut);
    assert_true(run_fields(3, HEADER_AUTHORS_KEPT / 3 + 1).authors.cut);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bcc_goes_from_what_is_submitted_and_nothing_else),
        cmocka_unit_test(loops_and_lacks_are_found_in_the_header_alone),
        cmocka_unit_test(the_fields_that_say_whose_a_message_is_are_kept_each_for_itself),
        cmocka_unit_test(addresses_are_made_whole_above_what_came_a_way_or_is_signed),
        cmocka_unit_test(what_is_not_kept_of_them_is_known_to_be_cut),
        cmocka_unit_test(tls_required_no_is_found_in_any_case_and_nothing_else_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
