#include "config/place.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void mailboxes_are_read_in_every_form(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum mailbox_kind kind;
        const char *path, *host;
        uint16_t port;
    } rows[] = {
        {"maildir:/m/{domain}/{local}/", MAILBOX_MAILDIR, "/m/{domain}/{local}/", "", 0},
        {" MAILDIR:rel ", MAILBOX_MAILDIR, "rel", "", 0},
        {"mbox:/m/{user}{tag}", MAILBOX_MBOX, "/m/{user}{tag}", "", 0},
        {"lmtp:host.example", MAILBOX_LMTP, "", "host.example", 24},
        {"lmtp:Host.example:1024", MAILBOX_LMTP, "", "host.example", 1024},
        {"lmtp://192.0.2.1:65535", MAILBOX_LMTP, "", "192.0.2.1", 65535},
        {"lmtp:[::1]", MAILBOX_LMTP, "", "::1", 24},
        {"lmtp:[::1]:1", MAILBOX_LMTP, "", "::1", 1},
        {"lmtp:unix:/run/l.sock", MAILBOX_LMTP, "/run/l.sock", "", 0},
        {"discard:", MAILBOX_DISCARD, "", "", 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena arena = {0};
        struct config_mailboxes m = {0};
        const char *reason = NULL;
        if (!place_parse_mailboxes(str_from_cstr(rows[i].text), &arena, &m, &reason)) {
            fail_msg("%s: %s", rows[i].text, reason);
        }
        if (m.kind != rows[i].kind || !str_eq(m.path, str_from_cstr(rows[i].path)) ||
            !str_eq_nocase(m.host, str_from_cstr(rows[i].host)) || m.port != rows[i].port) {
            fail_msg("%s", rows[i].text);
        }
        arena_done(&arena);
    }
}

static void a_program_s_words_are_cut_at_blanks_and_held_by_quotes(void **state)
{
    (void)state;
    struct arena arena = {0};
    struct config_mailboxes m = {0};
    const char *reason = NULL;
    static const char *const words[] = {"/bin/p", "-f", "{sender}", "a b", "c'd", "", "e\\f"};
    struct str text = STR("pipe: /bin/p  -f\t{sender} 'a b' c\"'\"d \"\" e\\f ");
    assert_true(place_parse_mailboxes(text, &arena, &m, &reason));
    assert_int_equal(m.argc, ARRAY_LEN(words));
    for (size_t i = 0; i < m.argc; i++) {
        assert_true(str_eq(m.argv[i], str_from_cstr(words[i])));
    }
    arena_done(&arena);
}

static void a_program_has_63_arguments_and_no_64(void **state)
{
    (void)state;
    struct buf text = {0};
    buf_add(&text, STR("pipe:/bin/p"));
    for (int i = 1; i <= 64; i++) {
        struct arena arena = {0};
        struct config_mailboxes m = {0};
        const char *reason = NULL;
        buf_add(&text, STR(" x"));
        assert_int_equal(place_parse_mailboxes(buf_str(&text), &arena, &m, &reason), i <= 63);
        arena_done(&arena);
    }
    buf_done(&text);
}

static void what_is_no_mailbox_is_refused_with_a_reason(void **state)
{
    (void)state;
    static const struct {
        struct str text;
        const char *reason;
    } rows[] = {
        {STR_INIT(""), "expected maildir:PATH"},
        {STR_INIT("/mail"), "expected maildir:PATH"},
        {STR_INIT("discard:x"), "expected maildir:PATH"},
        {STR_INIT("maildir:"), "a path is missing"},
        {STR_INIT("maildir:/a\nb"), "a control character"},
        {STR_INIT("maildir:/a\0b"), "a control character"},
        {STR_INIT("maildir:/{name}"), "in braces stands"},
        {STR_INIT("maildir:/{Local}"), "in braces stands"},
        {STR_INIT("maildir:/{local"), "a brace without its partner"},
        {STR_INIT("maildir:/local}"), "a brace without its partner"},
        {STR_INIT("mbox:/a/"), "an mbox is a file"},
        {STR_INIT("lmtp:"), "this is no host name"},
        {STR_INIT("lmtp:::1"), "stands in brackets"},
        {STR_INIT("lmtp:[::1"), "in brackets stands"},
        {STR_INIT("lmtp:[192.0.2.1]"), "in brackets stands"},
        {STR_INIT("lmtp:h.example:0"), "a port is a number"},
        {STR_INIT("lmtp:h.example:65536"), "a port is a number"},
        {STR_INIT("lmtp:h.example:"), "a port is a number"},
        {STR_INIT("lmtp:[::1]x"), "a port is a number"},
        {STR_INIT("lmtp:192.0.2.256"), "this is no host name"},
        {STR_INIT("lmtp:-a.example"), "this is no host name"},
        {STR_INIT("lmtp:a..example"), "this is no host name"},
        {STR_INIT("lmtp:a b"), "this is no host name"},
        {STR_INIT("pipe:"), "absolute path"},
        {STR_INIT("pipe:p"), "absolute path"},
        {STR_INIT("pipe:/bin/{local}"), "cannot depend on the address"},
        {STR_INIT("pipe:/bin/p 'a"), "is not closed"},
        {STR_INIT("pipe:/bin/p {x}"), "in braces stands"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena arena = {0};
        struct config_mailboxes m = {.port = 7};
        const char *reason = NULL;
        bool taken = place_parse_mailboxes(rows[i].text, &arena, &m, &reason);
        if (taken || !reason || !strstr(reason, rows[i].reason) || m.port != 7) {
            fail_msg("\"%.*s\": %s", STR_ARG(rows[i].text), reason ? reason : "taken");
        }
        arena_done(&arena);
    }
}

static void a_local_socket_s_path_has_107_octets_and_no_108(void **state)
{
    (void)state;
    char text[200] = "lmtp:unix:/";
    const char *reason = NULL;
    memset(text + 10, 'x', sizeof text - 10);
    text[10] = '/';
    for (size_t len = 106; len <= 109; len++) {
        struct arena arena = {0};
        struct config_mailboxes m = {0};
        struct config_transport t = {0};
        struct str s = str_from(text, 10 + len);
        assert_int_equal(place_parse_mailboxes(s, &arena, &m, &reason), len <= 107);
        assert_int_equal(place_parse_transport(s, &arena, &t, &reason), len <= 107);
        arena_done(&arena);
    }
}

static void transports_are_read_in_every_form(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool fine;
        enum transport_kind kind;
        const char *host;
        uint16_t port;
    } rows[] = {
        {"smtp://h.example:587", true, TRANSPORT_SMTP, "h.example", 587},
        {"smtp://h.example/", true, TRANSPORT_SMTP, "h.example", 0},
        {"smtp://[2001:db8::1]:26", true, TRANSPORT_SMTP, "2001:db8::1", 26},
        {"smtps://h.example", true, TRANSPORT_SMTP, "h.example", 465},
        {"smtps://h.example:26", true, TRANSPORT_SMTP, "h.example", 26},
        {"lmtp://h.example", true, TRANSPORT_LMTP, "h.example", 0},
        {"lmtp:unix:/s", true, TRANSPORT_LMTP_LOCAL, "", 0},
        {"mx", true, TRANSPORT_MX, "", 0},
        {"mx:other.example", true, TRANSPORT_MX, "other.example", 0},
        {"discard:", true, TRANSPORT_DISCARD, "", 0},
        {"error: no more mail ", true, TRANSPORT_ERROR, "no more mail", 0},
        {"mx:192.0.2.1", false, TRANSPORT_MX, "an address has no MX", 0},
        {"smtp:h.example", false, TRANSPORT_SMTP, "expected smtp://HOST:PORT", 0},
        {"smtp://", false, TRANSPORT_SMTP, "this is no host name", 0},
        {"smtp://h.example/x", false, TRANSPORT_SMTP, "this is no host name", 0},
        {"smtp://h.example:25:25", false, TRANSPORT_SMTP, "a port is a number", 0},
        {"error:a\rb", false, TRANSPORT_ERROR, "a control character", 0},
        {"mx:", false, TRANSPORT_MX, "this is no host name", 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena arena = {0};
        struct config_transport t = {.match = STR("*")};
        const char *reason = NULL;
        bool fine = place_parse_transport(str_from_cstr(rows[i].text), &arena, &t, &reason);
        bool right = fine ? t.kind == rows[i].kind && t.port == rows[i].port &&
                                t.implicit_tls == (strncmp(rows[i].text, "smtps", 5) == 0) &&
                                str_eq(t.host, str_from_cstr(rows[i].host)) &&
                                str_eq(t.match, STR("*"))
                          : reason && strstr(reason, rows[i].host);
        if (fine != rows[i].fine || !right) {
            fail_msg("%s: %s", rows[i].text, reason ? reason : "taken");
        }
        arena_done(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mailboxes_are_read_in_every_form),
        cmocka_unit_test(a_program_s_words_are_cut_at_blanks_and_held_by_quotes),
        cmocka_unit_test(a_program_has_63_arguments_and_no_64),
        cmocka_unit_test(what_is_no_mailbox_is_refused_with_a_reason),
        cmocka_unit_test(a_local_socket_s_path_has_107_octets_and_no_108),
        cmocka_unit_test(transports_are_read_in_every_form),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
