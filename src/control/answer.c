#include "control/answer.h"

#include "control/answer_json.h"
#include "control/request.h"
#include "path/queue/state.h"
#include "path/queue/story_text.h"

#include <string.h>

static const char *phase_name(enum queue_rcpt_phase phase)
{
    static const char *const names[] = {
        [RCPT_PENDING] = "pending", [RCPT_HELD] = "held", [RCPT_FINAL] = "done"};
    return names[phase];
}

static void put_wait(struct answer_json *j, const struct story_wait *w)
{
    static const char *const names[] = {
        [WAIT_NOTHING] = "nothing",     [WAIT_TURN] = "turn",           [WAIT_TIME] = "time",
        [WAIT_SITE_FULL] = "site-full", [WAIT_SITE_DOWN] = "site-down", [WAIT_HELD] = "held",
        [WAIT_ROUTE] = "route",         [WAIT_DELIVERY] = "delivery",   [WAIT_DISK] = "disk",
        [WAIT_REPORT] = "report",
    };
    struct answer_json wait = answer_json_begin(NULL);
    answer_json_any_text(&wait, "for", str_from_cstr(names[w->kind]));
    answer_json_time(&wait, "since", w->since);
    answer_json_time(&wait, "until", w->until);
    answer_json_text(&wait, "site", w->site);
    answer_json_text(&wait, "reason", w->reason);
    if (w->limit > 0) {
        answer_json_number(&wait, "limit", w->limit);
    }
    j->failed |= wait.failed;
    answer_json_value(j, "wait", wait.object);
}

static void put_envelope(struct answer_json *j, const struct envelope *e)
{
    answer_json_id(j, e->id);
    answer_json_any_text(j, "sender", e->reverse_path);
    answer_json_number(j, "size", e->body_size);
    answer_json_time(j, "arrived", e->arrived);
    answer_json_ip(j, "client_address", e->client_ip);
    answer_json_text(j, "client_name", e->client_name);
    answer_json_text(j, "helo", e->helo);
    answer_json_text(j, "protocol", e->protocol);
    answer_json_text(j, "user", e->user);
    answer_json_text(j, "envid", e->envid);
}

static struct answer_json item_rcpt(const struct queue_item_rcpt *r)
{
    struct answer_json j = answer_json_begin(NULL);
    answer_json_any_text(&j, "recipient", r->address);
    answer_json_any_text(&j, "phase", str_from_cstr(phase_name(r->phase)));
    answer_json_number(&j, "attempts", r->attempts);
    answer_json_time(&j, "next", r->next);
    if (r->last) {
        struct answer_json last = answer_json_begin(NULL);
        answer_json_outcome(&last, r->last);
        j.failed |= last.failed;
        answer_json_value(&j, "last", last.object);
    }
    return j;
}

void answer_message(struct buf *out, const struct queue_item *item, bool all)
{
    struct answer_json j = answer_json_begin("message");
    json_t *rcpts = json_array();
    size_t open = 0;
    put_envelope(&j, item->envelope);
    answer_json_any_text(&j, "state", control_state_name(item->state));
    answer_json_number(&j, "age", (uint64_t)(item->age.us > 0 ? span_seconds(item->age) : 0));
    answer_json_time(&j, "next", item->next);
    answer_json_time(&j, "give_up", item->give_up);
    put_wait(&j, &item->wait);
    for (size_t i = 0; i < item->rcpt_count; i++) {
        bool final = item->rcpts[i].phase == RCPT_FINAL;
        open += !final;
        if (all || (!final && open <= ANSWER_RCPTS_SHORT)) {
            struct answer_json rcpt = item_rcpt(&item->rcpts[i]);
            answer_json_append(&j, rcpts, &rcpt);
        }
    }
    answer_json_number(&j, "recipient_count", item->rcpt_count);
    answer_json_number(&j, "recipients_open", open);
    answer_json_value(&j, "recipients", rcpts);
    answer_json_end(&j, out);
}

static struct answer_json story_event(const struct outcome *o)
{
    struct answer_json j = answer_json_begin(NULL);
    answer_json_outcome(&j, o);
    if (o->kind == OUTCOME_EXPANDED) {
        json_t *members = json_array();
        for (size_t i = 0; i < o->child_count; i++) {
            struct answer_json member = answer_json_begin(NULL);
            answer_json_any_text(&member, "recipient", o->children[i].address);
            answer_json_text(&member, "sender", o->children[i].sender);
            answer_json_append(&j, members, &member);
        }
        answer_json_value(&j, "members", members);
    }
    return j;
}

static struct answer_json story_rcpt(const struct story *story, const struct state *state,
                                     const struct rcpt *r)
{
    struct answer_json j = answer_json_begin(NULL);
    json_t *events = json_array();
    answer_json_any_text(&j, "recipient", r->address);
    if (r->parent != RCPT_NO_PARENT) {
        answer_json_any_text(&j, "by_way_of", state->rcpts[r->parent]->address);
    }
    answer_json_any_text(&j, "phase", str_from_cstr(phase_name(r->phase)));
    answer_json_number(&j, "attempts", r->attempts);
    for (size_t i = 0; i < story->outcome_count; i++) {
        const struct outcome *o = &story->outcomes[i];
        if (o->rcpt == r->index || o->rcpt == OUTCOME_ALL_RCPTS) {
            struct answer_json event = story_event(o);
            answer_json_append(&j, events, &event);
        }
    }
    answer_json_value(&j, "events", events);
    return j;
}

static void put_story_rcpts(struct answer_json *j, const struct story *story)
{
    struct arena arena = {0};
    struct state state = {0};
    json_t *rcpts = json_array();
    if (state_init(&state, &arena, &story->envelope, (struct hash_seed){0})) {
        for (size_t i = 0; i < story->outcome_count; i++) {
            j->failed |= !state_apply(&state, &story->outcomes[i]);
        }
        for (size_t i = 0; i < state.count && !j->failed; i++) {
            struct answer_json rcpt = story_rcpt(story, &state, state.rcpts[i]);
            answer_json_append(j, rcpts, &rcpt);
        }
        state_done(&state);
    } else {
        j->failed = true;
    }
    answer_json_value(j, "recipients", rcpts);
    arena_done(&arena);
}

void answer_story(struct buf *out, const struct story *story, struct instant now)
{
    struct answer_json j = answer_json_begin("story");
    struct buf text = {0};
    put_envelope(&j, &story->envelope);
    answer_json_flag(&j, "finished", story->finished.us != 0);
    answer_json_time(&j, "finished_at", story->finished);
    if (story->finished.us == 0) {
        put_wait(&j, &story->wait);
        answer_json_time(&j, "next", story->next);
        answer_json_time(&j, "give_up", story->give_up);
    }
    put_story_rcpts(&j, story);
    story_render(&text, story, now);
    j.failed |= text.failed;
    answer_json_text(&j, "text", buf_str(&text));
    buf_done(&text);
    answer_json_end(&j, out);
}

void answer_status(struct buf *out, const struct answer_status *status)
{
    const struct queue_counts *c = &status->counts;
    struct answer_json j = answer_json_begin("status");
    answer_json_text(&j, "version", status->version);
    answer_json_text(&j, "hostname", status->hostname);
    answer_json_number(&j, "messages", c->messages);
    answer_json_number(&j, "active", c->active);
    answer_json_number(&j, "held", c->held);
    answer_json_number(&j, "sites", c->sites);
    answer_json_number(&j, "sites_down", c->sites_down);
    answer_json_number(&j, "deliveries", c->jobs);
    answer_json_number(&j, "spool_bytes_queued", status->usage.bytes_live);
    answer_json_number(&j, "spool_bytes_used", status->usage.bytes_total);
    answer_json_number(&j, "spool_bytes_free", status->usage.bytes_free);
    answer_json_number(&j, "control_clients", status->clients);
    answer_json_end(&j, out);
}

void answer_end(struct buf *out, const struct answer_end *end)
{
    struct answer_json j = answer_json_begin("end");
    answer_json_number(&j, "matched", end->matched);
    answer_json_number(&j, "changed", end->changed);
    answer_json_flag(&j, "more", end->more);
    answer_json_flag(&j, "ok", end->result == 0);
    if (end->result != 0) {
        answer_json_text(&j, "error", str_from_cstr(strerror(-end->result)));
    }
    answer_json_end(&j, out);
}

void answer_error(struct buf *out, const char *code, struct str text)
{
    struct answer_json j = answer_json_begin("error");
    answer_json_text(&j, "code", str_from_cstr(code));
    answer_json_any_text(&j, "text", text);
    answer_json_end(&j, out);
}
