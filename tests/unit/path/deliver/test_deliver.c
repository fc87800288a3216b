#include "path/deliver/deliver.h"

#include "path/deliver/local_deliver.h"
#include "small_world.h"

#include "scripted_server.h"

enum { RCPTS = 6 };

struct test {
    struct small_world w;
    struct server a, b; /* at preference 10 and 20 */
    struct config config;
    struct envelope envelope;
    struct deliver_office office;
    struct hop_host hosts[2];
    struct next_hop hop;
    struct job_rcpt rcpts[RCPTS];
    struct delivery_job job;
    unsigned done;
};

static struct str addresses[RCPTS] = {
    STR_INIT("a1@x.example"), STR_INIT("b1@x.example"), STR_INIT("a2@x.example"),
    STR_INIT("b2@x.example"), STR_INIT("a3@x.example"), STR_INIT("b3@x.example"),
};

static void on_job_done(struct delivery_job *job)
{
    struct test *t = job->owner;
    t->done++;
    for (size_t i = 0; i < job->rcpt_count; i++) {
        assert_int_not_equal(job->rcpts[i].outcome.kind, 0);
    }
}

static void begin(struct test *t)
{
    *t = (struct test){0};
    world_init(&t->w);
    server_init(&t->a, &t->w.wire, "192.0.2.10");
    server_init(&t->b, &t->w.wire, "192.0.2.20");
    t->config.hostname = STR("me.example");
    t->config.deliver = world_times();
    t->config.queue.connection_messages = 1000;
    t->hosts[0] = (struct hop_host){.name = STR("mx1.example"), .literal = t->a.host.ip4};
    t->hosts[1] = (struct hop_host){.name = STR("mx2.example"), .literal = t->b.host.ip4};
    t->hop = (struct next_hop){.kind = HOP_SMTP, .hosts = t->hosts, .host_count = 2, .port = 25};
    t->w.body = STR("Subject: x\r\n\r\n.dot\r\n");
    deliver_office_init(&t->office, &t->w.ports);
}

static void start(struct test *t, size_t rcpts)
{
    arena_done(&t->job.arena);
    t->job = (struct delivery_job){
        .done = on_job_done,
        .home = &t->w.inbox,
        .config = &t->config,
        .envelope = &t->envelope,
        .sender = STR("s@y.example"),
        .site = STR("smtp:mx1.example,mx2.example:25"),
        .additions = STR("Received: here\r\n"),
        .body = {.size = t->w.body.len},
        .rcpts = t->rcpts,
        .rcpt_count = rcpts,
        .owner = t,
    };
    for (size_t i = 0; i < rcpts; i++) {
        t->rcpts[i] =
            (struct job_rcpt){.index = (uint32_t)(i + 7), .address = addresses[i], .hop = &t->hop};
    }
    t->done = 0;
    deliver_job(&t->office, &t->job);
    assert_int_equal(t->done, 0);
}

/* Starts a job and gives it an hour. */
static void deliver(struct test *t, size_t rcpts)
{
    start(t, rcpts);
    int64_t until = t->w.now + SPAN_H(1).us;
    while (t->done == 0 && world_step(&t->w, until)) {}
    assert_int_equal(t->done, 1);
}

static void end(struct test *t)
{
    world_run(&t->w, SPAN_H(1));
    deliver_office_done(&t->office);
    world_run(&t->w, SPAN_S(5));
    assert_true(list_empty(&t->w.wire.ends));
    server_done(&t->a);
    server_done(&t->b);
    arena_done(&t->job.arena);
    world_done(&t->w);
}

static void assert_outcome_(const struct test *t, size_t i, const struct outcome *want,
                            const char *text, int line)
{
    const struct outcome *o = &t->rcpts[i].outcome;
    if (o->kind != want->kind || o->reply_code != want->reply_code ||
        o->status.class != want->status.class || o->status.subject != want->status.subject ||
        o->status.detail != want->status.detail || o->rcpt != i + 7 ||
        str_find_str(o->text, str_from_cstr(text)) == STR_NONE) {
        fail_msg("line %d: kind %d code %d status %d.%d.%d \"%.*s\"", line, (int)o->kind,
                 o->reply_code, o->status.class, o->status.subject, o->status.detail,
                 STR_ARG(o->text));
    }
}
#define assert_outcome(t, i, text, ...)                                                            \
    assert_outcome_((t), (i), &(struct outcome){__VA_ARGS__}, (text), __LINE__)

#define RELAYED .kind = OUTCOME_RELAYED, .reply_code = 250, .status = {2, 0, 0}
#define SENT "Received: here\r\nSubject: x\r\n\r\n.dot\r\n<end>"

static void assert_taken_(const struct server *s, const char *messages, int line)
{
    if (!str_eq(buf_str(&s->messages), str_from_cstr(messages))) {
        fail_msg("line %d: taken \"%.*s\"", line, STR_ARG(buf_str(&s->messages)));
    }
}
#define assert_taken(s, messages) assert_taken_((s), (messages), __LINE__)

static void a_message_goes_to_the_first_host_once_for_all_recipients(void **state)
{
    (void)state;
    struct test t;
    begin(&t);
    t.a.script.rcpt_b = "550 5.1.1 no such user";
    deliver(&t, 3);
    assert_outcome(&t, 0, "250 2.0.0 taken", RELAYED);
    assert_outcome(&t, 1, "550 5.1.1 no such user", .kind = OUTCOME_FAILED, .reply_code = 550,
                   .status = {5, 1, 1});
    assert_outcome(&t, 2, "250 2.0.0 taken", RELAYED);
    assert_true(str_eq(t.rcpts[0].outcome.host, STR("mx1.example")));
    assert_int_equal(t.rcpts[0].outcome.peer.port, 25);
    assert_taken(&t.a, SENT);
    assert_int_equal(t.b.connections, 0);
    end(&t);
}

static void the_next_host_is_tried_where_the_first_fails_as_a_host(void **state)
{
    (void)state;
    static const struct script scripts[] = {
        {.greeting = "554 go away"}, {.greeting = "421 busy"},    {.greeting = "SSH-2.0-x"},
        {.ehlo = "451 not now"},     {.ehlo = SCRIPT_CLOSE},      {.mail = "451 4.3.0 later"},
        {.mail = SCRIPT_CLOSE},      {.rcpt = SCRIPT_CLOSE},      {.data = SCRIPT_CLOSE},
        {.data = "421 stopping"},    {.greeting = SCRIPT_SILENT}, {.data = SCRIPT_SILENT},
        {.mail = "421 stopping"},    {.rcpt = "321 nonsense"},
    };
    for (size_t i = 0; i < ARRAY_LEN(scripts); i++) {
        struct test t;
        begin(&t);
        const struct script *s = &scripts[i];
        t.a.script.greeting = s->greeting ? s->greeting : t.a.script.greeting;
        t.a.script.ehlo = s->ehlo ? s->ehlo : t.a.script.ehlo;
        t.a.script.mail = s->mail ? s->mail : t.a.script.mail;
        t.a.script.rcpt = s->rcpt ? s->rcpt : t.a.script.rcpt;
        t.a.script.data = s->data ? s->data : t.a.script.data;
        deliver(&t, 2);
        assert_outcome(&t, 0, "taken", RELAYED);
        assert_outcome(&t, 1, "taken", RELAYED);
        assert_true(str_eq(t.rcpts[0].outcome.host, STR("mx2.example")));
        assert_taken(&t.a, "");
        assert_taken(&t.b, SENT);
        end(&t);
    }
}

static void a_refused_connection_leads_to_the_next_host(void **state)
{
    (void)state;
    struct test t;
    begin(&t);
    sim_fault(&t.w.wire, "192.0.2.10:25")->refuse = true;
    deliver(&t, 1);
    assert_outcome(&t, 0, "taken", RELAYED);
    end(&t);
}

static void what_one_host_settled_is_not_asked_of_the_next(void **state)
{
    (void)state;
    struct test t;
    begin(&t);
    t.a.script.rcpt_b = "550 5.1.1 nobody";
    t.a.script.data = "421 stopping";
    deliver(&t, 2);
    assert_outcome(&t, 0, "taken", RELAYED);
    assert_outcome(&t, 1, "nobody", .kind = OUTCOME_FAILED, .reply_code = 550, .status = {5, 1, 1});
    assert_int_equal(t.a.connections, 1);
    assert_int_equal(str_find_str(buf_str(&t.b.heard), STR("b1@")), STR_NONE);
    end(&t);
}

/* The reply to MAIL comes an octet a minute. */
static void a_reply_that_dribbles_does_not_stretch_the_time_out(void **state)
{
    (void)state;
    struct test t;
    begin(&t);
    t.hop.host_count = 1;
    t.a.script.mail = SCRIPT_SILENT;
    start(&t, 1);
    world_run(&t.w, SPAN_S(1));
    struct stream *server = t.a.last;
    for (int minute = 1; minute <= 4; minute++) {
        stream_write(server, STR("2"));
        world_run(&t.w, SPAN_S(60));
    }
    assert_int_equal(t.done, 0);
    world_run(&t.w, SPAN_S(60));
    assert_int_equal(t.done, 1);
    assert_outcome(&t, 0, "took too long, while waiting for the reply to MAIL",
                   .kind = OUTCOME_DEFERRED, .status = {4, 4, 2});
    end(&t);
}

static void no_host_left_gives_the_last_temporary_trouble(void **state)
{
    (void)state;
    struct test t;
    begin(&t);
    sim_fault(&t.w.wire, "192.0.2.10:25")->refuse = true;
    t.b.script.greeting = "554 5.3.2 not for you";
    deliver(&t, 2);
    assert_outcome(&t, 1, "cannot connect to mx1.example", .kind = OUTCOME_DEFERRED,
                   .status = {4, 4, 1});
    end(&t);
}

static void all_hosts_refusing_for_good_is_a_failure(void **state)
{
    (void)state;
    struct test t;
    begin(&t);
    t.a.script.greeting = t.b.script.greeting = "554 5.3.2 not for you";
    deliver(&t, 1);
    assert_outcome(&t, 0, "554 5.3.2 not for you", .kind = OUTCOME_FAILED, .reply_code = 554,
                   .status = {5, 3, 2});
    assert_true(str_eq(t.rcpts[0].outcome.host, STR("mx1.example")));
    end(&t);
}

static void a_reply_about_a_recipient_is_not_tried_at_another_host(void **state)
{
    (void)state;
    struct test t;
    begin(&t);
    t.a.script.rcpt = "451 4.7.1 greylisted";
    deliver(&t, 1);
    assert_outcome(&t, 0, "451 4.7.1 greylisted", .kind = OUTCOME_DEFERRED, .reply_code = 451,
                   .status = {4, 7, 1});
    assert_int_equal(t.b.connections, 0);
    end(&t);
}

static void death_after_the_final_dot_is_not_tried_at_another_host(void **state)
{
    (void)state;
    struct test t;
    begin(&t);
    t.a.script.end = SCRIPT_CLOSE;
    deliver(&t, 2);
    assert_outcome(&t, 0, "a second copy is possible", .kind = OUTCOME_DEFERRED,
                   .status = {4, 4, 2});
    assert_int_equal(t.b.connections, 0);
    end(&t);
}

static void silence_after_the_final_dot_lasts_ten_minutes(void **state)
{
    (void)state;
    struct test t;
    begin(&t);
    t.a.script.end = SCRIPT_SILENT;
    int64_t started = t.w.now;
    deliver(&t, 1);
    assert_outcome(&t, 0, "took too long", .kind = OUTCOME_DEFERRED, .status = {4, 4, 2});
    assert_in_range(t.w.now - started, SPAN_MIN(10).us, SPAN_MIN(10).us + 100000);
    end(&t);
}

static void a_connection_is_used_again_and_then_closed(void **state)
{
    (void)state;
    struct test t;
    begin(&t);
    for (int i = 0; i < 3; i++) {
        deliver(&t, 1);
        assert_outcome(&t, 0, "taken", RELAYED);
        world_run(&t.w, SPAN_S(4));
    }
    assert_int_equal(t.a.connections, 1);
    assert_int_equal(t.office.idle_count, 1);
    world_run(&t.w, SPAN_S(2));
    assert_int_equal(t.office.idle_count, 0);
    assert_true(str_ends(buf_str(&t.a.heard), STR("QUIT\n")));
    deliver(&t, 1);
    assert_int_equal(t.a.connections, 2);
    end(&t);
}

static void a_connection_carries_no_more_messages_than_allowed(void **state)
{
    (void)state;
    for (int announced = 0; announced < 2; announced++) {
        struct test t;
        begin(&t);
        if (announced) {
            t.a.script.ehlo = "250-mx.example\r\n250 LIMITS MAILMAX=2";
        } else {
            t.config.queue.connection_messages = 2;
        }
        for (int i = 0; i < 4; i++) {
            deliver(&t, 1);
            assert_outcome(&t, 0, "taken", RELAYED);
        }
        assert_int_equal(t.a.connections, 2);
        end(&t);
    }
}

static void a_stale_connection_is_replaced_by_a_fresh_one(void **state)
{
    (void)state;
    struct test t;
    begin(&t);
    t.a.script.close_after_one = true;
    deliver(&t, 1);
    deliver(&t, 1);
    assert_outcome(&t, 0, "taken", RELAYED);
    assert_int_equal(t.a.connections, 2);
    assert_int_equal(t.b.connections, 0);
    assert_taken(&t.a, SENT SENT);
    end(&t);
}

static void many_recipients_go_in_several_transactions(void **state)
{
    (void)state;
    for (int announced = 0; announced < 2; announced++) {
        struct test t;
        begin(&t);
        if (announced) {
            t.a.script.ehlo = "250-mx.example\r\n250-PIPELINING\r\n250 LIMITS RCPTMAX=4";
        } else {
            t.config.deliver.transaction_recipients = 4;
        }
        deliver(&t, RCPTS);
        for (size_t i = 0; i < RCPTS; i++) {
            assert_outcome(&t, i, "taken", RELAYED);
        }
        assert_taken(&t.a, SENT SENT);
        assert_int_equal(t.a.connections, 1);
        end(&t);
    }
}

static void recipients_too_many_for_the_server_go_with_the_next_transaction(void **state)
{
    (void)state;
    struct test t;
    begin(&t);
    t.a.script.rcpts_taken = 2;
    deliver(&t, 5);
    for (size_t i = 0; i < 5; i++) {
        assert_outcome(&t, i, "taken", RELAYED);
    }
    assert_taken(&t.a, SENT SENT SENT);
    end(&t);
}

static void lmtp_gives_each_recipient_its_own_outcome(void **state)
{
    (void)state;
    struct test t;
    begin(&t);
    t.hop.kind = HOP_LMTP;
    t.a.script.lmtp = true;
    t.a.script.rcpt_b = "550 5.1.1 nobody";
    deliver(&t, 3);
    assert_outcome(&t, 0, "taken", .kind = OUTCOME_DELIVERED, .reply_code = 250,
                   .status = {2, 0, 0});
    assert_outcome(&t, 1, "nobody", .kind = OUTCOME_FAILED, .reply_code = 550, .status = {5, 1, 1});
    assert_outcome(&t, 2, "taken", .kind = OUTCOME_DELIVERED, .reply_code = 250,
                   .status = {2, 0, 0});
    assert_true(str_starts(buf_str(&t.a.heard), STR("LHLO me.example\n")));
    end(&t);
}

static void lmtp_goes_over_a_local_socket(void **state)
{
    (void)state;
    struct test t;
    begin(&t);
    t.a.script.lmtp = true;
    struct net_listener local = t.a.listener;
    local.local_path = STR("/run/lmtp");
    assert_int_equal(t.w.us.net.listen(&t.w.us.net, &local), 0);
    t.hop = (struct next_hop){.kind = HOP_LMTP_LOCAL, .path = STR("/run/lmtp")};
    deliver(&t, 1);
    assert_outcome(&t, 0, "taken", .kind = OUTCOME_DELIVERED, .reply_code = 250,
                   .status = {2, 0, 0});
    t.w.us.net.unlisten(&t.w.us.net, &local);
    world_run(&t.w, SPAN_MIN(1));
    deliver(&t, 1);
    assert_outcome(&t, 0, "cannot connect to /run/lmtp: no such socket", .kind = OUTCOME_DEFERRED,
                   .status = {4, 4, 1});
    end(&t);
}

/* A body longer than any buffer on its way, with lines that need every care. */
static struct str long_body(size_t octets)
{
    struct buf b = {0};
    while (b.len < octets) {
        buf_add_format(&b, ".%zu a line that goes on for a while\r\n", b.len);
    }
    return buf_str(&b);
}

static void a_long_body_is_read_piece_by_piece_whatever_the_network_does(void **state)
{
    (void)state;
    for (int chunks = 0; chunks < 2; chunks++) {
        struct test t;
        begin(&t);
        t.w.wire.window = 10000;
        t.w.wire.delay = SPAN_MS(50); /* the network is slower than the disk */
        sim_fault(&t.w.wire, "*")->piece = 1460;
        t.w.body = long_body(500000);
        if (chunks) {
            t.a.script.ehlo = "250-mx.example\r\n250-PIPELINING\r\n250 CHUNKING";
        }
        deliver(&t, 1);
        assert_outcome(&t, 0, "taken", RELAYED);
        struct str got = buf_str(&t.a.messages);
        assert_int_equal(got.len, 16 + t.w.body.len + 5);
        assert_memory_equal(got.ptr + 16, t.w.body.ptr, t.w.body.len);
        assert_int_equal(t.w.reads, (t.w.body.len + 65535) / 65536);
        assert_in_range(t.w.wire.unsent_most, 1, 2 * 65536);
        free((char *)(uintptr_t)t.w.body.ptr);
        end(&t);
    }
}

static void a_body_that_cannot_be_read_is_deferred_without_a_final_dot(void **state)
{
    (void)state;
    struct test t;
    begin(&t);
    t.w.read_error = -EIO;
    deliver(&t, 1);
    assert_outcome(&t, 0, "could not be read", .kind = OUTCOME_DEFERRED, .status = {4, 3, 0});
    assert_taken(&t.a, "");
    assert_int_equal(t.b.connections, 0);
    end(&t);
}

static void a_connection_cut_at_any_octet_never_loses_or_doubles_unawares(void **state)
{
    (void)state;
    for (size_t n = 1; n < 200; n++) {
        for (int up = 0; up < 2; up++) {
            struct test t;
            begin(&t);
            struct sim_fault *fault = sim_fault(&t.w.wire, "192.0.2.10:25");
            *(up ? &fault->cut_up : &fault->cut_down) = n;
            deliver(&t, 1);
            bool relayed = t.rcpts[0].outcome.kind == OUTCOME_RELAYED;
            if (!relayed) {
                assert_outcome(&t, 0, "a second copy is possible", .kind = OUTCOME_DEFERRED,
                               .status = {4, 4, 2});
            }
            assert_true(!relayed || t.a.taken + t.b.taken == 1);
            end(&t);
        }
    }
}

static void our_own_name_in_greeting_and_ehlo_is_a_loop(void **state)
{
    (void)state;
    struct test t;
    begin(&t);
    t.hop.host_count = 1;
    t.a.script.greeting = "220 me.example ESMTP";
    t.a.script.ehlo = "250 me.example";
    deliver(&t, 1);
    assert_outcome(&t, 0, "loops back", .kind = OUTCOME_FAILED, .status = {5, 4, 6});
    end(&t);
}

static void a_message_too_big_for_the_server_is_not_sent(void **state)
{
    (void)state;
    struct test t;
    begin(&t);
    t.a.script.ehlo = "250-mx.example\r\n250 SIZE 10";
    deliver(&t, 1);
    assert_outcome(&t, 0, "takes no more than 10", .kind = OUTCOME_FAILED, .status = {5, 3, 4});
    end(&t);
}

static void smtputf8_is_left_out_where_nothing_needs_it(void **state)
{
    (void)state;
    static const struct {
        struct str body;
        bool relayed;
    } rows[] = {
        {STR_INIT("Subject: x\r\n\r\n.dot\r\n"), true},
        {STR_INIT("Subject: \xc3\xbc\r\n\r\nx\r\n"), false},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct test t;
        begin(&t);
        t.w.body = rows[i].body;
        t.envelope.smtputf8 = true;
        deliver(&t, 1);
        if (rows[i].relayed) {
            assert_outcome(&t, 0, "taken", RELAYED);
        } else {
            assert_outcome(&t, 0, "SMTPUTF8", .kind = OUTCOME_FAILED, .status = {5, 6, 7});
        }
        end(&t);
    }
}

static void an_international_address_fails_alone_where_the_server_lacks_smtputf8(void **state)
{
    (void)state;
    struct test t;
    begin(&t);
    addresses[1] = STR("b\xc3\xbc@x.example");
    t.envelope.smtputf8 = true;
    deliver(&t, 2);
    addresses[1] = STR("b1@x.example");
    assert_outcome(&t, 0, "taken", RELAYED);
    assert_outcome(&t, 1, "SMTPUTF8", .kind = OUTCOME_FAILED, .status = {5, 6, 7});
    end(&t);
}

static void mail_declared_8bit_that_is_ascii_goes_to_any_server(void **state)
{
    (void)state;
    struct test t;
    begin(&t);
    t.envelope.body = BODY_8BITMIME;
    deliver(&t, 1);
    assert_outcome(&t, 0, "taken", RELAYED);
    assert_taken(&t.a, SENT);
    end(&t);
}

static void stopping_defers_at_any_moment(void **state)
{
    (void)state;
    for (int steps = 0; steps < 60; steps++) {
        struct test t;
        begin(&t);
        t.a.script.end = SCRIPT_SILENT;
        start(&t, 2);
        for (int i = 0; i < steps; i++) {
            (void)world_step(&t.w, t.w.now + 60000000);
        }
        int64_t stopped = t.w.now;
        deliver_stop(&t.office);
        while (t.done == 0 && world_step(&t.w, stopped + SPAN_S(6).us)) {}
        assert_int_equal(t.done, 1);
        assert_int_equal(t.rcpts[0].outcome.kind, OUTCOME_DEFERRED);
        deliver(&t, 1);
        assert_outcome(&t, 0, "being stopped", .kind = OUTCOME_DEFERRED, .status = {4, 3, 2});
        end(&t);
    }
}

/* Local delivery's place is taken here: it settles one recipient at a time. */
static struct {
    unsigned running, calls;
    struct timer timer;
    struct delivery_job *job;
    struct job_rcpt *rcpt;
    void (*done)(struct delivery_job *job, struct job_rcpt *rcpt);
} local;

static void local_done(struct timer *timer)
{
    (void)timer;
    local.running--;
    local.rcpt->outcome =
        (struct outcome){.kind = OUTCOME_DELIVERED, .status = {2, 0, 0}, .text = STR("kept")};
    local.done(local.job, local.rcpt);
}

void local_deliver(struct deliver_office *office, struct delivery_job *job, struct job_rcpt *rcpt,
                   void (*done)(struct delivery_job *job, struct job_rcpt *rcpt))
{
    assert_int_equal(local.running, 0);
    local.running++;
    local.calls++;
    local.job = job;
    local.rcpt = rcpt;
    local.done = done;
    local.timer.fire = local_done;
    office->ports->timers->arm(office->ports->timers, &local.timer, SPAN_MS(1));
}

static void local_recipients_are_served_one_after_the_other(void **state)
{
    (void)state;
    struct test t;
    begin(&t);
    t.hop.kind = HOP_MAILDIR;
    deliver(&t, 3);
    assert_int_equal(local.calls, 3);
    assert_outcome(&t, 2, "kept", .kind = OUTCOME_DELIVERED, .status = {2, 0, 0});
    end(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_goes_to_the_first_host_once_for_all_recipients),
        cmocka_unit_test(the_next_host_is_tried_where_the_first_fails_as_a_host),
        cmocka_unit_test(a_refused_connection_leads_to_the_next_host),
        cmocka_unit_test(what_one_host_settled_is_not_asked_of_the_next),
        cmocka_unit_test(a_reply_that_dribbles_does_not_stretch_the_time_out),
        cmocka_unit_test(no_host_left_gives_the_last_temporary_trouble),
        cmocka_unit_test(all_hosts_refusing_for_good_is_a_failure),
        cmocka_unit_test(a_reply_about_a_recipient_is_not_tried_at_another_host),
        cmocka_unit_test(death_after_the_final_dot_is_not_tried_at_another_host),
        cmocka_unit_test(silence_after_the_final_dot_lasts_ten_minutes),
        cmocka_unit_test(a_connection_is_used_again_and_then_closed),
        cmocka_unit_test(a_connection_carries_no_more_messages_than_allowed),
        cmocka_unit_test(a_stale_connection_is_replaced_by_a_fresh_one),
        cmocka_unit_test(many_recipients_go_in_several_transactions),
        cmocka_unit_test(recipients_too_many_for_the_server_go_with_the_next_transaction),
        cmocka_unit_test(lmtp_gives_each_recipient_its_own_outcome),
        cmocka_unit_test(lmtp_goes_over_a_local_socket),
        cmocka_unit_test(a_long_body_is_read_piece_by_piece_whatever_the_network_does),
        cmocka_unit_test(a_body_that_cannot_be_read_is_deferred_without_a_final_dot),
        cmocka_unit_test(a_connection_cut_at_any_octet_never_loses_or_doubles_unawares),
        cmocka_unit_test(our_own_name_in_greeting_and_ehlo_is_a_loop),
        cmocka_unit_test(a_message_too_big_for_the_server_is_not_sent),
        cmocka_unit_test(smtputf8_is_left_out_where_nothing_needs_it),
        cmocka_unit_test(an_international_address_fails_alone_where_the_server_lacks_smtputf8),
        cmocka_unit_test(mail_declared_8bit_that_is_ascii_goes_to_any_server),
        cmocka_unit_test(stopping_defers_at_any_moment),
        cmocka_unit_test(local_recipients_are_served_one_after_the_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
