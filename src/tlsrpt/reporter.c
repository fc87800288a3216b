#include "tlsrpt/reporter.h"

#include "tlsrpt/reporter_inside.h"
#include "world/whole_file.h"

enum { TICKS = 60, LATE_PERIODS = 2, SPREAD = 6 };

static void next_domain(struct reporter *r);

static struct instant now_of(const struct reporter *r)
{
    return r->ports->clock->wall(r->ports->clock);
}

static void log_report(const struct reporter *r, const char *event, const char *why)
{
    const char *domain = json_string_value(json_object_get(r->taken, "domain"));
    log_event(r->ports->log, LOG_INFO, event, F_STR("domain", str_from_cstr(domain)),
              F_STR("id", r->frame.id), F_STR("text", str_from_cstr(why)));
}

static bool is_late(const struct reporter *r)
{
    struct span period = tally_period(r->tally);
    return span_seconds(instant_since(now_of(r), r->frame.end)) >
           LATE_PERIODS * span_seconds(period);
}

static void end_domain(struct reporter *r)
{
    if (r->failed && !is_late(r)) {
        json_array_append(r->later, r->taken);
    }
    json_decref(r->taken);
    r->taken = NULL;
    buf_done(&r->compressed);
    buf_done(&r->mail);
    arena_done(&r->work);
    next_domain(r);
}

void reporter_place_done(struct reporter *r, bool good, const char *how)
{
    log_report(r, good ? "tls-report-sent" : "tls-report-failed", how);
    r->failed = r->failed || !good;
    r->place++;
    if (r->place >= r->record.count) {
        end_domain(r);
    } else {
        reporter_send(r);
    }
}

/* Records of other kinds are passed over; of several of this one none counts (section 3). */
static bool read_record(struct reporter *r)
{
    size_t count = 0;
    struct tlsrpt_record one;
    struct dns_record_iter it = chain_records_begin(&r->chain);
    for (struct dns_record record; chain_record_next(&r->chain, &it, &record);) {
        struct buf text = {0};
        dns_record_text(&text, &record);
        struct str kept = arena_copy(&r->work, buf_str(&text));
        buf_done(&text);
        if (tlsrpt_record_parse(kept, &one)) {
            r->record = one;
            count++;
        }
    }
    return count == 1;
}

static void turned(struct asker *asker)
{
    struct reporter *r = CONTAINER_OF(asker, struct reporter, asker);
    if (r->chain.verdict == CHAIN_ASKING) {
        return;
    }
    r->failed = r->chain.verdict == CHAIN_TEMPORARY;
    if (r->chain.verdict != CHAIN_FOUND || !read_record(r) ||
        !tlsrpt_write(r->taken, &r->frame, &r->compressed)) {
        end_domain(r);
        return;
    }
    r->place = 0;
    reporter_send(r);
}

static bool next_question(struct asker *asker, struct dns_question *question)
{
    return chain_question(&CONTAINER_OF(asker, struct reporter, asker)->chain, question);
}

static void take_answer(struct asker *asker, uint32_t id, const struct dns_answer *answer)
{
    (void)id; /* it asks one thing at a time */
    chain_answer(&CONTAINER_OF(asker, struct reporter, asker)->chain, answer);
}

static void set_frame(struct reporter *r)
{
    int64_t us = tally_period(r->tally).us;
    int64_t period = 0;
    uint64_t number = 0;
    struct str name = str_from_cstr(json_string_value(json_object_get(r->taken, "period")));
    if (str_to_u64(name, (uint64_t)(INT64_MAX / us) - 1, &number)) {
        period = (int64_t)number;
    }
    struct queue_id_text id = queue_id_text(queue_id_make(r->ids, now_of(r)));
    r->frame = (struct tlsrpt_frame){.hostname = r->hostname,
                                     .from = r->from,
                                     .begin = {period * us},
                                     .end = {(period + 1) * us - 1000000},
                                     .id = arena_copy(&r->work, queue_id_str(&id))};
}

static void ask_record(struct reporter *r)
{
    const char *domain = json_string_value(json_object_get(r->taken, "domain"));
    struct str name = arena_format(&r->work, "_smtp._tls.%s", domain);
    set_frame(r);
    r->asker = (struct asker){.resolver = r->ports->resolver,
                              .question = next_question,
                              .answer = take_answer,
                              .turned = turned};
    chain_start(&r->chain, &r->work, NULL, name, DNS_TXT);
    asker_ask(&r->asker);
}

/* Domains whose names are too long to ask for one have none. */
static void next_domain(struct reporter *r)
{
    while (!r->stopped && !r->taken && (r->taken = tally_take(r->tally, now_of(r)))) {
        r->failed = false;
        ask_record(r);
        if (r->chain.verdict != CHAIN_ASKING) {
            json_decref(r->taken);
            r->taken = NULL;
            arena_done(&r->work);
        }
    }
    size_t i;
    json_t *one;
    json_array_foreach(r->later, i, one)
    {
        if (!r->taken) {
            tally_return(r->tally, json_incref(one));
        }
    }
    if (!r->taken) {
        json_array_clear(r->later);
    }
}

static void run_save(struct work *work)
{
    struct reporter *r = CONTAINER_OF(work, struct reporter, save);
    (void)!whole_file_replace(r->file, buf_str(&r->saved)); /* counts, no mail: once more soon */
}

static void save_done(struct work *work)
{
    struct reporter *r = CONTAINER_OF(work, struct reporter, save);
    buf_done(&r->saved);
    r->saving = false;
}

static void save(struct reporter *r)
{
    if (r->saving || !tally_save(r->tally, &r->saved)) {
        return;
    }
    r->save = (struct work){.run = run_save, .done = save_done, .forget = save_done};
    r->saving = work_start(r->loop, &r->save) == 0;
    if (!r->saving) {
        buf_done(&r->saved);
    }
}

static void arm(struct reporter *r)
{
    struct span after = {tally_period(r->tally).us / TICKS};
    struct span most = SPAN_MIN(1);
    r->ports->timers->arm(r->ports->timers, &r->tick, after.us < most.us ? after : most);
}

/* The first tick after a period's end draws when its reports go out. */
static void on_tick(struct timer *timer)
{
    struct reporter *r = CONTAINER_OF(timer, struct reporter, tick);
    int64_t period = tally_period(r->tally).us;
    struct instant now = now_of(r);
    save(r);
    if (r->due.us == 0 || now.us / period > r->due.us / period) {
        uint64_t spread = (uint64_t)period / SPREAD;
        r->due.us = now.us / period * period +
                    (int64_t)entropy_below(r->ports->entropy, spread ? spread : 1);
    }
    if (!r->taken && !instant_before(now, r->due)) {
        next_domain(r);
    }
    arm(r);
}

void reporter_start(struct reporter *r)
{
    struct buf text = {0};
    struct file_stamp stamp;
    whole_file_unlock(whole_file_lock(r->file)); /* it is there from now on */
    if (whole_file_read(r->file, &text, &stamp) == 0) {
        tally_load(r->tally, buf_str(&text));
    }
    buf_done(&text);
    r->later = json_array();
    r->tick.fire = on_tick;
    arm(r);
}

void reporter_stop(struct reporter *r)
{
    if (!r->tick.fire) {
        return;
    }
    r->stopped = true;
    r->ports->timers->cancel(r->ports->timers, &r->tick);
    asker_cancel(&r->asker);
    reporter_send_cancel(r);
    if (r->taken) {
        json_array_append_new(r->later, r->taken);
        r->taken = NULL;
    }
}

void reporter_done(struct reporter *r)
{
    size_t i;
    json_t *one;
    json_array_foreach(r->later, i, one)
    {
        tally_return(r->tally, json_incref(one));
    }
    json_decref(r->later);
    buf_done(&r->saved);
    if (r->tick.fire && tally_save(r->tally, &r->saved)) {
        (void)!whole_file_replace(r->file, buf_str(&r->saved));
    }
    buf_done(&r->saved);
    buf_done(&r->compressed);
    buf_done(&r->mail);
    arena_done(&r->work);
}
