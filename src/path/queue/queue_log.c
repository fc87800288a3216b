/* What the queue tells the log: an event for every outcome. */
#include "core/mail/status.h"
#include "path/queue/inside.h"

static const struct {
    const char *event;
    enum log_level level;
} events[] = {
    [OUTCOME_DELIVERED] = {"delivered", LOG_INFO}, [OUTCOME_RELAYED] = {"relayed", LOG_INFO},
    [OUTCOME_EXPANDED] = {"expanded", LOG_INFO},   [OUTCOME_DEFERRED] = {"deferred", LOG_WARNING},
    [OUTCOME_FAILED] = {"bounced", LOG_WARNING},   [OUTCOME_EXPIRED] = {"expired", LOG_WARNING},
    [OUTCOME_REMOVED] = {"discarded", LOG_INFO},   [OUTCOME_HELD] = {"held", LOG_INFO},
    [OUTCOME_RELEASED] = {"released", LOG_INFO},   [OUTCOME_NOTIFIED] = {"notified", LOG_INFO},
    [OUTCOME_REPORTED] = {"reported", LOG_INFO},
};

struct line {
    struct log_field fields[16];
    size_t count;
};

static void add_str(struct line *line, const char *name, struct str text)
{
    if (text.len > 0) {
        line->fields[line->count++] = (struct log_field)F_STR(name, text);
    }
}

static void add_int(struct line *line, const char *name, int64_t number)
{
    line->fields[line->count++] = (struct log_field)F_INT(name, number);
}

static void add_attempt(struct line *line, const struct outcome *o)
{
    add_str(line, "host", o->host);
    if (o->peer.ip.family != IP_NONE) {
        line->fields[line->count++] = (struct log_field)F_IP("ip", o->peer.ip);
        add_int(line, "port", o->peer.port);
    }
    if (o->reply_code != 0) {
        add_int(line, "reply", o->reply_code);
    }
}

void queue_log_outcome(const struct queue *q, const struct envelope *envelope, const struct rcpt *r,
                       const struct outcome *o)
{
    struct queue_id_text id = queue_id_text(envelope->id);
    struct buf status = {0};
    struct line line = {.count = 0};
    add_str(&line, "id", queue_id_str(&id));
    add_str(&line, "rcpt", r ? rcpt_address(r) : (struct str){0});
    add_str(&line, "site", o->site);
    add_attempt(&line, o);
    if (o->status.class != 0) {
        status_format(&status, o->status);
        add_str(&line, "status", buf_str(&status));
    }
    add_str(&line, o->kind == OUTCOME_REPORTED || o->kind == OUTCOME_NOTIFIED ? "report" : "text",
            o->text);
    if (o->kind == OUTCOME_EXPANDED) {
        add_int(&line, "members", (int64_t)o->child_count);
    }
    if (o->kind == OUTCOME_DEFERRED) {
        add_int(&line, "attempt", r ? r->attempts : 0);
        add_int(&line, "retry_in", span_seconds(instant_since(o->next, o->at)));
    }
    add_int(&line, "age", span_seconds(instant_since(o->at, envelope->arrived)));
    q->ports->log->event(q->ports->log, events[o->kind].level, events[o->kind].event, line.fields,
                         line.count);
    buf_done(&status);
}

void queue_log_id(const struct queue *q, enum log_level level, const char *event,
                  struct queue_id id, struct str text)
{
    struct queue_id_text id_text = queue_id_text(id);
    struct line line = {.count = 0};
    add_str(&line, "id", queue_id_str(&id_text));
    add_str(&line, "text", text);
    q->ports->log->event(q->ports->log, level, event, line.fields, line.count);
}
