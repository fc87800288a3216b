#include "core/smtp/reply_reader.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* Feeds `text` in pieces of `step` octets; counts whole replies, stops at the first bad one. */
struct seen {
    size_t replies, lines;
    enum reply_event last;
    uint16_t code;
    struct status_code status;
    char text[REPLY_TEXT_MAX + 1];
};

static void feed(struct reply_reader *r, struct seen *seen, struct str text, size_t step)
{
    while (text.len > 0) {
        struct str piece = str_head(text, step);
        text = str_tail(text, step);
        while (piece.len > 0) {
            seen->last = reply_read(r, &piece);
            if (seen->last == REPLY_BAD) {
                return;
            }
            seen->lines += seen->last != REPLY_MORE;
            if (seen->last == REPLY_DONE) {
                seen->replies++;
                seen->code = r->code;
                seen->status = r->status;
                struct str whole = reply_text(r);
                memcpy(seen->text, whole.ptr, whole.len);
                seen->text[whole.len] = '\0';
            }
        }
    }
}

struct row {
    const char *name;
    struct str bytes;
    size_t replies;
    uint16_t code;
    uint16_t status[3];
    const char *text; /* null: bad */
};

static const struct row rows[] = {
    {"one line", STR_INIT("220 mx.example ESMTP\r\n"), 1, 220, {0}, "220 mx.example ESMTP"},
    {"a code alone", STR_INIT("250\r\n"), 1, 250, {0}, "250"},
    {"a code and a space", STR_INIT("250 \r\n"), 1, 250, {0}, "250 "},
    {"several lines",
     STR_INIT("550-5.1.1 no\r\n550 5.1.1 such user\r\n"),
     1,
     550,
     {5, 1, 1},
     "550-5.1.1 no 550 5.1.1 such user"},
    {"two replies", STR_INIT("250 a\r\n354 b\r\n"), 2, 354, {0}, "354 b"},
    {"a bare LF ends a line", STR_INIT("250-a\n250 b\n"), 1, 250, {0}, "250-a 250 b"},
    {"a status of another class", STR_INIT("250 5.1.1 odd\r\n"), 1, 250, {0}, "250 5.1.1 odd"},
    {"control characters", STR_INIT("250 a\x01\x7f\tb\r\n"), 1, 250, {0}, "250 a?? b"},
    {"UTF-8 stays", STR_INIT("250 gr\xc3\xbc\xc3\x9f\r\n"), 1, 250, {0}, "250 gr\xc3\xbc\xc3\x9f"},
    {"what is no UTF-8", STR_INIT("250 \xff\xc3 \xed\xa0\x80\r\n"), 1, 250, {0}, "250 ?? ???"},
    {"no code", STR_INIT("hello\r\n"), 0, 0, {0}, NULL},
    {"two digits", STR_INIT("25 x\r\n"), 0, 0, {0}, NULL},
    {"four digits", STR_INIT("2500 x\r\n"), 0, 0, {0}, NULL},
    {"class 1", STR_INIT("150 x\r\n"), 0, 0, {0}, NULL},
    {"class 6", STR_INIT("650 x\r\n"), 0, 0, {0}, NULL},
    {"an empty line", STR_INIT("\r\n"), 0, 0, {0}, NULL},
    {"another code in a reply", STR_INIT("250-a\r\n550 b\r\n"), 0, 0, {0}, NULL},
    {"HTTP", STR_INIT("HTTP/1.1 400 Bad Request\r\n"), 0, 0, {0}, NULL},
};

static void check_row(const struct row *row, size_t step)
{
    struct reply_reader r = {0};
    struct seen seen = {0};
    feed(&r, &seen, row->bytes, step);
    if (!row->text) {
        if (seen.last != REPLY_BAD) {
            fail_msg("%s by %zu: taken", row->name, step);
        }
        return;
    }
    if (seen.last != REPLY_DONE || seen.replies != row->replies || seen.code != row->code ||
        seen.status.class != row->status[0] || seen.status.subject != row->status[1] ||
        seen.status.detail != row->status[2] || strcmp(seen.text, row->text) != 0) {
        fail_msg("%s by %zu: %u \"%s\"", row->name, step, seen.code, seen.text);
    }
}

static void replies_are_read_alike_however_they_are_cut(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        for (size_t step = 1; step <= rows[i].bytes.len; step++) {
            check_row(&rows[i], step);
        }
    }
}

static enum reply_event long_line(size_t octets)
{
    char line[REPLY_LINE_MAX + 8];
    memset(line, 'x', sizeof line);
    memcpy(line, "250 ", 4);
    memcpy(line + octets - 2, "\r\n", 2);
    struct reply_reader r = {0};
    struct str bytes = str_from(line, octets);
    enum reply_event event = reply_read(&r, &bytes);
    if (event == REPLY_DONE) {
        assert_int_equal(reply_text(&r).len, octets - 2 < REPLY_LINE_KEPT ? octets - 2 : 512);
    }
    return event;
}

static void a_line_of_2048_octets_is_taken_and_one_more_is_not(void **state)
{
    (void)state;
    assert_int_equal(long_line(513), REPLY_DONE);
    assert_int_equal(long_line(514), REPLY_DONE);
    assert_int_equal(long_line(515), REPLY_DONE);
    assert_int_equal(long_line(REPLY_LINE_MAX), REPLY_DONE);
    assert_int_equal(long_line(REPLY_LINE_MAX + 1), REPLY_BAD);
}

static enum reply_event many_lines(size_t count)
{
    struct reply_reader r = {0};
    enum reply_event event = REPLY_MORE;
    for (size_t i = 0; i < count; i++) {
        struct str line =
            i + 1 < count ? STR("250-sixteen octets, and more\r\n") : STR("250 x\r\n");
        event = reply_read(&r, &line);
    }
    assert_true(reply_text(&r).len <= REPLY_TEXT_MAX);
    return event;
}

static void a_reply_of_128_lines_is_taken_and_one_more_is_not(void **state)
{
    (void)state;
    assert_int_equal(many_lines(REPLY_LINES_MAX), REPLY_DONE);
    assert_int_equal(many_lines(REPLY_LINES_MAX + 1), REPLY_BAD);
}

static void what_was_no_smtp_stays_so(void **state)
{
    (void)state;
    struct reply_reader r = {0};
    struct str bytes = STR("nonsense\r\n250 ok\r\n");
    assert_int_equal(reply_read(&r, &bytes), REPLY_BAD);
    bytes = STR("250 ok\r\n");
    assert_int_equal(reply_read(&r, &bytes), REPLY_BAD);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(replies_are_read_alike_however_they_are_cut),
        cmocka_unit_test(a_line_of_2048_octets_is_taken_and_one_more_is_not),
        cmocka_unit_test(a_reply_of_128_lines_is_taken_and_one_more_is_not),
        cmocka_unit_test(what_was_no_smtp_stays_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
