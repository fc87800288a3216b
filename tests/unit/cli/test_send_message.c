#include "cli/send_message.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static bool note(void *owner, struct str address)
{
    buf_add_format(owner, "%.*s;", STR_ARG(address));
    return true;
}

struct made {
    struct send_message message;
    struct buf rcpts;
    bool fine;
};

static void make(struct made *m, const char *input, bool from_header)
{
    *m = (struct made){.message = {.sender = STR("me@here.example"),
                                   .full_name = STR("Me \"M\" \\\r\nX: y"),
                                   .hostname = STR("here.example"),
                                   .now = {1795497112345678},
                                   .random = 7,
                                   .from_header = from_header}};
    m->fine = send_message_make(&m->message, str_from_cstr(input), note, &m->rcpts);
}

static void made_done(struct made *m)
{
    buf_done(&m->message.text);
    buf_done(&m->rcpts);
}

static bool holds(const struct made *m, const char *text)
{
    return str_find_str(buf_str(&m->message.text), str_from_cstr(text)) != STR_NONE;
}

static void every_line_end_becomes_crlf(void **state)
{
    (void)state;
    static const struct {
        struct str input;
        const char *plain, *dots;
    } rows[] = {
        {STR_INIT(""), "", ""},
        {STR_INIT("a"), "a\r\n", "a\r\n"},
        {STR_INIT("a\nb\r\nc\r\r\n"), "a\r\nb\r\nc\r\n", "a\r\nb\r\nc\r\n"},
        {STR_INIT("a\rb\n"), "a\r\nb\r\n", "a\r\nb\r\n"},
        {STR_INIT("\n\r\n"), "\r\n\r\n", "\r\n\r\n"},
        {STR_INIT("a\n.\nb\n"), "a\r\n", "a\r\n.\r\nb\r\n"},
        {STR_INIT("a\n.\r\nb\n"), "a\r\n", "a\r\n.\r\nb\r\n"},
        {STR_INIT("..\n. \n.x\n"), "..\r\n. \r\n.x\r\n", "..\r\n. \r\n.x\r\n"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct buf plain = {0}, dots = {0};
        send_normalise(&plain, rows[i].input, false);
        send_normalise(&dots, rows[i].input, true);
        if (!str_eq(buf_str(&plain), str_from_cstr(rows[i].plain)) ||
            !str_eq(buf_str(&dots), str_from_cstr(rows[i].dots))) {
            fail_msg("row %zu", i);
        }
        buf_done(&plain);
        buf_done(&dots);
    }
}

static void what_the_header_lacks_is_added_on_top(void **state)
{
    (void)state;
    struct made m;
    make(&m, "Subject: x\r\n\r\nbody\r\n", false);
    assert_true(m.fine && m.rcpts.len == 0 && !m.message.eight_bit);
    assert_true(holds(&m, "Date: Tue, 24 Nov 2026 05:11:52 +0000\r\n"));
    assert_true(holds(&m, "\r\nFrom: \"Me \\\"M\\\" \\\\  X: y\" <me@here.example>\r\n"));
    assert_true(holds(&m, "@here.example>\r\nSubject: x\r\n\r\nbody\r\n"));
    made_done(&m);
    make(&m, "date: d\r\nFROM: f\r\nMessage-Id: <m>\r\n\r\nbody\r\n", false);
    assert_true(str_eq(buf_str(&m.message.text),
                       STR("date: d\r\nFROM: f\r\nMessage-Id: <m>\r\n\r\nbody\r\n")));
    made_done(&m);
}

static void recipients_come_from_the_header_only_when_asked_and_bcc_always_goes(void **state)
{
    (void)state;
    static const struct {
        const char *header, *rcpts;
    } rows[] = {
        {"To: a@b, C <c@d>\r\nCc: e@f\r\nBcc: g@h,\r\n i@j\r\n", "a@b;c@d;e@f;g@h;i@j;"},
        {"To: a@b\r\nTo: c@d\r\n", "a@b;c@d;"},
        {"To: list: a@b, c@d;\r\n", "a@b;c@d;"},
        {"To: a@b\r\nResent-To: c@d\r\nResent-Bcc: e@f\r\nBcc: g@h\r\n", "c@d;e@f;"},
        {"Subject: x\r\n", ""},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        for (int asked = 0; asked < 2; asked++) {
            struct made m;
            struct buf text = {0};
            buf_add_format(&text, "%s\r\nBcc: stays@body\r\n", rows[i].header);
            buf_put_u8(&text, 0);
            make(&m, text.ptr, asked);
            assert_true(m.fine);
            assert_true(str_eq(buf_str(&m.rcpts), str_from_cstr(asked ? rows[i].rcpts : "")));
            assert_false(holds(&m, "g@h") || holds(&m, "i@j") || holds(&m, "e@f\r\nBcc"));
            assert_true(holds(&m, "\r\n\r\nBcc: stays@body\r\n"));
            made_done(&m);
            buf_done(&text);
        }
    }
}

static void a_damaged_list_of_addresses_is_told(void **state)
{
    (void)state;
    static const char *const rows[] = {"To: a@b <c\r\n\r\n", "To: \"a\r\n\r\n", "Cc: (a\r\n\r\n"};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct made m;
        make(&m, rows[i], true);
        assert_false(m.fine);
        made_done(&m);
    }
}

static void a_text_without_header_is_all_body(void **state)
{
    (void)state;
    struct made m;
    make(&m, "hello there\r\nTo: a@b\r\n", true);
    assert_true(m.fine && m.rcpts.len == 0);
    assert_true(holds(&m, ">\r\n\r\nhello there\r\nTo: a@b\r\n"));
    made_done(&m);
}

static void eight_bits_anywhere_are_seen(void **state)
{
    (void)state;
    struct made m;
    make(&m, "Subject: x\r\n\r\n\xc3\xbc\r\n", false);
    assert_true(m.message.eight_bit);
    made_done(&m);
}

static void addresses_are_made_whole_above_what_came_a_way(void **state)
{
    static const struct completion completion = {.domain = STR_INIT("o.example"), .hosts = true};
    struct made m = {.message = {.sender = STR("me@o.example"), .completion = &completion}};
    (void)state;
    m.fine =
        send_message_make(&m.message,
                          STR("From: a\r\nDate: b\r\nMessage-ID: c\r\nTo : d,\r\n e@h\r\nX: f\r\n"
                              "Received: g\r\nCc: h\r\n\r\nTo: i\r\n"),
                          note, &m.rcpts);
    assert_true(m.fine);
    assert_true(str_eq(buf_str(&m.message.text),
                       STR("From: a@o.example\r\nDate: b\r\nMessage-ID: c\r\nTo : d@o.example,\r\n "
                           "e@h.o.example\r\nX: f\r\nReceived: g\r\nCc: h\r\n\r\nTo: i\r\n")));
    made_done(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_are_made_whole_above_what_came_a_way),
        cmocka_unit_test(every_line_end_becomes_crlf),
        cmocka_unit_test(what_the_header_lacks_is_added_on_top),
        cmocka_unit_test(recipients_come_from_the_header_only_when_asked_and_bcc_always_goes),
        cmocka_unit_test(a_damaged_list_of_addresses_is_told),
        cmocka_unit_test(a_text_without_header_is_all_body),
        cmocka_unit_test(eight_bits_anywhere_are_seen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
