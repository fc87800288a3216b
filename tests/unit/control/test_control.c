/* The control socket as an asker meets it: a real local socket on a real loop, and a queue that
 * does as each test says. */
#include "control/control.h"

// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "world/loop.h"
#include "world/system.h"

enum { ASKERS = CONTROL_CLIENTS_MAX + 1, ITEMS_MANY = 20000 };

struct asker {
    struct net_connect op;
    struct stream *stream;
    struct buf heard;
    size_t last_lines; /* with "done" */
    bool ended;
};

static struct loop *loop;
static const struct ports *ports;
static struct timer too_long;
static bool was_too_long;
static char folder[] = "/tmp/control-XXXXXX";
static char path[64];
static struct control_office office;
static struct config config;
static struct asker askers[ASKERS];
static struct buf logged;
static size_t awaited; /* last lines, or ends, of all askers: then the loop stops */

/* -- the queue */

static struct timer queue_turn;
static struct queue_request *asked;
static struct queue_why *told;
static size_t items_left, pauses, cancels;
static bool silent; /* it never ends by itself */

static void item(struct queue_request *r)
{
    struct envelope e = {.id = {77 << 8}, .reverse_path = STR("s@a.example")};
    struct queue_item one = {.id = e.id, .envelope = &e, .state = QUEUE_WAITING};
    r->matched++;
    r->each(r, &one);
}

static void queue_goes_on(struct timer *timer)
{
    (void)timer;
    struct queue_request *r = asked;
    while (r && items_left > 0 && !r->paused && r->result == 0) {
        items_left--;
        item(r);
    }
    if (r && r->paused && r->result == 0) {
        pauses++;
    } else if (r && (!silent || r->result != 0)) {
        asked = NULL;
        r->changed = r->action == QUEUE_LIST ? 0 : 2;
        r->done(r);
    }
    struct queue_why *w = told;
    told = NULL;
    if (w) {
        w->done(w);
    }
}

static void soon(void)
{
    ports->timers->arm(ports->timers, &queue_turn, SPAN_S(0));
}

void queue_ask(struct queue *q, struct queue_request *request)
{
    (void)q;
    asked = request;
    soon();
}

void queue_ask_resume(struct queue_request *request)
{
    if (request->paused) {
        request->paused = false;
        soon();
    }
}

void queue_ask_cancel(struct queue_request *request)
{
    cancels++;
    request->result = -ECANCELED;
    soon();
}

void queue_tell(struct queue *q, struct queue_why *why)
{
    (void)q;
    why->found = 0;
    told = why;
    soon();
}

void queue_tell_cancel(struct queue_why *why)
{
    (void)why;
    cancels++;
}

void queue_count(const struct queue *q, struct queue_counts *counts)
{
    (void)q;
    *counts = (struct queue_counts){.messages = 42, .held = 7};
}

static void usage(const struct spool *s, struct spool_usage *u)
{
    (void)s;
    *u = (struct spool_usage){.bytes_live = 1000};
}

static const struct spool_ops spool_ops = {.usage = usage};
static struct spool spool = {&spool_ops};

/* -- the world */

static void keep_event(struct log *log, enum log_level level, const char *event,
                       const struct log_field *fields, size_t count)
{
    (void)log;
    (void)level;
    buf_add(&logged, str_from_cstr(event));
    for (size_t i = 0; i < count; i++) {
        if (fields[i].kind == LOG_INT) {
            buf_add_format(&logged, " %s=%lld", fields[i].name, (long long)fields[i].number);
        } else {
            buf_add_format(&logged, " %s=%.*s", fields[i].name, STR_ARG(fields[i].text));
        }
    }
    buf_add(&logged, STR("\n"));
}

static struct log keeping_log = {.event = keep_event};

static void give_up(struct timer *timer)
{
    (void)timer;
    was_too_long = true;
    loop_stop(loop);
}

static int begin(void **state)
{
    (void)state;
    (void)system_prepare();
    memcpy(folder + sizeof folder - 7, "XXXXXX", 6);
    if (!mkdtemp(folder)) {
        return -1;
    }
    (void)snprintf(path, sizeof path, "%s/control.sock", folder);
    loop = loop_new(&keeping_log, NULL);
    ports = loop_ports(loop);
    queue_turn = (struct timer){.fire = queue_goes_on};
    too_long = (struct timer){.fire = give_up};
    memset(askers, 0, sizeof askers);
    asked = NULL;
    told = NULL;
    items_left = pauses = cancels = awaited = 0;
    silent = was_too_long = false;
    office = (struct control_office){.ports = ports, .spool = &spool};
    config = (struct config){.control_path = str_from_cstr(path)};
    return control_open(&office, &config);
}

static int end(void **state)
{
    (void)state;
    for (size_t i = 0; i < ASKERS; i++) {
        if (askers[i].stream) {
            stream_close(askers[i].stream);
        }
        buf_done(&askers[i].heard);
    }
    control_close(&office);
    if (asked) {
        queue_goes_on(NULL);
    }
    loop_free(loop);
    buf_done(&logged);
    logged = (struct buf){0};
    (void)unlink(path);
    return rmdir(folder);
}

static void run_until(size_t events)
{
    awaited = events;
    ports->timers->arm(ports->timers, &too_long, SPAN_S(20));
    loop_run(loop);
    ports->timers->cancel(ports->timers, &too_long);
    assert_false(was_too_long);
}

static void count_events(void)
{
    size_t events = 0;
    for (size_t i = 0; i < ASKERS; i++) {
        events += askers[i].last_lines + askers[i].ended;
    }
    if (events >= awaited) {
        loop_stop(loop);
    }
}

static void hear(struct stream *stream, struct str bytes)
{
    struct asker *a = stream->owner;
    buf_add(&a->heard, bytes);
    for (size_t lf; (lf = str_find(bytes, '\n')) != STR_NONE; bytes = str_tail(bytes, lf + 1)) {
        struct str line = buf_str(&a->heard);
        size_t from = line.len - bytes.len + lf; /* the line's end, in all that was heard */
        size_t begin_at = from;
        while (begin_at > 0 && line.ptr[begin_at - 1] != '\n') {
            begin_at--;
        }
        a->last_lines += str_starts(str_tail(line, begin_at), STR("{\"done\""));
    }
    count_events();
}

static void hear_end(struct stream *stream, int error)
{
    struct asker *a = stream->owner;
    (void)error;
    a->ended = true;
    count_events();
}

static void drained(struct stream *stream)
{
    (void)stream;
}

static const struct stream_events events = {hear, hear_end, drained};

static void connected(struct net_connect *op)
{
    struct asker *a = CONTAINER_OF(op, struct asker, op);
    assert_int_equal(op->error, 0);
    a->stream = op->stream;
    a->stream->owner = a;
    a->stream->events = &events;
    loop_stop(loop);
}

static struct asker *come(size_t i)
{
    askers[i].op = (struct net_connect){.done = connected, .local_path = str_from_cstr(path)};
    ports->net->connect(ports->net, &askers[i].op);
    loop_run(loop);
    stream_resume(askers[i].stream);
    return &askers[i];
}

static void ask(struct asker *a, const char *text)
{
    stream_write(a->stream, str_from_cstr(text));
}

static bool heard(struct asker *a, const char *text)
{
    buf_add_char(&a->heard, '\0');
    bool found = strstr(a->heard.ptr, text) != NULL;
    a->heard.len--;
    return found;
}

/* -- the tests */

static void a_question_is_answered_by_lines_the_last_with_done(void **state)
{
    (void)state;
    struct asker *a = come(0);
    items_left = 3;
    ask(a, "{\"verb\":\"queue\",\"action\":\"list\"}\n");
    run_until(1);
    size_t lines = 0;
    for (size_t i = 0; i < a->heard.len; i++) {
        lines += a->heard.ptr[i] == '\n';
    }
    assert_int_equal(lines, 4);
    assert_true(heard(a, "\"item\""));
    assert_true(heard(a, "\"matched\":3"));
    assert_int_equal(logged.len, 0); /* to look is not to change */
}

static void questions_at_once_are_answered_in_their_order(void **state)
{
    (void)state;
    struct asker *a = come(0);
    ask(a, "{\"verb\":\"queue\",\"action\":\"list\"}\n\n{\"verb\":\"why\",\"address\":\"a@b."
           "example\"}\n"
           "{\"verb\":\"status\"}\n");
    run_until(3);
    buf_add_char(&a->heard, '\0');
    const char *list = strstr(a->heard.ptr, "matched");
    const char *why = strstr(a->heard.ptr, "found");
    const char *status = strstr(a->heard.ptr, "\"messages\":42");
    assert_true(list && why && status && list < why && why < status);
}

static void a_question_may_come_in_any_pieces(void **state)
{
    (void)state;
    struct asker *a = come(0);
    const char *question = "{\"verb\":\"status\"}\r\n";
    for (size_t i = 0; question[i]; i++) {
        stream_write(a->stream, str_from(question + i, 1));
    }
    run_until(1);
    assert_true(heard(a, "\"held\":7"));
}

static void what_is_no_question_is_refused_and_the_next_is_answered(void **state)
{
    (void)state;
    struct asker *a = come(0);
    ask(a, "hello\n{\"verb\":\"queue\",\"action\":\"remove\",\"selektor\":{}}\n"
           "{\"verb\":\"status\",\"verb\":\"queue\"}\n{\"verb\":\"status\"}\n");
    run_until(4);
    assert_true(heard(a, "this is no JSON"));
    assert_true(heard(a, "queue has an action, a selector and a limit"));
    assert_true(heard(a, "\"messages\":42"));
    assert_int_equal(logged.len, 0);
}

static void a_question_without_end_is_refused_and_the_asker_sent_away(void **state)
{
    (void)state;
    struct asker *a = come(0);
    char *much = malloc(CONTROL_LINE_MAX + 3);
    memset(much, 'x', CONTROL_LINE_MAX + 2);
    much[CONTROL_LINE_MAX + 2] = '\0';
    ask(a, much);
    free(much);
    run_until(2); /* the last line, and the end */
    assert_true(heard(a, "the question is too long"));
    assert_true(a->ended);
}

static void of_too_many_askers_the_last_is_told_so_and_later_ones_are_served(void **state)
{
    (void)state;
    for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++) {
        (void)come(i);
    }
    struct asker *last = come(CONTROL_CLIENTS_MAX);
    run_until(2);
    assert_true(heard(last, "too many ask at once"));
    stream_close(last->stream);
    stream_close(askers[0].stream);
    askers[0] = (struct asker){0};
    buf_done(&last->heard);
    *last = (struct asker){0};
    while (office.client_count == CONTROL_CLIENTS_MAX) {
        ports->timers->arm(ports->timers, &too_long, SPAN_MS(5));
        loop_run(loop);
    }
    was_too_long = false;
    struct asker *again = come(0);
    ask(again, "{\"verb\":\"status\"}\n");
    run_until(1);
}

static void a_change_is_logged_with_who_and_what(void **state)
{
    (void)state;
    char who[64];
    struct asker *a = come(0);
    ask(a, "{\"verb\":\"queue\",\"action\":\"remove\",\"selector\":{\"domain\":\"b.example\"}}\n");
    run_until(1);
    buf_add_char(&logged, '\0');
    (void)snprintf(who, sizeof who, "operator action=remove user=%u ", (unsigned)getuid());
    assert_non_null(strstr(logged.ptr, who));
    assert_non_null(strstr(logged.ptr, "selector={\"domain\":\"b.example\"}"));
    assert_non_null(strstr(logged.ptr, "changed=2 error=0"));
    assert_true(heard(a, "\"changed\":2"));
}

static void who_goes_away_breaks_off_what_he_asked(void **state)
{
    (void)state;
    struct asker *a = come(0);
    silent = true;
    ask(a, "{\"verb\":\"queue\",\"action\":\"list\"}\n");
    while (!asked) {
        ports->timers->arm(ports->timers, &too_long, SPAN_MS(5));
        loop_run(loop);
    }
    stream_close(a->stream);
    a->stream = NULL;
    while (asked || office.client_count > 0) {
        ports->timers->arm(ports->timers, &too_long, SPAN_MS(5));
        loop_run(loop);
    }
    was_too_long = false;
    assert_int_equal(cancels, 1);
}

static void the_queue_is_read_no_faster_than_its_asker_reads(void **state)
{
    (void)state;
    struct asker *a = come(0);
    stream_pause(a->stream);
    items_left = ITEMS_MANY;
    ask(a, "{\"verb\":\"queue\",\"action\":\"list\"}\n");
    while (pauses == 0) {
        ports->timers->arm(ports->timers, &too_long, SPAN_MS(5));
        loop_run(loop);
    }
    was_too_long = false;
    assert_true(items_left > 0);
    stream_resume(a->stream);
    run_until(1);
    assert_int_equal(items_left, 0);
    assert_true(heard(a, "\"matched\":20000"));
}

static void closed_in_the_middle_of_an_answer_nothing_is_left(void **state)
{
    (void)state;
    silent = true;
    ask(come(0),
        "{\"verb\":\"queue\",\"action\":\"hold\",\"selector\":{\"id\":\"0cr83pvvheg82\"}}\n");
    while (!asked) {
        ports->timers->arm(ports->timers, &too_long, SPAN_MS(5));
        loop_run(loop);
    }
    was_too_long = false;
    control_close(&office);
    assert_int_equal(cancels, 1);
    run_until(1); /* the asker's end */
}

static void the_socket_is_closed_to_strangers(void **state)
{
    (void)state;
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0660);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_question_is_answered_by_lines_the_last_with_done, begin,
                                        end),
        cmocka_unit_test_setup_teardown(questions_at_once_are_answered_in_their_order, begin, end),
        cmocka_unit_test_setup_teardown(a_question_may_come_in_any_pieces, begin, end),
        cmocka_unit_test_setup_teardown(what_is_no_question_is_refused_and_the_next_is_answered,
                                        begin, end),
        cmocka_unit_test_setup_teardown(a_question_without_end_is_refused_and_the_asker_sent_away,
                                        begin, end),
        cmocka_unit_test_setup_teardown(
            of_too_many_askers_the_last_is_told_so_and_later_ones_are_served, begin, end),
        cmocka_unit_test_setup_teardown(a_change_is_logged_with_who_and_what, begin, end),
        cmocka_unit_test_setup_teardown(who_goes_away_breaks_off_what_he_asked, begin, end),
        cmocka_unit_test_setup_teardown(the_queue_is_read_no_faster_than_its_asker_reads, begin,
                                        end),
        cmocka_unit_test_setup_teardown(closed_in_the_middle_of_an_answer_nothing_is_left, begin,
                                        end),
        cmocka_unit_test_setup_teardown(the_socket_is_closed_to_strangers, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
