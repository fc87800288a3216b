#include "control/control.h"

#include "control/answer.h"
#include "control/request.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { IDLE_MINUTES = 5, LIST_LIMIT = 1000, WHY_LIMIT = 100 };

struct control_client {
    struct list node;
    struct control_office *office;
    struct stream *stream; /* null: gone; freed when the request is done */
    struct buf line;
    struct timer idle;
    json_t *question; /* owns the texts of the request; null: none is under way */
    enum control_verb verb;
    struct queue_request queue;
    struct queue_why why;
};

static void client_free(struct control_client *c)
{
    list_remove(&c->node);
    c->office->client_count--;
    c->office->ports->timers->cancel(c->office->ports->timers, &c->idle);
    json_decref(c->question);
    buf_done(&c->line);
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
    } else {
        queue_tell_cancel(&c->why);
    }
}

/* A line of the answer. Takes `value` over. */
static void tell(struct control_client *c, json_t *value)
{
    char *text = value ? json_dumps(value, JSON_COMPACT) : NULL;
    if (c->stream && text && stream_unsent(c->stream) < CONTROL_UNSENT_MAX) {
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
    if (c->stream) {
        next_line(c);
    } else {
        client_free(c);
    }
}

static void on_item(struct queue_request *request, const struct queue_item *item)
{
    struct control_client *c = request->owner;
    json_t *line = json_object();
    json_object_set_new(line, "item", answer_item(item));
    tell(c, line);
}

static void on_asked(struct queue_request *request)
{
    struct control_client *c = request->owner;
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
    json_t *line = json_object();
    json_object_set_new(line, "story", answer_story(story, clock->wall(clock)));
    tell(c, line);
}

static void on_told(struct queue_why *why)
{
    struct control_client *c = why->owner;
    json_t *summary = json_object();
    json_object_set_new(summary, "found", json_integer((json_int_t)why->found));
    tell_done(c, summary, why->result);
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
        c->why = (struct queue_why){.each = on_story,
                                    .done = on_told,
                                    .id = q->id,
                                    .address = q->address,
                                    .limit = q->limit ? bounded(q->limit, WHY_LIMIT) : 0,
                                    .owner = c};
        queue_tell(c->office->queue, &c->why);
        return;
    case CONTROL_STATUS:
        tell_status(c);
        json_decref(c->question);
        c->question = NULL;
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

/* Questions are answered one after the other: further ones wait in the line buffer. */
static void next_line(struct control_client *c)
{
    struct timers *timers = c->office->ports->timers;
    timers->arm(timers, &c->idle, SPAN_MIN(IDLE_MINUTES));
    while (c->stream && !c->question) {
        size_t lf = str_find(buf_str(&c->line), '\n');
        if (lf == STR_NONE) {
            break;
        }
        struct str line = str_head(buf_str(&c->line), lf);
        if (str_trim(line).len > 0) {
            answer(c, line);
        }
        buf_drop(&c->line, lf + 1);
    }
}

static void on_data(struct stream *stream, struct str bytes)
{
    struct control_client *c = stream->owner;
    buf_add(&c->line, bytes);
    if (c->line.failed || c->line.len > CONTROL_LINE_MAX) {
        refuse(c, "the question is too long");
        client_gone(c);
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
    (void)stream;
}

static const struct stream_events events = {.data = on_data, .end = on_end, .drained = on_drained};

static void on_idle(struct timer *timer)
{
    client_gone(CONTAINER_OF(timer, struct control_client, idle));
}

static void on_accepted(struct net_listener *listener, struct stream *stream)
{
    struct control_office *office = listener->owner;
    struct control_client *c =
        office->client_count < CONTROL_CLIENTS_MAX ? calloc(1, sizeof *c) : NULL;
    if (!c) {
        stream_abort(stream);
        return;
    }
    c->office = office;
    c->stream = stream;
    c->idle.fire = on_idle;
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
    arena_done(&office->arena);
}
