#include <fcntl.h>
#include <jansson.h>

#include "world.h"
#include "world/log.h"

static char out[LOG_LINE_MAX];

static struct str json(const struct log_field *fields, size_t count)
{
    const struct log_line line = {.time = {1767323045678901},
                                  .level = LOG_INFO,
                                  .event = "queued",
                                  .fields = fields,
                                  .count = count};
    return str_from(out, log_render_json(out, &line));
}

static struct str readable(const struct log_field *fields, size_t count)
{
    const struct log_line line = {.time = {1767323045678901},
                                  .level = LOG_WARNING,
                                  .event = "queued",
                                  .fields = fields,
                                  .count = count};
    return str_from(out, log_render_readable(out, &line, false));
}

static void assert_line(struct str line, const char *expected)
{
    assert_int_equal(line.len, strlen(expected));
    assert_memory_equal(line.ptr, expected, line.len);
}

static void a_line_says_when_how_grave_what_and_with_which_fields(void **state)
{
    (void)state;
    struct log_field fields[] = {F_STR("id", STR("4kQ9")), F_INT("size", -12),
                                 F_INT("least", INT64_MIN), F_IP("peer", (struct ip){0}),
                                 F_STR("from", STR(""))};
    fields[3].ip.family = IP_V4;
    fields[3].ip.bytes[0] = 192;
    assert_line(json(fields, 5), "{\"time\":\"2026-01-02T03:04:05.678Z\",\"level\":\"info\","
                                 "\"event\":\"queued\",\"id\":\"4kQ9\",\"size\":-12,"
                                 "\"least\":-9223372036854775808,\"peer\":\"192.0.0.0\","
                                 "\"from\":\"\"}\n");
    assert_line(readable(fields, 5), "2026-01-02T03:04:05.678Z warning queued id=4kQ9 size=-12 "
                                     "least=-9223372036854775808 peer=192.0.0.0 from=\"\"\n");
}

static void hostile_bytes_forge_neither_line_nor_field_nor_control(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        struct str text;
        const char *json;
        const char *readable;
    } rows[] = {
        {"a new line", STR_INIT("a\r\nb"), "a\\u000d\\u000ab", "\"a\\x0d\\x0ab\""},
        {"quotes", STR_INIT("a\" x=\"b\\"), "a\\\" x=\\\"b\\\\", "\"a\\\" x=\\\"b\\\\\""},
        {"an escape sequence", STR_INIT("\033[2J"), "\\u001b[2J", "\"\\x1b[2J\""},
        {"NUL and DEL", STR_INIT("\0\x7f"), "\\u0000\\u007f", "\"\\x00\\x7f\""},
        {"broken UTF-8", STR_INIT("\xc3(\xff\xe2\x82"), "\\\\xc3(\\\\xff\\\\xe2\\\\x82",
         "\"\\xc3(\\xff\\xe2\\x82\""},
        {"overlong and surrogate", STR_INIT("\xc0\xaf\xed\xa0\x80"),
         "\\\\xc0\\\\xaf\\\\xed\\\\xa0\\\\x80", "\"\\xc0\\xaf\\xed\\xa0\\x80\""},
        {"CSI as a C1 control", STR_INIT("\xc2\x9b"), "\\u009b", "\"\\x9b\""},
        {"text turned round", STR_INIT("\xe2\x80\xae"), "\\u202e", "\"\\u202e\""},
        {"an invisible tag", STR_INIT("\xf3\xa0\x80\xa1"), "\\udb40\\udc21", "\"\\u0e0021\""},
        {"good UTF-8 as it is", STR_INIT("\xc3\xbc\xf0\x9f\x93\xac"), "\xc3\xbc\xf0\x9f\x93\xac",
         "\"\xc3\xbc\xf0\x9f\x93\xac\""},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char expected[256];
        struct log_field field = F_STR("f", rows[i].text);
        snprintf(expected, sizeof expected,
                 "{\"time\":\"2026-01-02T03:04:05.678Z\",\"level\":\"info\",\"event\":\"queued\","
                 "\"f\":\"%s\"}\n",
                 rows[i].json);
        assert_line(json(&field, 1), expected);
        snprintf(expected, sizeof expected, "2026-01-02T03:04:05.678Z warning queued f=%s\n",
                 rows[i].readable);
        assert_line(readable(&field, 1), expected);
    }
}

/* Every length around the limit: bounded, one line, and valid JSON. */
static void every_octet_is_escaped_or_not_wherever_it_stands(void **state)
{
    (void)state;
    for (int octet = 0; octet < 128; octet++) {
        bool usual = octet >= ' ' && octet < 0x7f && octet != '"' && octet != '\\';
        for (size_t at = 0; at < 18; at++) {
            char text[] = "<-- eighteen -->.."; /* two words of eight, and a rest */
            char shown[32];
            text[at] = (char)octet;
            struct log_field field = F_STR("x", str_from(text, 18));
            (void)snprintf(shown, sizeof shown, "\"x\":\"%s\"", text);
            struct str line = json(&field, 1);
            size_t found = str_find_str(line, str_from_cstr(shown));
            bool whole = octet != 0 && found < line.len;
            assert_int_equal(whole, usual);
        }
    }
}

static void a_line_is_bounded_and_stays_well_formed_when_it_is_cut(void **state)
{
    (void)state;
    static char text[LOG_LINE_MAX * 2];
    static const char *const fillers[] = {"x", "\n", "\xff", "\xf3\xa0\x80\xa1", "\xc3\xbc"};
    for (size_t f = 0; f < ARRAY_LEN(fillers); f++) {
        size_t width = strlen(fillers[f]);
        for (size_t i = 0; i + width <= sizeof text; i += width) {
            memcpy(text + i, fillers[f], width);
        }
        for (size_t len = 0; len < LOG_LINE_MAX + 300; len += len < 500 || len > 7900 ? 1 : 97) {
            struct log_field fields[] = {F_STR("a", str_from(text, len)), F_STR("b", STR("second")),
                                         F_INT("c", 1)};
            struct str line = json(fields, 3);
            assert_true(line.len <= LOG_LINE_MAX);
            assert_ptr_equal(memchr(line.ptr, '\n', line.len), line.ptr + line.len - 1);
            json_error_t error;
            json_t *parsed = json_loadb(line.ptr, line.len, JSON_ALLOW_NUL, &error);
            assert_non_null(parsed);
            bool whole = json_object_get(parsed, "c") != NULL;
            assert_true(whole == (json_object_get(parsed, "cut") == NULL));
            json_decref(parsed);
            line = readable(fields, 3);
            assert_true(line.len <= LOG_LINE_MAX);
            assert_ptr_equal(memchr(line.ptr, '\n', line.len), line.ptr + line.len - 1);
        }
    }
}

static void a_log_writes_what_is_grave_enough(void **state)
{
    (void)state;
    int pipes[2];
    char got[512];
    assert_int_equal(pipe2(pipes, O_NONBLOCK), 0);
    struct log *log = log_new(pipes[1], LOG_STYLE_AUTO, LOG_WARNING);
    assert_non_null(log);
    log_event(log, LOG_INFO, "quiet", F_INT("n", 1));
    assert_int_equal(read(pipes[0], got, sizeof got), -1);
    log_event(log, LOG_ERROR, "loud", F_INT("n", 2));
    ssize_t n = read(pipes[0], got, sizeof got);
    assert_true(n > 40);
    assert_int_equal(got[0], '{');
    assert_int_equal(got[n - 1], '\n');
    log_set_level(log, LOG_DEBUG);
    log_event(log, LOG_DEBUG, "quiet", F_INT("n", 1));
    assert_true(read(pipes[0], got, sizeof got) > 40);
    log_free(log);
    log_free(NULL);
    close(pipes[0]);
    close(pipes[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_says_when_how_grave_what_and_with_which_fields),
        cmocka_unit_test(hostile_bytes_forge_neither_line_nor_field_nor_control),
        cmocka_unit_test(every_octet_is_escaped_or_not_wherever_it_stands),
        cmocka_unit_test(a_line_is_bounded_and_stays_well_formed_when_it_is_cut),
        cmocka_unit_test(a_log_writes_what_is_grave_enough),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
