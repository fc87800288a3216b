#include "control/control.h"

#include "control/answer.h"
#include "control/line_feed.h"
#include "control/message.h"
#include "control/request.h"
#include "control/sent.h"

#include "core/base/encode.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    IDLE_MINUTES = 5, /* without a question, or without taking any of its answer */
    LIST_LIMIT = 100000,
    WHY_LIMIT = 100,
    UNSENT_PAUSE = 256 << 10, /* the queue is not read further until the asker has read */
};

struct control_client {
    struct list node;
    struct control_office *office;
    struct stream *stream; /* null: gone; freed when the request is done */
    int64_t user;          /* who asks: a user id, -1: unknown */
    struct line_feed lines;
    struct timer idle;
    size_t unsent;    /* when the timer was last armed */
    bool cut;         /* not all stories could be told */
    bool reading;     /* in next_line() */
    json_t *question; /* owns the texts of the request; null: none is under way */
    enum control_verb verb;
    struct queue_request queue;
    struct queue_why why;
    struct control_message message;
};

static void client_free(struct control_client *c)
{
    list_remove(&c->node);
    c->office->client_count--;
    c->office->ports->timers->cancel(c->office->ports->timers, &c->idle);
    json_decref(c->question);
    line_feed_done(&c->lines);
    free(c);
}

/* Breaks off what it asked; the struct goes when that is done. */
static void client_gone(struct control_client *c)
{
    if (c->stream) {
        stream_close(c->stream);
        c->stream = NULL;
    }
    if (!c->question) {
        client_free(c);
    } else if (c->verb == CONTROL_QUEUE) {
        queue_ask_cancel(&c->queue);
    } else if (c->verb == CONTROL_WHY) {
        queue_tell_cancel(&c->why);
    } else {
        control_message_cancel(&c->message);
    }
}

/* A line of the answer. Takes `value` over. */
static void tell(struct control_client *c, json_t *value)
{
    char *text = value ? json_dumps(value, JSON_COMPACT) : NULL;
    if (c->stream && text) {
        stream_write(c->stream, str_from_cstr(text));
        stream_write(c->stream, STR("\n"));
    }
    free(text);
    json_decref(value);
}

static void tell_done(struct control_client *c, json_t *summary, int result)
{
    json_t *last = json_object();
    if (result != 0) {
        json_object_set_new(summary, "error", json_string(strerror(-result)));
    }
    json_object_set_new(last, "done", summary);
    tell(c, last);
}

static void refuse(struct control_client *c, const char *reason)
{
    json_t *summary = json_object();
    json_t *last = json_object();
    json_object_set_new(summary, "refused", json_string(reason));
    json_object_set_new(last, "done", summary);
    tell(c, last);
}

static void next_line(struct control_client *c);

static void request_over(struct control_client *c)
{
    json_decref(c->question);
    c->question = NULL;
    if (!c->stream) {
        client_free(c);
    } else if (!c->reading) { /* it is, where the queue had no memory even to begin */
        stream_resume(c->stream);
        next_line(c); /* which may be the end of it */
    }
}

static void on_item(struct queue_request *request, const struct queue_item *item)
{
    struct control_client *c = request->owner;
    json_t *line = json_object();
    json_object_set_new(line, "item", answer_item(item));
    tell(c, line);
    request->paused = c->stream && stream_unsent(c->stream) > UNSENT_PAUSE;
}

/* Who did what to the queue: each message's own lines tell what became of it, but not by whom. */
static void log_change(const struct control_client *c, const struct queue_request *request)
{
    const json_t *selector = json_object_get(c->question, "selector");
    char *which = selector ? json_dumps(selector, JSON_COMPACT) : NULL;
    const char *action = json_string_value(json_object_get(c->question, "action"));
    log_event(c->office->ports->log, LOG_INFO, "operator", F_STR("action", str_from_cstr(action)),
              F_INT("user", c->user), F_STR("selector", str_from_cstr(which ? which : "{}")),
              F_INT("matched", request->matched), F_INT("changed", request->changed),
              F_INT("error", -request->result));
    free(which);
}

static void on_asked(struct queue_request *request)
{
    struct control_client *c = request->owner;
    if (request->action != QUEUE_LIST) {
        log_change(c, request);
    }
    json_t *summary = json_object();
    json_object_set_new(summary, "matched", json_integer((json_int_t)request->matched));
    json_object_set_new(summary, "changed", json_integer((json_int_t)request->changed));
    json_object_set_new(summary, "more", json_boolean(request->more));
    tell_done(c, summary, request->result);
    request_over(c);
}

static void on_story(struct queue_why *why, const struct story *story)
{
    struct control_client *c = why->owner;
    struct clock *clock = c->office->ports->clock;
    if (c->cut || !c->stream || stream_unsent(c->stream) >= CONTROL_UNSENT_MAX) {
        c->cut = true; /* stories are few: more than this is told when it is asked for singly */
        queue_tell_cancel(why);
        return;
    }
    json_t *line = json_object();
    json_object_set_new(line, "story", answer_story(story, clock->wall(clock)));
    tell(c, line);
}

static void on_told(struct queue_why *why)
{
    struct control_client *c = why->owner;
    json_t *summary = json_object();
    json_object_set_new(summary, "found", json_integer((json_int_t)why->found));
    json_object_set_new(summary, "more", json_boolean(c->cut));
    tell_done(c, summary, c->cut && why->result == -ECANCELED ? 0 : why->result);
    request_over(c);
}

/* Octets of any kind, so in base64. */
static void on_piece(struct control_message *m, struct str piece)
{
    struct control_client *c = m->owner;
    struct buf text = {0};
    json_t *line = json_object();
    base64_encode(&text, piece);
    json_object_set_new(line, "piece", answer_text(buf_str(&text)));
    buf_done(&text);
    tell(c, line);
    m->paused = c->stream && stream_unsent(c->stream) > UNSENT_PAUSE;
}

static void on_message(struct control_message *m)
{
    struct control_client *c = m->owner;
    json_t *summary = json_object();
    json_object_set_new(summary, "size", json_integer((json_int_t)m->size));
    tell_done(c, summary, m->result);
    request_over(c);
}

static void tell_status(struct control_client *c)
{
    struct queue_counts counts;
    struct spool_usage usage;
    json_t *s = json_object();
    queue_count(c->office->queue, &counts);
    c->office->spool->ops->usage(c->office->spool, &usage);
    json_object_set_new(s, "messages", json_integer((json_int_t)counts.messages));
    json_object_set_new(s, "active", json_integer((json_int_t)counts.active));
    json_object_set_new(s, "held", json_integer((json_int_t)counts.held));
    json_object_set_new(s, "sites", json_integer((json_int_t)counts.sites));
    json_object_set_new(s, "sites_down", json_integer((json_int_t)counts.sites_down));
    json_object_set_new(s, "spool_live", json_integer((json_int_t)usage.bytes_live));
    json_object_set_new(s, "spool_total", json_integer((json_int_t)usage.bytes_total));
    json_object_set_new(s, "spool_free", json_integer((json_int_t)usage.bytes_free));
    tell_done(c, s, 0);
}

static void tell_users(struct control_client *c, const struct control_question *q)
{
    const struct control_office *office = c->office;
    struct sent sent = {.allowances = office->ports->allowances, .config = office->config};
    sent_open(&sent, q->user, q->limit);
    for (json_t *line; (line = sent_next(&sent));) {
        tell(c, line);
    }
    tell_done(c, json_pack("{s:b}", "more", sent.more), 0);
    sent_done(&sent);
}

static void reset_user(struct control_client *c, const struct control_question *q)
{
    struct allowances *all = c->office->ports->allowances;
    bool changed = all && all->reset(all, q->user);
    log_event(c->office->ports->log, LOG_INFO, "operator", F_STR("action", STR("reset")),
              F_INT("user", c->user), F_STR("selector", q->user), F_INT("changed", changed));
    tell_done(c, json_pack("{s:i}", "changed", changed), 0);
}

/* What is answered at once. */
static void answered(struct control_client *c)
{
    json_decref(c->question);
    c->question = NULL;
}

static size_t bounded(size_t limit, size_t most)
{
    return limit == 0 || limit > most ? most : limit;
}

static void start(struct control_client *c, const struct control_question *q)
{
    c->verb = q->verb;
    switch (q->verb) {
    case CONTROL_QUEUE:
        c->queue = (struct queue_request){
            .each = on_item,
            .done = on_asked,
            .action = q->action,
            .selector = q->selector,
            .limit = q->action == QUEUE_LIST ? bounded(q->limit, LIST_LIMIT) : q->limit,
            .owner = c};
        queue_ask(c->office->queue, &c->queue);
        return;
    case CONTROL_WHY:
        c->cut = false;
        c->why = (struct queue_why){.each = on_story,
                                    .done = on_told,
                                    .id = q->id,
                                    .address = q->address,
                                    .limit = q->limit ? bounded(q->limit, WHY_LIMIT) : 0,
                                    .owner = c};
        queue_tell(c->office->queue, &c->why);
        return;
    case CONTROL_MESSAGE:
        c->message = (struct control_message){.each = on_piece,
                                              .done = on_message,
                                              .ports = c->office->ports,
                                              .spool = c->office->spool,
                                              .id = q->id,
                                              .owner = c};
        control_message_start(&c->message);
        return;
    case CONTROL_STATUS:
        tell_status(c);
        answered(c);
        return;
    case CONTROL_USERS:
        tell_users(c, q);
        answered(c);
        return;
    case CONTROL_RESET:
        reset_user(c, q);
        answered(c);
        return;
    }
}

static void answer(struct control_client *c, struct str line)
{
    struct control_question q;
    json_error_t error;
    const char *reason = "this is no JSON";
    c->question = json_loadb(line.ptr, line.len, JSON_REJECT_DUPLICATES, &error);
    if (!c->question || !control_question_read(c->question, &q, &reason)) {
        json_decref(c->question);
        c->question = NULL;
        refuse(c, reason);
        return;
    }
    start(c, &q);
}

static void arm_idle(struct control_client *c)
{
    struct timers *timers = c->office->ports->timers;
    c->unsent = stream_unsent(c->stream);
    timers->arm(timers, &c->idle, SPAN_MIN(IDLE_MINUTES));
}

/* Questions are answered one after the other: further ones wait. */
static void next_line(struct control_client *c)
{
    enum line_feed_result result = LINE_FEED_MORE;
    struct str line;
    arm_idle(c);
    c->reading = true;
    while (!c->question && (result = line_feed_next(&c->lines, &line)) == LINE_FEED_LINE) {
        if (str_trim(line).len > 0) {
            answer(c, line);
        }
    }
    c->reading = false;
    if (!c->question && result == LINE_FEED_TOO_LONG) {
        refuse(c, "the question is too long");
        client_gone(c);
    }
}

static void on_data(struct stream *stream, struct str bytes)
{
    struct control_client *c = stream->owner;
    if (!line_feed_add(&c->lines, bytes)) {
        client_gone(c);
        return;
    }
    if (c->question) { /* under way; what is asked meanwhile is bounded */
        if (line_feed_waiting(&c->lines) > CONTROL_LINE_MAX) {
            stream_pause(stream);
        }
        return;
    }
    next_line(c);
}

static void on_end(struct stream *stream, int error)
{
    (void)error;
    client_gone(stream->owner);
}

static void on_drained(struct stream *stream)
{
    struct control_client *c = stream->owner;
    if (c->question && c->verb == CONTROL_QUEUE) {
        queue_ask_resume(&c->queue);
    } else if (c->question && c->verb == CONTROL_MESSAGE) {
        control_message_resume(&c->message);
    }
}

static const struct stream_events events = {.data = on_data, .end = on_end, .drained = on_drained};

static void on_idle(struct timer *timer)
{
    struct control_client *c = CONTAINER_OF(timer, struct control_client, idle);
    size_t unsent = c->stream ? stream_unsent(c->stream) : 0;
    if (c->stream && c->question && (unsent == 0 || unsent != c->unsent)) {
        arm_idle(c); /* it waits for us, or reads */
    } else if (c->stream) {
        client_gone(c);
    }
}

static void refuse_client(struct stream *stream)
{
    static const char busy[] =
        "{\"done\":{\"refused\":\"too many ask at once; try again in a moment\"}}\n";
    stream_write(stream, str_from_cstr(busy));
    stream_close(stream);
}

static void on_accepted(struct net_listener *listener, struct stream *stream)
{
    struct control_office *office = listener->owner;
    struct control_client *c =
        office->client_count < CONTROL_CLIENTS_MAX ? calloc(1, sizeof *c) : NULL;
    if (!c) {
        refuse_client(stream);
        return;
    }
    c->office = office;
    c->stream = stream;
    c->user = stream->user_known ? (int64_t)stream->user : -1;
    c->idle.fire = on_idle;
    c->lines.limit = CONTROL_LINE_MAX;
    stream->owner = c;
    stream->events = &events;
    list_append(&office->clients, &c->node);
    office->client_count++;
    next_line(c);
    stream_resume(stream);
}

int control_open(struct control_office *office, const struct config *config)
{
    struct net *net = office->ports->net;
    list_init(&office->clients);
    office->config = config_hold(config);
    office->listener =
        (struct net_listener){.accepted = on_accepted,
                              .local_path = arena_copy(&office->arena, config->control_path),
                              .owner = office};
    int error = office->listener.local_path.ptr ? net->listen(net, &office->listener) : -ENOMEM;
    office->open = error == 0;
    return error;
}

void control_reload(struct control_office *office, const struct config *config)
{
    if (!str_eq(office->listener.local_path, config->control_path)) {
        log_event(office->ports->log, LOG_WARNING, "control-unchanged",
                  F_STR("path", office->listener.local_path),
                  F_STR("reason", STR("it moves when the server is started anew")));
    }
    const struct config *old = office->config;
    office->config = config_hold(config);
    config_drop(old);
}

void control_close(struct control_office *office)
{
    if (office->open) {
        office->ports->net->unlisten(office->ports->net, &office->listener);
        LIST_EACH (node, &office->clients) {
            client_gone(CONTAINER_OF(node, struct control_client, node));
        }
    }
    office->open = false;
    config_drop(office->config);
    office->config = NULL;
    arena_done(&office->arena);
}
