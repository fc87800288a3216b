/* Sessions over a stream of the test's own, with a spool that only remembers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "core/dns/build.h"
#include "path/session/session.h"

#include <errno.h>
#include <stdlib.h>

struct world {
    struct ports ports;
    struct clock clock;
    struct entropy entropy;
    struct timers timers;
    struct resolver resolver;
    struct log log;
    struct config config;
    struct config_domain domain;
    struct network network;
    struct stream stream;
    struct session_office office;
    struct draft_office drafts;
    struct queue_id_maker ids;
    struct buf sent;
    bool closed, paused, drained;
    struct timer *timer; /* armed last, for a session has one */
    struct span after;
    struct resolver_query *asked[8];
    struct dns_name asked_name[8];
    uint16_t asked_type[8];
    size_t asked_count;
    /* The spool. */
    struct buf body, additions;
    unsigned kept;
    size_t rcpts;
    bool submitted, draft_is_full;
    int commit_result;
    bool commit_waits;
    struct draft_commit commit;
    void (*ready)(void *owner);
    void *ready_owner;
};

static struct world w;

struct draft {
    int unused;
};

struct draft *draft_new(struct draft_office *office)
{
    (void)office;
    buf_clear(&w.body);
    return calloc(1, sizeof(struct draft));
}

bool draft_add(struct draft *d, struct str bytes, void (*ready)(void *owner), void *owner)
{
    (void)d;
    assert_true(bytes.len <= 65536);
    assert_null(w.ready);
    buf_add(&w.body, bytes);
    if (w.draft_is_full) {
        w.ready = ready;
        w.ready_owner = owner;
    }
    return !w.draft_is_full;
}

uint64_t draft_size(const struct draft *d)
{
    (void)d;
    return w.body.len;
}

static void finish_commit(void)
{
    struct draft_commit commit = w.commit;
    w.kept += w.commit_result == 0;
    commit.done(commit.owner, w.commit_result);
}

void draft_commit(struct draft *d, const struct draft_commit *commit)
{
    w.rcpts = commit->envelope->rcpt_count;
    w.submitted = commit->envelope->submitted;
    buf_clear(&w.additions);
    buf_add(&w.additions, commit->additions);
    w.commit = *commit;
    free(d);
    if (!w.commit_waits) {
        finish_commit();
    }
}

void draft_free(struct draft *d)
{
    free(d);
    w.ready = NULL;
}

static struct instant wall(struct clock *clock)
{
    (void)clock;
    return (struct instant){INT64_C(1700000000000000)};
}

static int64_t monotonic_us(struct clock *clock)
{
    (void)clock;
    return 0;
}

static uint64_t draw(struct entropy *entropy)
{
    (void)entropy;
    return 4;
}

static void arm(struct timers *timers, struct timer *timer, struct span after)
{
    (void)timers;
    w.timer = timer;
    w.after = after;
}

static void cancel_timer(struct timers *timers, struct timer *timer)
{
    (void)timers;
    w.timer = w.timer == timer ? NULL : w.timer;
}

static void ask(struct resolver *resolver, struct resolver_query *query, struct str name,
                uint16_t type)
{
    (void)resolver;
    assert_true(w.asked_count < 8);
    assert_true(dns_name_parse(name, &w.asked_name[w.asked_count]));
    w.asked_type[w.asked_count] = type;
    w.asked[w.asked_count++] = query;
}

static void cancel_query(struct resolver *resolver, struct resolver_query *query)
{
    (void)resolver;
    for (size_t i = 0; i < w.asked_count; i++) {
        if (w.asked[i] == query) {
            w.asked_count--;
            w.asked[i] = w.asked[w.asked_count];
            w.asked_name[i] = w.asked_name[w.asked_count];
            w.asked_type[i] = w.asked_type[w.asked_count];
            return;
        }
    }
    fail_msg("cancelled what was not asked");
}

static void no_log(struct log *log, enum log_level level, const char *event,
                   const struct log_field *fields, size_t count)
{
    (void)log;
    (void)level;
    (void)event;
    (void)fields;
    (void)count;
}

static void do_write(struct stream *stream, struct str bytes)
{
    (void)stream;
    assert_false(w.closed);
    buf_add(&w.sent, bytes);
}

static size_t do_unsent(const struct stream *stream)
{
    (void)stream;
    return 0;
}

static void do_pause(struct stream *stream)
{
    (void)stream;
    w.paused = true;
}

static void do_resume(struct stream *stream)
{
    (void)stream;
    assert_false(w.closed);
    w.paused = false;
}

static void do_close(struct stream *stream)
{
    (void)stream;
    assert_false(w.closed);
    w.closed = true;
}

static const struct stream_ops ops = {do_write, do_unsent, do_pause, do_resume, do_close, do_close};

static int begin(void **state)
{
    (void)state;
    w = (struct world){.clock = {.wall = wall, .monotonic_us = monotonic_us},
                       .entropy = {.u64 = draw},
                       .timers = {.arm = arm, .cancel = cancel_timer},
                       .resolver = {.ask = ask, .cancel = cancel_query},
                       .log = {.event = no_log}};
    w.ports = (struct ports){.clock = &w.clock,
                             .timers = &w.timers,
                             .entropy = &w.entropy,
                             .resolver = &w.resolver,
                             .log = &w.log};
    w.domain =
        (struct config_domain){.name = STR("here.example"), .any_user = true, .tag_separator = '+'};
    w.config = (struct config){.hostname = STR("mx.here.example"),
                               .domains = &w.domain,
                               .domain_count = 1,
                               .networks = &w.network,
                               .limits = {.message = 100000,
                                          .recipients = 10,
                                          .errors = 5,
                                          .received = 2,
                                          .idle = SPAN_S(300),
                                          .data_idle = SPAN_S(200)}};
    atomic_store(&w.config.holders, 1);
    assert_true(network_parse(STR("10.0.0.0/8"), &w.network));
    w.stream = (struct stream){.ops = &ops};
    assert_true(endpoint_parse(STR("192.0.2.9:4000"), &w.stream.peer));
    w.office.ports = &w.ports;
    w.office.drafts = &w.drafts;
    w.office.ids = &w.ids;
    session_office_init(&w.office, &w.config);
    return 0;
}

static int finish(void **state)
{
    (void)state;
    if (!w.closed && w.office.count > 0) {
        w.stream.events->end(&w.stream, -ECONNRESET);
    }
    assert_int_equal(w.office.count, 0);
    assert_int_equal(w.asked_count, 0);
    session_office_done(&w.office);
    buf_done(&w.sent);
    buf_done(&w.body);
    buf_done(&w.additions);
    return 0;
}

static void from(const char *peer)
{
    assert_true(endpoint_parse(str_from_cstr(peer), &w.stream.peer));
    w.config.networks = &w.network;
    w.config.network_count = 1;
    session_start(&w.office, &w.stream, (struct listen_kind){.mode = LISTEN_MX});
}

static void give(struct str bytes)
{
    w.stream.events->data(&w.stream, bytes);
}

static bool said(const char *text)
{
    bool found = str_find_str(buf_str(&w.sent), str_from_cstr(text)) != STR_NONE;
    return found;
}

/* The DNS does not answer: the time for it runs out. */
static void let_lookups_go(void)
{
    assert_true(w.asked_count > 0 && w.timer);
    w.timer->fire(w.timer);
    assert_int_equal(w.asked_count, 0);
}

#define TX "EHLO [192.0.2.9]\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<u@here.example>\r\n"

static void a_message_is_kept_before_250_is_said(void **state)
{
    (void)state;
    from("192.0.2.9:4000");
    assert_true(said("220 mx.here.example ESMTP"));
    w.commit_waits = true;
    give(STR(TX "DATA\r\nX: y\r\n\r\n..z\r\n.\r\nQUIT\r\n"));
    assert_false(said("2.1.0"));
    assert_true(w.paused);
    assert_int_equal(w.after.us, SPAN_S(5).us);
    let_lookups_go();
    assert_true(said("354"));
    assert_false(said("2.0.0"));
    finish_commit();
    assert_true(said("250 2.0.0 OK, queued as "));
    assert_true(w.closed);
    assert_int_equal(w.kept, 1);
    assert_true(str_eq(buf_str(&w.body), STR("X: y\r\n\r\n.z\r\n")));
    assert_true(str_starts(buf_str(&w.additions),
                           STR("Received: from [192.0.2.9] (unverified [192.0.2.9])\r\n"
                               "\tby mx.here.example (Postrider) with ESMTP id ")));
    assert_false(w.submitted);
}

static void a_failed_commit_is_told_and_the_session_goes_on(void **state)
{
    (void)state;
    from("192.0.2.9:4000");
    w.commit_result = -ENOSPC;
    give(STR(TX "DATA\r\n.\r\nNOOP\r\n"));
    let_lookups_go();
    assert_true(said("452 4.3.1"));
    assert_true(said("nothing done"));
    assert_int_equal(w.kept, 0);
    assert_false(w.paused);
}

static void a_stranger_may_not_relay_and_an_own_network_may(void **state)
{
    (void)state;
    from("192.0.2.9:4000");
    give(STR("EHLO a\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<x@far.example>\r\nDATA\r\n"));
    let_lookups_go();
    assert_true(said("550 5.7.1") && said("554 5.5.1"));
    w.stream.events->end(&w.stream, 0);
    assert_true(w.closed);
    w.closed = false;
    from("10.1.2.3:4000");
    give(STR("EHLO a\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<x@far.example>\r\nDATA\r\n"
             "Bcc: q@r\r\nTo: s\r\n\r\n.\r\n"));
    let_lookups_go();
    assert_int_equal(w.kept, 1);
    assert_true(w.submitted);
    assert_true(str_eq(buf_str(&w.body), STR("To: s\r\n\r\n")));
    assert_int_not_equal(str_find_str(buf_str(&w.additions), STR("\r\nDate: ")), STR_NONE);
    assert_int_not_equal(str_find_str(buf_str(&w.additions), STR("\r\nMessage-ID: <")), STR_NONE);
}

static void a_full_draft_holds_the_client_back(void **state)
{
    (void)state;
    from("192.0.2.9:4000");
    give(STR(TX "DATA\r\n"));
    let_lookups_go();
    w.draft_is_full = true;
    give(STR("a\r\n"));
    assert_true(w.paused);
    give(STR(".\r\n"));
    assert_int_equal(w.kept, 0);
    w.draft_is_full = false;
    void (*ready)(void *) = w.ready;
    w.ready = NULL;
    ready(w.ready_owner);
    assert_int_equal(w.kept, 1);
    assert_false(w.paused);
}

static void loops_are_refused(void **state)
{
    (void)state;
    from("192.0.2.9:4000");
    give(STR(TX "DATA\r\nReceived: a\r\nReceived: b\r\nReceived: c\r\n\r\n.\r\n"));
    let_lookups_go();
    assert_true(said("554 5.4.6"));
    buf_clear(&w.sent);
    give(STR(TX "DATA\r\nDelivered-To: u@here.example\r\n\r\n.\r\n"));
    assert_true(said("554 5.4.6"));
    assert_int_equal(w.kept, 0);
}

static void a_recipient_named_twice_gets_one_copy(void **state)
{
    (void)state;
    from("192.0.2.9:4000");
    give(STR(TX "RCPT TO:<u@HERE.example>\r\nRCPT TO:<postmaster>\r\nDATA\r\n.\r\n"));
    let_lookups_go();
    assert_int_equal(w.kept, 1);
    assert_int_equal(w.rcpts, 2);
}

static void an_idle_client_is_told_so(void **state)
{
    (void)state;
    from("192.0.2.9:4000");
    give(STR("NOOP\r\n"));
    assert_int_equal(w.after.us, SPAN_S(300).us);
    w.timer->fire(w.timer);
    assert_true(said("421 4.4.2"));
    assert_true(w.closed);
}

static void half_a_command_wins_no_time(void **state)
{
    (void)state;
    from("192.0.2.9:4000");
    give(STR("NO"));
    w.after = SPAN_S(0);
    give(STR("O"));
    assert_int_equal(w.after.us, 0);
    give(STR("P\r\n"));
    assert_int_equal(w.after.us, SPAN_S(300).us);
}

/* Answers the question asked first: PTR is mx.b.example, every A is 192.0.2.9. */
static void answer_first(enum resolver_result result)
{
    struct resolver_query *query = w.asked[0];
    struct dns_name name = w.asked_name[0];
    uint16_t type = w.asked_type[0];
    struct dns_build b = {0};
    struct dns_name host;
    struct ip ip;
    assert_true(dns_name_parse(STR("mx.b.example"), &host));
    assert_true(ip_parse(STR("192.0.2.9"), &ip));
    dns_build_start(&b, &name, type, DNS_NOERROR);
    dns_build_section(&b, DNS_ANSWER);
    if (type == DNS_PTR) {
        dns_build_name(&b, &name, DNS_PTR, &host);
    } else if (type == DNS_A) {
        dns_build_ip(&b, &name, ip);
    }
    cancel_query(NULL, query);
    query->result = result;
    query->answer = result == RESOLVER_ANSWERED ? buf_str(&b.out) : (struct str){0};
    query->done(query);
    buf_done(&b.out);
}

static void mail_waits_for_the_checks_and_the_finding_is_written_down(void **state)
{
    (void)state;
    from("192.0.2.9:4000");
    give(STR("EHLO other.example\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<u@here.example>\r\n"
             "DATA\r\n.\r\n"));
    assert_false(said("2.1.0"));
    for (unsigned i = 0; w.asked_count > 0; i++) {
        assert_true(i < 20);
        answer_first(RESOLVER_ANSWERED);
    }
    assert_int_equal(w.kept, 1);
    assert_true(str_starts(buf_str(&w.additions),
                           STR("Received: from other.example (mx.b.example [192.0.2.9])\r\n")));
}

static void a_dns_that_fails_is_no_ground_for_refusal(void **state)
{
    (void)state;
    w.config.helo = HELO_REJECT;
    from("192.0.2.9:4000");
    give(STR("EHLO other.example\r\nMAIL FROM:<a@b.example>\r\n"));
    for (unsigned i = 0; w.asked_count > 0; i++) {
        assert_true(i < 20);
        answer_first(i % 2 == 0 ? RESOLVER_TIMEOUT : RESOLVER_FAILED);
    }
    assert_true(said("250 2.1.0"));
}

static void note_drained(void *owner)
{
    (void)owner;
    w.drained = true;
}

static void a_drained_office_lets_a_message_finish(void **state)
{
    (void)state;
    from("192.0.2.9:4000");
    give(STR(TX "DATA\r\n"));
    let_lookups_go();
    session_office_drain(&w.office, note_drained, NULL);
    assert_false(w.drained);
    give(STR("x\r\n.\r\n"));
    assert_int_equal(w.kept, 1);
    give(STR("NOOP\r\n"));
    assert_true(said("421 4.3.2"));
    assert_true(w.closed && w.drained);
}

static void a_client_that_breaks_off_during_a_commit_is_survived(void **state)
{
    (void)state;
    from("192.0.2.9:4000");
    w.commit_waits = true;
    give(STR(TX "DATA\r\nx\r\n.\r\n"));
    let_lookups_go();
    w.stream.events->end(&w.stream, -ECONNRESET);
    assert_true(w.closed);
    assert_int_equal(w.office.count, 1);
    finish_commit();
    assert_int_equal(w.office.count, 0);
    assert_int_equal(w.kept, 1);
}

static void a_client_that_stops_sending_still_gets_its_answer(void **state)
{
    (void)state;
    from("192.0.2.9:4000");
    w.commit_waits = true;
    give(STR(TX "DATA\r\nx\r\n.\r\n"));
    let_lookups_go();
    w.stream.events->end(&w.stream, 0);
    assert_false(w.closed);
    finish_commit();
    assert_true(said("queued as"));
    assert_true(w.closed);
}

static void a_liar_is_refused_where_the_policy_says_so(void **state)
{
    (void)state;
    w.config.helo = HELO_REJECT;
    from("192.0.2.9:4000");
    give(STR("EHLO [192.0.2.10]\r\nMAIL FROM:<a@b.example>\r\n"));
    let_lookups_go();
    assert_true(said("550 5.7.1"));
}

static void much_talk_takes_turns(void **state)
{
    (void)state;
    struct buf talk = {0};
    size_t turns = 0, answers = 0;
    from("10.0.0.1:4000");
    give(STR("EHLO a.example\r\n"));
    for (unsigned i = 0; i < 300; i++) {
        buf_add(&talk, STR("NOOP\r\n"));
    }
    buf_clear(&w.sent);
    give(buf_str(&talk));
    for (; w.timer == &w.office.turn; turns++) {
        assert_true(w.paused);
        w.timer = NULL;
        w.office.turn.fire(&w.office.turn);
    }
    assert_int_equal(turns, 1);
    assert_false(w.paused);
    for (struct str rest = buf_str(&w.sent); rest.len > 0; answers++) {
        assert_true(str_starts(str_split(&rest, '\n'), STR("250 2.0.0 ")));
    }
    assert_int_equal(answers, 300);
    buf_done(&talk);
}

#define T(name) cmocka_unit_test_setup_teardown(name, begin, finish)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_message_is_kept_before_250_is_said),
        T(a_failed_commit_is_told_and_the_session_goes_on),
        T(a_stranger_may_not_relay_and_an_own_network_may),
        T(a_full_draft_holds_the_client_back),
        T(loops_are_refused),
        T(a_recipient_named_twice_gets_one_copy),
        T(an_idle_client_is_told_so),
        T(half_a_command_wins_no_time),
        T(much_talk_takes_turns),
        T(a_drained_office_lets_a_message_finish),
        T(a_client_that_breaks_off_during_a_commit_is_survived),
        T(a_client_that_stops_sending_still_gets_its_answer),
        T(mail_waits_for_the_checks_and_the_finding_is_written_down),
        T(a_dns_that_fails_is_no_ground_for_refusal),
        T(a_liar_is_refused_where_the_policy_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
