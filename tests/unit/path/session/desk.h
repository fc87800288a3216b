/* desk.h: sessions over a stream of the test's own, with clock and resolver likewise, and a spool
 * that only remembers. */
#pragma once

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
    int64_t now_us, step_us; /* each look at the clock takes so long */
    struct span place_kept;
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

static inline void finish_commit(void)
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
    w.now_us += w.step_us;
    return w.now_us;
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

static inline int begin(void **state)
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

static inline int finish(void **state)
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

static inline void from(const char *peer)
{
    assert_true(endpoint_parse(str_from_cstr(peer), &w.stream.peer));
    w.config.networks = &w.network;
    w.config.network_count = 1;
    session_start(&w.office, &w.stream, (struct listen_kind){.mode = LISTEN_MX});
}

static inline void give(struct str bytes)
{
    w.stream.events->data(&w.stream, bytes);
}

static inline bool said(const char *text)
{
    bool found = str_find_str(buf_str(&w.sent), str_from_cstr(text)) != STR_NONE;
    return found;
}

/* The DNS does not answer: the time for it runs out. */
static inline void let_lookups_go(void)
{
    assert_true(w.asked_count > 0 && w.timer);
    w.timer->fire(w.timer);
    assert_int_equal(w.asked_count, 0);
}

#define TX "EHLO [192.0.2.9]\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<u@here.example>\r\n"
