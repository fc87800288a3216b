#include "path/report/report.h"
#include "sim/disk.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* A desk on which one report is made: the clock stands, the spool notes what it is given. */
struct desk {
    struct clock clock;
    struct timers timers;
    struct entropy entropy;
    struct inbox inbox;
    struct sim_disk disk;
    struct ports ports;
    struct spool spool;
    struct config config;
    struct queue_id_maker ids;
    struct report_office office;
    struct heap armed;
    struct instant now;
    struct parcel *parcel;
    struct spool_put *put;
    int put_result;
    struct buf text;     /* of the report */
    struct buf envelope; /* of the report */
    unsigned committed, done;
    struct queue_report ask;
    struct envelope original;
    struct report_rcpt rcpts[3];
};

static struct instant wall(struct clock *clock)
{
    return CONTAINER_OF(clock, struct desk, clock)->now;
}

static void cancel(struct timers *timers, struct timer *timer)
{
    heap_remove(&CONTAINER_OF(timers, struct desk, timers)->armed, &timer->node);
}

static void arm(struct timers *timers, struct timer *timer, struct span after)
{
    struct desk *d = CONTAINER_OF(timers, struct desk, timers);
    cancel(timers, timer);
    assert_true(heap_push(&d->armed, &timer->node, after.us));
}

static uint64_t u64(struct entropy *entropy)
{
    (void)entropy;
    return UINT64_C(0x0123456789abcdef);
}

static void post(struct inbox *inbox, struct parcel *parcel)
{
    CONTAINER_OF(inbox, struct desk, inbox)->parcel = parcel;
}

static void put(struct spool *spool, struct spool_put *op)
{
    struct desk *d = CONTAINER_OF(spool, struct desk, spool);
    assert_true(op->reserve);
    uint64_t size = 0;
    for (size_t i = 0; i < op->body.count; i++) {
        buf_add(&d->text, op->body.pieces[i]);
        size += op->body.pieces[i].len;
    }
    assert_int_equal(size, op->body_size);
    buf_add(&d->envelope, op->envelope);
    d->put = op;
}

static const struct spool_ops spool_ops = {.put = put};

static void committed(void *owner, const struct envelope *envelope)
{
    struct desk *d = owner;
    assert_true(envelope->is_report);
    assert_int_equal(envelope->reverse_path.len, 0);
    d->committed++;
}

static void done(struct queue_report *ask)
{
    CONTAINER_OF(ask, struct desk, ask)->done++;
}

static struct desk *desk_new(void)
{
    struct desk *d = calloc(1, sizeof *d);
    assert_non_null(d);
    d->clock.wall = wall;
    d->timers = (struct timers){arm, cancel};
    d->entropy.u64 = u64;
    d->inbox.post = post;
    d->spool.ops = &spool_ops;
    d->now = (struct instant){INT64_C(1795514401000000)};
    sim_disk_init(&d->disk, &d->timers, 3);
    d->ports = (struct ports){.clock = &d->clock,
                              .timers = &d->timers,
                              .entropy = &d->entropy,
                              .disk = &d->disk.disk,
                              .inbox = &d->inbox};
    d->config.hostname = STR("mx.test");
    d->office = (struct report_office){&d->ports, &d->spool, &d->ids, committed, d};
    d->original = (struct envelope){.id = {UINT64_C(459651686656000001)},
                                    .reverse_path = STR("ann@home.test"),
                                    .envid = STR("order 7"),
                                    .helo = STR("pc.home.test"),
                                    .arrived = {d->now.us - SPAN_H(1).us}};
    d->rcpts[0] = (struct report_rcpt){
        .address = STR("bob@there.test"),
        .orcpt = STR("rfc822;Bob@there.test"),
        .outcome = {.kind = OUTCOME_FAILED,
                    .at = d->now,
                    .status = {5, 1, 1},
                    .reply_code = 550,
                    .host = STR("mx.there.test"),
                    .text = STR("550 5.1.1 No such user here, and this goes on for so long that "
                                "the line has to be folded")},
        .give_up = {d->now.us + SPAN_D(5).us}};
    d->ask = (struct queue_report){.done = done,
                                   .config = &d->config,
                                   .kind = REPORT_FAILURE,
                                   .envelope = &d->original,
                                   .additions = STR("Received: by mx.test\r\n"),
                                   .rcpts = d->rcpts,
                                   .rcpt_count = 1};
    return d;
}

static void desk_free(struct desk *d)
{
    sim_disk_done(&d->disk);
    heap_done(&d->armed);
    buf_done(&d->text);
    buf_done(&d->envelope);
    free(d);
}

static void opened(struct disk_op *op)
{
    assert_int_equal(op->result, 0);
}

static void run(struct desk *d)
{
    for (;;) {
        struct parcel *parcel = d->parcel;
        struct spool_put *op = d->put;
        d->parcel = NULL;
        d->put = NULL;
        if (parcel) {
            parcel->open(parcel);
        } else if (op) {
            op->result = d->put_result;
            op->done(op);
        } else if (d->armed.count > 0) {
            struct heap_node *n = heap_min(&d->armed);
            heap_remove(&d->armed, n);
            struct timer *timer = CONTAINER_OF(n, struct timer, node);
            timer->fire(timer);
        } else {
            return;
        }
    }
}

/* Makes the report about a message with this text; the whole of it, as it would be sent. */
static struct str make(struct desk *d, struct str message)
{
    sim_disk_put(&d->disk, "/body", message);
    struct disk_op op = {.done = opened};
    d->disk.disk.open(&d->disk.disk, &op, STR("/body"), DISK_READ);
    run(d);
    d->ask.body = (struct spool_body){.file = op.file, .size = message.len};
    report_make(&d->office, &d->ask);
    assert_int_equal(d->done, 0);
    run(d);
    assert_int_equal(d->done, 1);
    d->disk.disk.close(&d->disk.disk, op.file);
    return buf_str(&d->text);
}

static bool has(struct str text, const char *words)
{
    return str_find_str(text, str_from_cstr(words)) != STR_NONE;
}

/* The value of a field in this text, unfolded, in static memory; empty: no such field. */
static const char *field(struct str text, const char *name)
{
    static char value[600];
    size_t len = 0;
    char start[64];
    (void)snprintf(start, sizeof start, "\r\n%s: ", name);
    size_t at = str_find_str(text, str_from_cstr(start));
    value[0] = '\0';
    if (at == STR_NONE) {
        return value;
    }
    struct str rest = str_tail(text, at + strlen(start));
    for (size_t i = 0; i < rest.len && len + 1 < sizeof value; i++) {
        bool folds = i + 2 < rest.len && rest.ptr[i] == '\r' &&
                     (rest.ptr[i + 2] == ' ' || rest.ptr[i + 2] == '\t');
        if (folds) {
            i += 2;
            value[len++] = ' ';
        } else if (rest.ptr[i] == '\r') {
            break;
        } else {
            value[len++] = rest.ptr[i];
        }
    }
    value[len] = '\0';
    return value;
}

static struct str part(struct str text, const char *type)
{
    size_t at = str_find_str(text, str_from_cstr(type));
    assert_true(at != STR_NONE);
    struct str rest = str_tail(text, at);
    size_t end = str_find_str(rest, STR("\r\n--report="));
    assert_true(end != STR_NONE);
    rest = str_head(rest, end);
    size_t body = str_find_str(rest, STR("\r\n\r\n"));
    assert_true(body != STR_NONE);
    return str_tail(rest, body + 2); /* one line end is left, so that field() finds the first */
}

static const struct str mail =
    STR_INIT("Subject: Hello\r\nFrom: ann@home.test\r\n\r\nThe body.\r\n");

static void a_failure_has_every_field_of_rfc_3464(void **state)
{
    (void)state;
    struct desk *d = desk_new();
    struct str text = make(d, mail);
    assert_int_equal(d->ask.result, 0);
    assert_int_equal(d->committed, 1);
    assert_true(d->ask.id.value != 0);
    assert_string_equal(field(text, "To"), "<ann@home.test>");
    assert_string_equal(field(text, "From"), "Mail server <MAILER-DAEMON@mx.test>");
    assert_string_equal(field(text, "Auto-Submitted"), "auto-replied");
    assert_true(str_starts(text, STR("Date: ")));
    assert_true(has(text, "Content-Type: multipart/report; report-type=delivery-status;"));
    struct str status = part(text, "Content-Type: message/delivery-status");
    assert_string_equal(field(status, "Original-Envelope-Id"), "order 7");
    assert_string_equal(field(status, "Reporting-MTA"), "dns; mx.test");
    assert_string_equal(field(status, "Received-From-MTA"), "dns; pc.home.test");
    assert_true(strlen(field(status, "Arrival-Date")) > 0);
    assert_string_equal(field(status, "Original-Recipient"), "rfc822;Bob@there.test");
    assert_string_equal(field(status, "Final-Recipient"), "rfc822; bob@there.test");
    assert_string_equal(field(status, "Action"), "failed");
    assert_string_equal(field(status, "Status"), "5.1.1");
    assert_string_equal(field(status, "Remote-MTA"), "dns; mx.there.test");
    assert_string_equal(field(status, "Diagnostic-Code"),
                        "smtp; 550 5.1.1 No such user here, and this goes on for so long that "
                        "the line has to be folded");
    assert_true(strlen(field(status, "Last-Attempt-Date")) > 0);
    assert_string_equal(field(status, "Will-Retry-Until"), "");
    struct str returned = part(text, "Content-Type: message/rfc822");
    assert_true(has(returned, "Received: by mx.test\r\nSubject: Hello"));
    assert_true(has(returned, "The body."));
    assert_true(has(text, "could not be delivered"));
    desk_free(d);
}

static void ret_hdrs_returns_the_header_alone(void **state)
{
    (void)state;
    struct desk *d = desk_new();
    d->original.ret = RET_HDRS;
    struct str text = make(d, mail);
    struct str returned = part(text, "Content-Type: text/rfc822-headers");
    assert_true(has(returned, "Subject: Hello"));
    assert_false(has(text, "The body."));
    desk_free(d);
}

static void a_message_over_1_mib_is_not_returned_whole(void **state)
{
    (void)state;
    for (unsigned over = 0; over < 2; over++) {
        struct desk *d = desk_new();
        struct buf big = {0};
        buf_add(&big, mail);
        while (big.len + d->ask.additions.len < (1U << 20) + over) {
            buf_add_char(&big, 'x');
        }
        struct str text = make(d, buf_str(&big));
        assert_int_equal(has(text, "The body."), !over);
        buf_done(&big);
        desk_free(d);
    }
}

static void a_delay_says_until_when(void **state)
{
    (void)state;
    struct desk *d = desk_new();
    d->ask.kind = REPORT_DELAY;
    d->rcpts[0].outcome.kind = OUTCOME_DEFERRED;
    d->rcpts[0].outcome.status = (struct status_code){4, 4, 1};
    d->rcpts[0].outcome.reply_code = 0;
    struct str text = make(d, mail);
    struct str status = part(text, "Content-Type: message/delivery-status");
    assert_string_equal(field(status, "Action"), "delayed");
    assert_string_equal(field(status, "Status"), "4.4.1");
    assert_true(strlen(field(status, "Will-Retry-Until")) > 0);
    assert_true(str_starts(str_from_cstr(field(status, "Diagnostic-Code")), STR("x-postrider; ")));
    assert_false(has(text, "The body."));
    assert_true(has(text, "tried again until"));
    desk_free(d);
}

static void a_success_says_how(void **state)
{
    (void)state;
    static struct outcome_child list[] = {{STR_INIT("a@b.test"), STR_INIT("owner@b.test")}};
    struct desk *d = desk_new();
    d->ask.kind = REPORT_SUCCESS;
    d->ask.rcpt_count = 3;
    d->rcpts[1] = d->rcpts[2] = d->rcpts[0];
    d->rcpts[0].outcome.kind = OUTCOME_RELAYED;
    d->rcpts[0].outcome.status = (struct status_code){2, 1, 5};
    d->rcpts[1].outcome = (struct outcome){.kind = OUTCOME_EXPANDED, .at = d->now};
    d->rcpts[2].outcome = (struct outcome){
        .kind = OUTCOME_EXPANDED, .at = d->now, .children = list, .child_count = 1};
    struct str text = make(d, mail);
    assert_true(has(text, "Action: relayed\r\nStatus: 2.1.5\r\n"));
    assert_true(has(text, "Action: expanded\r\nStatus: 2.0.0\r\n"));
    assert_true(has(text, "Action: delivered\r\nStatus: 2.0.0\r\n"));
    desk_free(d);
}

static void a_temporary_code_is_permanent_in_a_failure(void **state)
{
    (void)state;
    struct desk *d = desk_new();
    d->rcpts[0].outcome.status = (struct status_code){4, 2, 2};
    struct str text = make(d, mail);
    assert_true(has(text, "\r\nStatus: 5.2.2\r\n"));
    desk_free(d);
}

static void what_was_sent_without_a_sender_goes_to_the_postmaster_or_nobody(void **state)
{
    (void)state;
    struct desk *d = desk_new();
    d->original.reverse_path = (struct str){0};
    struct str text = make(d, mail);
    assert_int_equal(text.len, 0);
    assert_int_equal(d->ask.result, 0);
    assert_int_equal(d->ask.id.value, 0);
    assert_int_equal(d->committed, 0);
    desk_free(d);
    d = desk_new();
    d->original.is_report = true;
    d->config.queue.bounce_postmaster = STR("postmaster@mx.test");
    text = make(d, mail);
    assert_string_equal(field(text, "To"), "<postmaster@mx.test>");
    assert_int_equal(d->committed, 1);
    desk_free(d);
}

static void a_hostile_reply_adds_no_field_and_no_part(void **state)
{
    (void)state;
    struct desk *d = desk_new();
    d->rcpts[0].outcome.text = STR("550 no\r\n\r\n--report=x\r\nAction: delivered\n\x80\xff\x01");
    struct str text = make(d, mail);
    struct str status = part(text, "Content-Type: message/delivery-status");
    assert_string_equal(field(status, "Diagnostic-Code"),
                        "smtp; 550 no --report=x Action: delivered ??");
    assert_string_equal(field(status, "Action"), "failed");
    desk_free(d);
}

static void addresses_in_utf_8_make_a_global_report(void **state)
{
    (void)state;
    struct desk *d = desk_new();
    d->original.smtputf8 = true;
    d->rcpts[0].address = STR("b\xc3\xb6rje@there.test");
    d->rcpts[0].orcpt = (struct str){0};
    struct str text = make(d, mail);
    struct str status = part(text, "Content-Type: message/global-delivery-status");
    assert_string_equal(field(status, "Final-Recipient"), "utf-8; b\xc3\xb6rje@there.test");
    (void)part(text, "Content-Type: message/global\r\n");
    assert_true(has(text, "Content-Transfer-Encoding: 8bit"));
    struct arena arena = {0};
    struct envelope e;
    assert_true(envelope_decode(buf_str(&d->envelope), &arena, &e));
    assert_true(e.smtputf8);
    assert_int_equal(e.body, BODY_8BITMIME);
    arena_done(&arena);
    desk_free(d);
}

static void a_full_spool_is_reported_to_the_queue(void **state)
{
    (void)state;
    struct desk *d = desk_new();
    d->put_result = -ENOSPC;
    (void)make(d, mail);
    assert_int_equal(d->ask.result, -ENOSPC);
    assert_int_equal(d->committed, 0);
    desk_free(d);
}

static void no_line_is_longer_than_mail_allows(void **state)
{
    (void)state;
    struct desk *d = desk_new();
    struct buf longest = {0};
    for (unsigned i = 0; i < 3000; i++) {
        buf_add_char(&longest, 'y');
    }
    d->rcpts[0].outcome.text = buf_str(&longest);
    struct str text = make(d, mail);
    for (struct str rest = text; rest.len > 0;) {
        assert_true(str_split(&rest, '\n').len <= 999);
    }
    buf_done(&longest);
    desk_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_failure_has_every_field_of_rfc_3464),
        cmocka_unit_test(ret_hdrs_returns_the_header_alone),
        cmocka_unit_test(a_message_over_1_mib_is_not_returned_whole),
        cmocka_unit_test(a_delay_says_until_when),
        cmocka_unit_test(a_success_says_how),
        cmocka_unit_test(a_temporary_code_is_permanent_in_a_failure),
        cmocka_unit_test(what_was_sent_without_a_sender_goes_to_the_postmaster_or_nobody),
        cmocka_unit_test(a_hostile_reply_adds_no_field_and_no_part),
        cmocka_unit_test(addresses_in_utf_8_make_a_global_report),
        cmocka_unit_test(a_full_spool_is_reported_to_the_queue),
        cmocka_unit_test(no_line_is_longer_than_mail_allows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
