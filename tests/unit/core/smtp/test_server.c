#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "core/smtp/server.h"

/* A caller that says yes to all, and writes down what it is told:
 * "H(name) M(sender) R(rcpt) D B b(octets) E A V(text) X(text) P(mechanism) p(response) Q C". To
 * AUTH it asks for one response, which must be "right". */
struct talk {
    struct smtp_server server;
    struct smtp_server_options options;
    struct buf out;  /* what the server said */
    struct buf told; /* its events */
    struct buf body; /* octets of a run of BODY events */
    bool refuse_rcpt;
    bool refuse_every_other;
};

static void setup(struct talk *t, bool lmtp)
{
    *t = (struct talk){
        .options = {
            .hostname = STR("mx.example"), .message_max = 1000, .rcpt_max = 3, .error_max = 5}};
    smtp_server_init(&t->server, &t->options, &t->out, lmtp);
}

static void teardown(struct talk *t)
{
    smtp_server_done(&t->server);
    buf_done(&t->out);
    buf_done(&t->told);
    buf_done(&t->body);
}

static void write_body(struct talk *t)
{
    if (t->body.len > 0) {
        buf_add_format(&t->told, "b(%.*s)", STR_ARG(buf_str(&t->body)));
        buf_clear(&t->body);
    }
}

static void write_path(struct talk *t, char letter, const struct path *path)
{
    buf_add_format(&t->told, "%c(", letter);
    if (path->postmaster) {
        buf_add(&t->told, STR("postmaster"));
    } else if (!path->null) {
        mailbox_format(&t->told, &path->mailbox);
    }
    buf_add_char(&t->told, ')');
}

static void on_login(struct talk *t, enum server_event_kind kind, const struct server_event *event)
{
    struct smtp_reply challenge = {.code = 334, .text = STR("aGk=")};
    if (kind == SERVER_AUTH) {
        buf_add_format(&t->told, "P(%.*s)", STR_ARG(event->command->argument));
        smtp_server_reply(&t->server, &challenge);
        return;
    }
    buf_add_format(&t->told, "p(%.*s)", STR_ARG(event->body));
    if (!str_eq(event->body, STR("right"))) {
        smtp_server_reply(&t->server, smtp_answer(ANSWER_AUTH_FAILED));
    }
}

static void on_rcpt(struct talk *t, const struct path *path)
{
    write_path(t, 'R', path);
    t->refuse_rcpt = t->refuse_rcpt != t->refuse_every_other;
    if (t->refuse_rcpt) {
        smtp_server_reply(&t->server, smtp_answer(ANSWER_NO_SUCH_USER));
    }
}

static void on_event(struct talk *t, enum server_event_kind kind, const struct server_event *event)
{
    struct smtp_server *s = &t->server;
    if (kind == SERVER_BODY) {
        buf_add(&t->body, event->body);
        return;
    }
    write_body(t);
    switch (kind) {
    case SERVER_HELO:
        buf_add_format(&t->told, "H(%.*s)", STR_ARG(event->command->argument));
        break;
    case SERVER_MAIL:
        write_path(t, 'M', &event->command->path);
        break;
    case SERVER_RCPT:
        on_rcpt(t, &event->command->path);
        break;
    case SERVER_VRFY:
    case SERVER_EXPN:
        buf_add_format(&t->told, "%c(%.*s)", kind == SERVER_VRFY ? 'V' : 'X',
                       STR_ARG(event->command->argument));
        break;
    case SERVER_DATA:
    case SERVER_BDAT:
        buf_add_char(&t->told, kind == SERVER_DATA ? 'D' : 'B');
        break;
    case SERVER_END:
        buf_add_char(&t->told, 'E');
        break;
    case SERVER_ABORT:
        buf_add_char(&t->told, 'A');
        break;
    case SERVER_AUTH:
    case SERVER_RESPONSE:
        on_login(t, kind, event);
        break;
    case SERVER_STARTTLS:
        buf_add_char(&t->told, 'T');
        smtp_server_accept(s);
        smtp_server_secured(s);
        break;
    case SERVER_AUTH_END:
        buf_add_char(&t->told, 'Z');
        break;
    case SERVER_QUIT:
        buf_add_char(&t->told, 'Q');
        break;
    case SERVER_CLOSE:
        buf_add_char(&t->told, 'C');
        break;
    case SERVER_BODY:
    case SERVER_MORE:
    case SERVER_WAIT:
        break;
    }
    while (smtp_server_is_asking(s)) {
        smtp_server_accept(s);
    }
}

static bool feed(struct talk *t, struct str bytes)
{
    struct command command;
    struct server_event event;
    enum server_event_kind kind;
    while ((kind = smtp_server_next(&t->server, &bytes, &command, &event)) > SERVER_WAIT) {
        on_event(t, kind, &event);
        if (kind == SERVER_QUIT || kind == SERVER_CLOSE) {
            return false;
        }
    }
    assert_int_equal(kind, SERVER_MORE);
    assert_int_equal(bytes.len, 0);
    return true;
}

/* The codes said, in order: "250 354 …". Continuation lines are left out. */
static void codes(const struct talk *t, struct buf *into)
{
    struct str rest = buf_str(&t->out);
    while (rest.len > 0) {
        struct str line = str_split(&rest, '\n');
        if (line.len > 4 && line.ptr[3] == ' ') {
            buf_add(into, into->len > 0 ? STR(" ") : STR(""));
            buf_add(into, str_head(line, 3));
        }
    }
}

#define HI "EHLO a\r\n"
#define TX HI "MAIL FROM:<a@b.c>\r\nRCPT TO:<d@e.f>\r\n"

struct row {
    const char *name;
    struct str in, codes, told;
};

/* clang-format off */
#define I(s) STR_INIT(s)
static const struct row rows[] = {
    {"a message", I(TX "DATA\r\nx\r\n.\r\nQUIT\r\n"), I("250 250 250 354 250 221"), I("H(a)M(a@b.c)R(d@e.f)Db(x\r\n)EQ")},
    {"two messages", I(TX "DATA\r\n.\r\nMAIL FROM:<>\r\nRCPT TO:<postmaster>\r\nDATA\r\ny\r\n.\r\n"),
     I("250 250 250 354 250 250 250 354 250"), I("H(a)M(a@b.c)R(d@e.f)DEM()R(postmaster)Db(y\r\n)E")},
    {"chunks", I(TX "BDAT 3\r\nx\r\nBDAT 2\r\n\r\nBDAT 0 LAST\r\n"), I("250 250 250 250 250 250"), I("H(a)M(a@b.c)R(d@e.f)Bb(x\r\n\r\n)E")},
    {"one chunk", I(TX "BDAT 3 LAST\r\nx\r\nNOOP\r\n"), I("250 250 250 250 250"), I("H(a)M(a@b.c)R(d@e.f)Bb(x\r\n)E")},
    {"a chunk of a command", I(TX "BDAT 6 LAST\r\nQUIT\r\nNOOP\r\n"), I("250 250 250 250 250"), I("H(a)M(a@b.c)R(d@e.f)Bb(QUIT\r\n)E")},
    {"an empty message in a chunk", I(TX "BDAT 0 LAST\r\n"), I("250 250 250 250"), I("H(a)M(a@b.c)R(d@e.f)BE")},
    {"a chunk out of order is passed over", I(HI "BDAT 6\r\nQUIT\r\nNOOP\r\n"), I("250 503 250"), I("H(a)")},
    {"a chunk before EHLO", I("BDAT 6 LAST\r\nQUIT\r\nNOOP\r\n"), I("503 250"), I("")},
    {"a chunk with bad syntax is passed over", I(TX "BDAT 6 LSAT\r\nQUIT\r\nNOOP\r\n"), I("250 250 250 501 250"), I("H(a)M(a@b.c)R(d@e.f)A")},
    {"BDAT without a size", I(TX "BDAT\r\nBDAT x\r\nBDAT -1\r\n"), I("250 250 250 501 501 501"), I("H(a)M(a@b.c)R(d@e.f)")},
    {"DATA after BDAT", I(TX "BDAT 1\r\nxDATA\r\nMAIL FROM:<>\r\nRCPT TO:<a@b>\r\nRSET\r\n"), I("250 250 250 250 503 503 503 250"), I("H(a)M(a@b.c)R(d@e.f)Bb(x)A")},
    {"binary needs BDAT", I(HI "MAIL FROM:<a@b> BODY=BINARYMIME\r\nRCPT TO:<a@b>\r\nDATA\r\nBDAT 2 LAST\r\n\n\r"), I("250 250 250 503 250"), I("H(a)M(a@b)R(a@b)Bb(\n\r)E")},
    {"a bare LF in a chunk", I(TX "BDAT 2\r\na\nBDAT 1 LAST\r\nxRSET\r\n"), I("250 250 250 550 503 250"), I("H(a)M(a@b.c)R(d@e.f)Bb(a)A")},
    {"a chunk that ends in CR", I(TX "BDAT 2 LAST\r\na\rNOOP\r\n"), I("250 250 250 550 250"), I("H(a)M(a@b.c)R(d@e.f)Bb(a)A")},
    {"a line end over two chunks", I(TX "BDAT 2\r\na\rBDAT 1 LAST\r\n\n"), I("250 250 250 250 250"), I("H(a)M(a@b.c)R(d@e.f)Bb(a\r\n)E")},
    {"LF.LF smuggles nothing", I(TX "DATA\r\nx\n.\nMAIL FROM:<evil@x>\r\n.\r\nNOOP\r\n"), I("250 250 250 354 550 250"), I("H(a)M(a@b.c)R(d@e.f)Db(x)A")},
    {"bare LF in commands smuggles nothing", I(HI "NOOP\nMAIL FROM:<evil@x>\r\nNOOP\r\n"), I("250 500 500 250"), I("H(a)")},
    {"DATA before all", I("DATA\r\n" HI "DATA\r\nMAIL FROM:<a@b>\r\nDATA\r\n"), I("503 250 503 250 503"), I("H(a)M(a@b)")},
    {"MAIL before EHLO, twice, RCPT before MAIL", I("MAIL FROM:<a@b>\r\n" HI "RCPT TO:<a@b>\r\nMAIL FROM:<a@b>\r\nMAIL FROM:<a@b>\r\n"),
     I("503 250 503 250 503"), I("H(a)M(a@b)")},
    {"HELO and EHLO without a name", I("HELO\r\nEHLO\r\nEHLO \r\nHELO a_b\r\n"), I("501 501 501 250"), I("H(a_b)")},
    {"EHLO again forgets", I(TX HI "DATA\r\n"), I("250 250 250 250 503"), I("H(a)M(a@b.c)R(d@e.f)AH(a)")},
    {"RSET forgets", I(TX "RSET\r\nDATA\r\n"), I("250 250 250 250 503"), I("H(a)M(a@b.c)R(d@e.f)A")},
    {"arguments where none may be", I(HI "RSET x\r\nDATA x\r\nQUIT x\r\nNOOP x\r\nRSET \r\n"), I("250 501 503 501 250 250"), I("H(a)")},
    {"spaces and a bare address", I(HI "MAIL FROM: <a@b>\r\nRCPT TO: c@d\r\n"), I("250 250 250"), I("H(a)M(a@b)R(c@d)")},
    {"MAIL without sense", I(HI "MAIL\r\nMAIL FROM:\r\nMAIL LALA: <>\r\n"), I("250 501 501 501"), I("H(a)")},
    {"unknown parameter", I(HI "MAIL FROM:<a@b> X=1\r\nMAIL FROM:<a@b> SIZE=x\r\nMAIL FROM:<a@b> RET=FULL RET=HDRS\r\n"), I("250 555 501 501"), I("H(a)")},
    {"SIZE at the limit and over", I(HI "MAIL FROM:<a@b> SIZE=1001\r\nMAIL FROM:<a@b> SIZE=1000\r\n"), I("250 552 250"), I("H(a)M(a@b)")},
    {"VRFY, EXPN, HELP, NOOP", I("VRFY a\r\nEXPN l\r\nVRFY\r\nHELP\r\nHELP mail\r\nHELP xx\r\nNOOP y\r\n"), I("252 502 501 214 214 504 250"), I("V(a)X(l)")},
    {"what is not offered", I(HI "STARTTLS\r\nAUTH PLAIN\r\nETRN x\r\nLHLO a\r\n"), I("250 502 503 502 500"), I("H(a)")},
    {"AUTH", I(HI "AUTH X y\r\nright\r\nAUTH X\r\nMAIL FROM:<a@b>\r\n"), I("250 334 235 503 250"), I("H(a)P(X y)p(right)M(a@b)")},
    {"AUTH fails, and again", I(HI "AUTH X\r\nwrong\r\nAUTH X\r\nright\r\n"), I("250 334 535 334 235"), I("H(a)P(X)p(wrong)P(X)p(right)")},
    {"AUTH is broken off", I(HI "AUTH X\r\n*\r\nNOOP\r\nAUTH X\r\nb\nad\r\nright\r\n"), I("250 334 501 250 334 501 500 500"), I("H(a)P(X)ZP(X)Z")},
    {"a response that looks like a command is none", I(HI "AUTH X\r\nMAIL FROM:<a@b>\r\nNOOP\r\n"), I("250 334 535 250"), I("H(a)P(X)p(MAIL FROM:<a@b>)")},
    {"AUTH before EHLO, without a mechanism, in a message", I("AUTH X\r\n" HI "AUTH\r\nMAIL FROM:<a@b>\r\nAUTH X\r\n"), I("503 250 501 250 503"), I("H(a)M(a@b)")},
    {"guessing ends the session", I(HI "AUTH X\r\n1\r\nAUTH X\r\n2\r\nAUTH X\r\n3\r\nAUTH X\r\n4\r\nAUTH X\r\n5\r\nNOOP\r\n"),
     I("250 334 535 334 535 334 535 334 535 334 535 421"), I("H(a)P(X)p(1)P(X)p(2)P(X)p(3)P(X)p(4)P(X)p(5)C")},
    {"a browser", I("GET / HTTP/1.1\r\nNOOP\r\n"), I("502"), I("C")},
    {"too many recipients", I(TX "RCPT TO:<a@b>\r\nRCPT TO:<a@c>\r\nRCPT TO:<a@d>\r\n"), I("250 250 250 250 250 452"), I("H(a)M(a@b.c)R(d@e.f)R(a@b)R(a@c)")},
    {"too many errors", I("a\r\nb\r\nc\r\nd\r\ne\r\nNOOP\r\n"), I("500 500 500 500 500 421"), I("C")},
    {"control characters", I("NOOP \x01\r\nNOOP \x7f\r\n"), I("500 500"), I("")},
    {"UTF-8 needs SMTPUTF8", I(HI "MAIL FROM:<\xc3\xa9@b>\r\nMAIL FROM:<a@b>\r\nRCPT TO:<\xc3\xa9@b>\r\nRSET\r\nMAIL FROM:<\xc3\xa9@b> SMTPUTF8\r\nRCPT TO:<\xc3\xa9@b>\r\n"),
     I("250 553 250 553 250 250 250"), I("H(a)M(a@b)AM(\xc3\xa9@b)R(\xc3\xa9@b)")},
};
/* clang-format on */

static void check(const struct row *row, size_t first, size_t step)
{
    struct talk t;
    struct buf said = {0};
    setup(&t, false);
    struct str in = row->in;
    t.options.mechanisms = str_find_str(in, STR("AUTH X")) == STR_NONE ? STR("") : STR(" X");
    bool open = true;
    for (size_t size = first; in.len > 0 && open; size = step) {
        open = feed(&t, str_head(in, size));
        in = str_tail(in, size);
    }
    write_body(&t);
    codes(&t, &said);
    if (!str_eq(buf_str(&said), row->codes) || !str_eq(buf_str(&t.told), row->told)) {
        fail_msg("%s (%zu, %zu): \"%.*s\" \"%.*s\"", row->name, first, step,
                 STR_ARG(buf_str(&said)), STR_ARG(buf_str(&t.told)));
    }
    buf_done(&said);
    teardown(&t);
}

static void every_command_is_answered_as_the_table_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        check(&rows[i], rows[i].in.len, 1);
    }
}

static void every_cut_of_the_input_gives_the_same(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        check(&rows[i], 1, 1);
        for (size_t first = 1; first < rows[i].in.len; first++) {
            check(&rows[i], first, rows[i].in.len);
        }
    }
}

static void a_local_part_alone_is_taken_where_that_is_allowed(void **state)
{
    struct talk t;
    struct buf said = {0};
    (void)state;
    setup(&t, false);
    struct str in =
        STR(HI "MAIL FROM:<a>\r\nMAIL FROM:<a@b>\r\nRCPT TO:<\"c d\">\r\nRCPT TO:<e@>\r\n");
    assert_true(feed(&t, in));
    t.options.take_unqualified = true;
    assert_true(
        feed(&t, STR("RSET\r\nMAIL FROM:<a> SIZE=1\r\nRCPT TO:<\"c d\">\r\nRCPT TO:<e@>\r\n")));
    codes(&t, &said);
    assert_true(str_eq(buf_str(&said), STR("250 501 250 501 501 250 250 250 501")));
    buf_done(&said);
    teardown(&t);
}

static void a_command_waits_for_the_answer_to_the_one_before(void **state)
{
    (void)state;
    struct talk t;
    setup(&t, false);
    struct str in = STR("EHLO a\r\nNOOP\r\n");
    struct command command;
    struct server_event event;
    assert_int_equal(smtp_server_next(&t.server, &in, &command, &event), SERVER_HELO);
    assert_int_equal(smtp_server_next(&t.server, &in, &command, &event), SERVER_WAIT);
    assert_true(str_eq(in, STR("NOOP\r\n")));
    assert_int_equal(t.out.len, 0);
    smtp_server_accept(&t.server);
    assert_int_equal(smtp_server_next(&t.server, &in, &command, &event), SERVER_MORE);
    assert_true(str_ends(buf_str(&t.out), STR("250 HELP\r\n250 2.0.0 OK, nothing done\r\n")));
    teardown(&t);
}

/* How many of so many recipients are answered before the session is ended. */
static size_t name_recipients(struct talk *t, size_t most)
{
    for (size_t i = 0; i < most; i++) {
        if (!feed(t, STR("RCPT TO:<d@e.f>\r\n"))) {
            return i;
        }
    }
    return most;
}

static void who_tries_names_without_end_is_stopped(void **state)
{
    (void)state;
    struct talk t;
    setup(&t, false);
    t.options.rcpt_max = 1000;
    t.refuse_rcpt = true;
    assert_true(feed(&t, STR(HI "MAIL FROM:<a@b.c>\r\n")));
    assert_int_equal(name_recipients(&t, 1000) + 1, 50);
    assert_true(str_find_str(buf_str(&t.out), STR("421 4.7.0 ")) != STR_NONE);
    teardown(&t);
}

static void a_long_list_with_old_names_in_it_is_taken(void **state)
{
    (void)state;
    struct talk t;
    setup(&t, false);
    t.options.rcpt_max = 1000;
    t.refuse_every_other = true;
    assert_true(feed(&t, STR(HI "MAIL FROM:<a@b.c>\r\n")));
    assert_int_equal(name_recipients(&t, 1000), 1000);
    assert_true(feed(&t, STR("DATA\r\n.\r\nNOOP\r\n")));
    teardown(&t);
}

static void a_connection_that_brings_messages_may_err_now_and_then(void **state)
{
    (void)state;
    struct talk t;
    setup(&t, false);
    t.options.empty_max = 10;
    for (int i = 0; i < 100; i++) {
        t.refuse_rcpt = true;
        assert_true(feed(&t, STR(TX "FROB\r\nNOOP\r\nRCPT TO:<x@y.z>\r\nRCPT TO:<x@y.z>\r\n")));
        t.refuse_rcpt = false;
        assert_true(feed(&t, STR("RCPT TO:<d@e.f>\r\nDATA\r\nx\r\n.\r\n")));
    }
    teardown(&t);
}

static void data_without_a_valid_recipient_is_554(void **state)
{
    (void)state;
    struct talk t;
    struct buf said = {0};
    setup(&t, false);
    t.refuse_rcpt = true;
    assert_true(feed(&t, STR(TX "DATA\r\n")));
    codes(&t, &said);
    assert_true(str_eq(buf_str(&said), STR("250 250 550 554")));
    buf_done(&said);
    teardown(&t);
}

static void a_message_over_the_limit_is_refused_at_its_end(void **state)
{
    (void)state;
    for (size_t size = 1000; size <= 1001; size++) {
        struct talk t;
        struct buf said = {0};
        struct buf in = {0};
        setup(&t, false);
        buf_add(&in, STR(TX "DATA\r\n"));
        for (size_t i = 0; i < size - 2; i++) {
            buf_add_char(&in, 'x');
        }
        buf_add(&in, STR("\r\n.\r\nNOOP\r\n"));
        assert_true(feed(&t, buf_str(&in)));
        codes(&t, &said);
        assert_true(str_eq(buf_str(&said), size == 1000 ? STR("250 250 250 354 250 250")
                                                        : STR("250 250 250 354 552 250")));
        buf_done(&in);
        buf_done(&said);
        teardown(&t);
    }
}

static void lmtp_answers_once_for_each_recipient(void **state)
{
    (void)state;
    struct talk t;
    struct buf said = {0};
    setup(&t, true);
    assert_true(feed(&t, STR("LHLO a\r\nMAIL FROM:<>\r\nRCPT TO:<a@b>\r\nRCPT TO:<c@d>\r\n"
                             "DATA\r\nx\r\n.\r\nEHLO a\r\n")));
    codes(&t, &said);
    assert_true(str_eq(buf_str(&said), STR("250 250 250 250 354 250 250 500")));
    buf_done(&said);
    teardown(&t);
}

static void a_session_told_to_end_says_so_at_the_next_command(void **state)
{
    (void)state;
    struct talk t;
    setup(&t, false);
    assert_true(feed(&t, STR(TX "DATA\r\nx\r\n")));
    smtp_server_end(&t.server, smtp_answer(ANSWER_SHUTDOWN));
    assert_true(feed(&t, STR(".\r\n")));
    assert_false(feed(&t, STR("NOOP\r\n")));
    assert_true(str_ends(buf_str(&t.told), STR("EC")));
    assert_int_not_equal(str_find_str(buf_str(&t.out), STR("421 4.3.2")), STR_NONE);
    teardown(&t);
}

static void talk_without_a_message_ends_the_session_and_a_message_forgives_it(void **state)
{
    (void)state;
    struct talk t;
    setup(&t, false);
    t.options.empty_max = 4;
    assert_true(feed(&t, STR("EHLO a\r\nNOOP\r\nRSET\r\nVRFY x\r\n")));
    assert_true(feed(&t, STR("MAIL FROM:<>\r\nRCPT TO:<a@b>\r\nDATA\r\nx\r\n.\r\n")));
    assert_true(feed(&t, STR("NOOP\r\nHELP\r\nNOOP\r\nNOOP\r\n")));
    assert_false(feed(&t, STR("NOOP\r\n")));
    assert_int_not_equal(str_find_str(buf_str(&t.out), STR("421 4.7.0")), STR_NONE);
    teardown(&t);
}

static void recipients_beyond_the_limit_without_end_end_the_session(void **state)
{
    (void)state;
    struct talk t;
    setup(&t, false);
    t.options.empty_max = 4;
    assert_true(feed(
        &t, STR("EHLO a\r\nMAIL FROM:<>\r\nRCPT TO:<a@b>\r\nRCPT TO:<a@b>\r\nRCPT TO:<a@b>\r\n")));
    assert_true(feed(&t, STR("RCPT TO:<a@b>\r\nRCPT TO:<a@b>\r\nRCPT TO:<a@b>\r\n")));
    assert_true(feed(&t, STR("RCPT TO:<a@b>\r\n")));
    assert_false(feed(&t, STR("RCPT TO:<a@b>\r\n")));
    teardown(&t);
}

static void a_line_without_end_ends_the_session(void **state)
{
    (void)state;
    struct talk t;
    struct buf line = {0};
    setup(&t, false);
    for (unsigned i = 0; i < LINE_ENDLESS_OCTETS / 1000; i++) {
        buf_clear(&line);
        for (unsigned k = 0; k < 1000; k++) {
            buf_add_char(&line, 'x');
        }
        assert_true(feed(&t, buf_str(&line)));
    }
    assert_int_equal(t.out.len, 0);
    while (feed(&t, buf_str(&line)) && line.len > 0 && t.out.len == 0) {}
    assert_true(str_starts(buf_str(&t.out), STR("500 5.5.")));
    assert_true(str_ends(buf_str(&t.told), STR("C")));
    buf_done(&line);
    teardown(&t);
}

static void a_refused_message_without_end_ends_the_session(void **state)
{
    (void)state;
    struct talk t;
    struct buf piece = {0};
    uint64_t fed = 0;
    setup(&t, false);
    for (unsigned i = 0; i < 1000; i++) {
        buf_add(&piece, STR("0123456789\r\n"));
    }
    assert_true(feed(&t, STR(TX "DATA\r\n")));
    while (fed < (4 << 20) && feed(&t, buf_str(&piece))) {
        fed += piece.len;
    }
    assert_true(fed > (1 << 20) && fed < (1 << 20) + 30000);
    assert_int_not_equal(str_find_str(buf_str(&t.out), STR("552 5.3.4")), STR_NONE);
    buf_done(&piece);
    teardown(&t);
}

static void a_session_is_small(void **state)
{
    (void)state;
    assert_true(sizeof(struct smtp_server) <= 256);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_command_is_answered_as_the_table_says),
        cmocka_unit_test(every_cut_of_the_input_gives_the_same),
        cmocka_unit_test(a_local_part_alone_is_taken_where_that_is_allowed),
        cmocka_unit_test(a_command_waits_for_the_answer_to_the_one_before),
        cmocka_unit_test(who_tries_names_without_end_is_stopped),
        cmocka_unit_test(a_long_list_with_old_names_in_it_is_taken),
        cmocka_unit_test(a_connection_that_brings_messages_may_err_now_and_then),
        cmocka_unit_test(data_without_a_valid_recipient_is_554),
        cmocka_unit_test(a_message_over_the_limit_is_refused_at_its_end),
        cmocka_unit_test(lmtp_answers_once_for_each_recipient),
        cmocka_unit_test(a_session_told_to_end_says_so_at_the_next_command),
        cmocka_unit_test(talk_without_a_message_ends_the_session_and_a_message_forgives_it),
        cmocka_unit_test(recipients_beyond_the_limit_without_end_end_the_session),
        cmocka_unit_test(a_line_without_end_ends_the_session),
        cmocka_unit_test(a_refused_message_without_end_ends_the_session),
        cmocka_unit_test(a_session_is_small),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
