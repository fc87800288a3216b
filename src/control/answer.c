#include "control/answer.h"

#include "core/base/utf8.h"
#include "core/mail/date.h"
#include "core/mail/status.h"
#include "path/queue/state.h"
#include "path/queue/story_text.h"

json_t *answer_text(struct str text)
{
    struct buf wide = {0};
    if (utf8_valid(text)) {
        return json_stringn(text.len ? text.ptr : "", text.len);
    }
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if (c > 127) {
            buf_add_char(&wide, (char)(0xc0 | c >> 6));
            c = (unsigned char)(0x80 | (c & 0x3f));
        }
        buf_add_char(&wide, (char)c);
    }
    json_t *value = json_stringn(wide.len ? wide.ptr : "", wide.len);
    buf_done(&wide);
    return value;
}

json_t *answer_time(struct instant t)
{
    if (t.us == 0) {
        return json_null();
    }
    struct buf text = {0};
    date_format_internet(&text, t);
    json_t *value = answer_text(buf_str(&text));
    buf_done(&text);
    return value;
}

/* The time that the sender named for its delivery, and what is done when it has passed. */
static json_t *answer_by(const struct envelope *e)
{
    if (e->by.mode == BY_NONE) {
        return json_null();
    }
    json_t *value = json_object();
    json_object_set_new(value, "until", answer_time(envelope_deadline(e)));
    json_object_set_new(value, "else", json_string(e->by.mode == BY_RETURN ? "return" : "notify"));
    json_object_set_new(value, "trace", json_boolean(e->by.trace));
    return value;
}

static json_t *answer_id(struct queue_id id)
{
    struct queue_id_text text = queue_id_text(id);
    return json_string(text.chars);
}

static json_t *answer_status(struct status_code status)
{
    struct buf text = {0};
    if (status.class == 0) {
        return json_null();
    }
    status_format(&text, status);
    json_t *value = answer_text(buf_str(&text));
    buf_done(&text);
    return value;
}

static const char *outcome_name(enum outcome_kind kind)
{
    static const char *const kinds[] = {
        "",        "delivered", "relayed", "expanded", "deferred", "failed",
        "expired", "removed",   "held",    "released", "notified", "reported",
    };
    return kinds[kind];
}

static json_t *answer_outcome(const struct outcome *o)
{
    json_t *value = json_object();
    json_object_set_new(value, "kind", json_string(outcome_name(o->kind)));
    json_object_set_new(value, "at", answer_time(o->at));
    json_object_set_new(value, "next", answer_time(o->next));
    json_object_set_new(value, "status", answer_status(o->status));
    json_object_set_new(value, "code", json_integer(o->reply_code));
    json_object_set_new(value, "host", answer_text(o->host));
    json_object_set_new(value, "site", answer_text(o->site));
    json_object_set_new(value, "text", answer_text(o->text));
    if (o->peer.ip.family != IP_NONE) {
        struct buf peer = {0};
        endpoint_format(&peer, o->peer);
        json_object_set_new(value, "peer", answer_text(buf_str(&peer)));
        buf_done(&peer);
    }
    return value;
}

static json_t *answer_wait(const struct story_wait *w)
{
    static const char *const kinds[] = {"nothing",   "turn",   "time",   "site-full",
                                        "site-down", "held",   "route",  "delivery",
                                        "disk",      "report", "release"};
    json_t *value = json_object();
    json_object_set_new(value, "for", json_string(kinds[w->kind]));
    json_object_set_new(value, "since", answer_time(w->since));
    json_object_set_new(value, "until", answer_time(w->until));
    json_object_set_new(value, "site", answer_text(w->site));
    json_object_set_new(value, "reason", answer_text(w->reason));
    json_object_set_new(value, "limit", json_integer(w->limit));
    return value;
}

static json_t *answer_rcpt(const struct queue_item_rcpt *rcpt)
{
    static const char *const phases[] = {"pending", "held", "final"};
    json_t *value = json_object();
    json_object_set_new(value, "address", answer_text(rcpt->address));
    json_object_set_new(value, "state", json_string(phases[rcpt->phase]));
    json_object_set_new(value, "attempts", json_integer(rcpt->attempts));
    json_object_set_new(value, "next", answer_time(rcpt->next));
    json_object_set_new(value, "last", rcpt->last ? answer_outcome(rcpt->last) : json_null());
    return value;
}

static const char *state_name(enum queue_item_state state)
{
    return state == QUEUE_HELD ? "held" : state == QUEUE_ACTIVE ? "active" : "waiting";
}

json_t *answer_item(const struct queue_item *item)
{
    json_t *value = json_object();
    json_t *rcpts = json_array();
    for (size_t i = 0; i < item->rcpt_count && i < ANSWER_RCPTS_MAX; i++) {
        json_array_append_new(rcpts, answer_rcpt(&item->rcpts[i]));
    }
    json_object_set_new(value, "id", answer_id(item->id));
    json_object_set_new(value, "sender", answer_text(item->envelope->reverse_path));
    json_object_set_new(value, "arrived", answer_time(item->envelope->arrived));
    json_object_set_new(value, "size", json_integer((json_int_t)item->envelope->body_size));
    json_object_set_new(value, "state", json_string(state_name(item->state)));
    json_object_set_new(value, "priority", json_integer(item->envelope->priority));
    json_object_set_new(value, "deliver_by", answer_by(item->envelope));
    json_object_set_new(value, "age_s", json_integer(span_seconds(item->age)));
    json_object_set_new(value, "next", answer_time(item->next));
    json_object_set_new(value, "give_up", answer_time(item->give_up));
    json_object_set_new(value, "waits", answer_wait(&item->wait));
    json_object_set_new(value, "rcpt_count", json_integer((json_int_t)item->rcpt_count));
    json_object_set_new(value, "recipients", rcpts);
    return value;
}

/* How a recipient stands, in one word: what came of it, or that nothing has yet. */
static const char *standing(const struct rcpt *r)
{
    static const char *const phases[] = {"pending", "held", "final"};
    return r->phase == RCPT_FINAL ? outcome_name(r->last->kind) : phases[r->phase];
}

static json_t *story_rcpts(const struct state *state)
{
    json_t *rcpts = json_array();
    for (size_t i = 0; i < state->count && i < ANSWER_RCPTS_MAX; i++) {
        const struct rcpt *r = state_rcpt(state, i);
        bool child = r->origin->parent != RCPT_NO_PARENT;
        json_t *value = json_object();
        json_object_set_new(value, "address", answer_text(rcpt_address(r)));
        json_object_set_new(value, "by_way_of",
                            child ? answer_text(rcpt_address(state_rcpt(state, r->origin->parent)))
                                  : json_null());
        json_object_set_new(value, "state", json_string(standing(r)));
        json_object_set_new(value, "attempts", json_integer(r->attempts));
        json_array_append_new(rcpts, value);
    }
    return rcpts;
}

/* The newest of them, in order. */
static json_t *story_events(const struct story *story, const struct state *state)
{
    size_t count = story->outcome_count;
    json_t *events = json_array();
    for (size_t i = count > ANSWER_EVENTS_MAX ? count - ANSWER_EVENTS_MAX : 0; i < count; i++) {
        const struct outcome *o = &story->outcomes[i];
        json_t *event = answer_outcome(o);
        json_object_set_new(event, "recipient",
                            o->rcpt < state->count
                                ? answer_text(rcpt_address(state_rcpt(state, o->rcpt)))
                                : json_null());
        json_array_append_new(events, event);
    }
    return events;
}

/* What needs the recipients of expansions to be told. */
static void add_course(json_t *value, const struct story *story)
{
    struct arena arena = {0};
    struct state state;
    bool fine = state_init(&state, &arena, &story->envelope, (struct hash_seed){0});
    for (size_t i = 0; fine && i < story->outcome_count; i++) {
        fine = state_apply(&state, &story->outcomes[i]);
    }
    if (fine) {
        json_object_set_new(value, "rcpt_count", json_integer((json_int_t)state.count));
        json_object_set_new(value, "recipients", story_rcpts(&state));
        json_object_set_new(value, "event_count", json_integer((json_int_t)story->outcome_count));
        json_object_set_new(value, "events", story_events(story, &state));
    }
    arena_done(&arena);
}

static json_t *answer_ip(struct ip ip)
{
    char text[IP_TEXT_MAX];
    return ip.family == IP_NONE ? json_null() : answer_text(ip_text(ip, text));
}

json_t *answer_story(const struct story *story, struct instant now)
{
    const struct envelope *e = &story->envelope;
    struct buf words = {0};
    json_t *value = json_object();
    story_render(&words, story, now);
    json_object_set_new(value, "id", answer_id(e->id));
    json_object_set_new(value, "sender", answer_text(e->reverse_path));
    json_object_set_new(value, "arrived", answer_time(e->arrived));
    json_object_set_new(value, "size", json_integer((json_int_t)e->body_size));
    json_object_set_new(value, "helo", answer_text(e->helo));
    json_object_set_new(value, "client", answer_text(e->client_name));
    json_object_set_new(value, "client_ip", answer_ip(e->client_ip));
    json_object_set_new(value, "protocol", answer_text(e->protocol));
    json_object_set_new(value, "priority", json_integer(e->priority));
    json_object_set_new(value, "deliver_by", answer_by(e));
    add_course(value, story);
    json_object_set_new(value, "waits", answer_wait(&story->wait));
    json_object_set_new(value, "next", answer_time(story->next));
    json_object_set_new(value, "give_up", answer_time(story->give_up));
    json_object_set_new(value, "finished", answer_time(story->finished));
    json_object_set_new(value, "words", answer_text(buf_str(&words)));
    buf_done(&words);
    return value;
}
