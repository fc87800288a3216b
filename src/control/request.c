#include "control/request.h"

#include <string.h>

enum { STATES_ALL = QUEUE_WAITING | QUEUE_ACTIVE | QUEUE_HELD };

struct key {
    const char *name;
    json_type type;
    json_int_t least; /* of a number */
};

static const struct key queue_keys[] = {{"verb", JSON_STRING, 0},
                                        {"action", JSON_STRING, 0},
                                        {"selector", JSON_OBJECT, 0},
                                        {"limit", JSON_INTEGER, 0}};
static const struct key why_keys[] = {{"verb", JSON_STRING, 0},
                                      {"id", JSON_STRING, 0},
                                      {"address", JSON_STRING, 0},
                                      {"limit", JSON_INTEGER, 0}};
static const struct key message_keys[] = {{"verb", JSON_STRING, 0}, {"id", JSON_STRING, 0}};
static const struct key status_keys[] = {{"verb", JSON_STRING, 0}};
static const struct key users_keys[] = {
    {"verb", JSON_STRING, 0}, {"user", JSON_STRING, 0}, {"limit", JSON_INTEGER, 0}};
static const struct key reset_keys[] = {{"verb", JSON_STRING, 0}, {"user", JSON_STRING, 0}};
static const struct key selector_keys[] = {
    {"id", JSON_STRING, 0},        {"sender", JSON_STRING, 0}, {"recipient", JSON_STRING, 0},
    {"domain", JSON_STRING, 0},    {"site", JSON_STRING, 0},   {"error", JSON_STRING, 0},
    {"older_us", JSON_INTEGER, 1}, {"states", JSON_INTEGER, 1}};

static bool fits(const struct key *key, const json_t *value)
{
    return json_typeof(value) == key->type &&
           (key->type != JSON_STRING || json_string_length(value) > 0) &&
           (key->type != JSON_INTEGER || json_integer_value(value) >= key->least);
}

/* Whether every member is known and says something: a key misspelt, or a value that would mean
 * "any", must not widen what is removed. */
static bool only(json_t *object, const struct key *keys, size_t count)
{
    for (void *it = json_object_iter(object); it; it = json_object_iter_next(object, it)) {
        size_t i = 0;
        while (i < count && strcmp(json_object_iter_key(it), keys[i].name) != 0) {
            i++;
        }
        if (i == count || !fits(&keys[i], json_object_iter_value(it))) {
            return false;
        }
    }
    return true;
}

static struct str text_of(const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);
    return json_is_string(value) ? str_from(json_string_value(value), json_string_length(value))
                                 : (struct str){0};
}

static bool read_id(const json_t *object, struct queue_id *id)
{
    struct str text = text_of(object, "id");
    return text.len == 0 || (queue_id_parse(text, id) && id->value != 0);
}

static bool read_action(const json_t *json, enum queue_action *action)
{
    static const struct {
        struct str name;
        enum queue_action action;
    } actions[] = {
        {STR_INIT("list"), QUEUE_LIST},     {STR_INIT("retry"), QUEUE_RETRY},
        {STR_INIT("hold"), QUEUE_HOLD},     {STR_INIT("release"), QUEUE_RELEASE},
        {STR_INIT("remove"), QUEUE_REMOVE}, {STR_INIT("bounce"), QUEUE_BOUNCE},
    };
    struct str name = text_of(json, "action");
    for (size_t i = 0; i < ARRAY_LEN(actions); i++) {
        if (str_eq(name, actions[i].name)) {
            *action = actions[i].action;
            return true;
        }
    }
    return false;
}

static bool read_selector(json_t *json, struct queue_selector *s)
{
    if (!only(json, selector_keys, ARRAY_LEN(selector_keys))) {
        return false;
    }
    s->sender = text_of(json, "sender");
    s->recipient = text_of(json, "recipient");
    s->domain = text_of(json, "domain");
    s->site = text_of(json, "site");
    s->last_error = text_of(json, "error");
    s->older_than.us = json_integer_value(json_object_get(json, "older_us"));
    json_int_t states = json_integer_value(json_object_get(json, "states"));
    s->states = (unsigned)(states & STATES_ALL);
    return (states & ~(json_int_t)STATES_ALL) == 0 && read_id(json, &s->id);
}

static bool read_why(json_t *json, struct control_question *q, const char **reason)
{
    *reason = "why asks for either an id or an address, and perhaps a limit";
    return only(json, why_keys, ARRAY_LEN(why_keys)) && read_id(json, &q->id) &&
           (q->id.value == 0) != (q->address.len == 0);
}

static bool read_message(json_t *json, struct control_question *q, const char **reason)
{
    *reason = "message asks for an id";
    return only(json, message_keys, ARRAY_LEN(message_keys)) && read_id(json, &q->id) &&
           q->id.value != 0;
}

static bool read_queue(json_t *json, struct control_question *q, const char **reason)
{
    *reason = "queue has an action, a selector and a limit, and nothing else";
    if (!only(json, queue_keys, ARRAY_LEN(queue_keys))) {
        return false;
    }
    *reason = "queue has the actions list, retry, hold, release, remove, bounce";
    if (!read_action(json, &q->action)) {
        return false;
    }
    *reason = "the selector has a key that is not known, or a value that makes no sense";
    return read_selector(json_object_get(json, "selector"), &q->selector);
}

bool control_question_read(json_t *json, struct control_question *question, const char **reason)
{
    struct control_question q = {0};
    struct str verb = text_of(json, "verb");
    json_int_t limit = json_integer_value(json_object_get(json, "limit"));
    bool fine = false;
    *reason =
        "a question is a JSON object with a verb: queue, why, message, status, users or reset";
    q.limit = limit > 0 && limit < 1000000 ? (size_t)limit : 0;
    q.address = text_of(json, "address");
    q.user = text_of(json, "user");
    if (str_eq(verb, STR("status"))) {
        q.verb = CONTROL_STATUS;
        fine = only(json, status_keys, ARRAY_LEN(status_keys));
    } else if (str_eq(verb, STR("users"))) {
        q.verb = CONTROL_USERS;
        fine = only(json, users_keys, ARRAY_LEN(users_keys));
    } else if (str_eq(verb, STR("reset"))) {
        q.verb = CONTROL_RESET;
        fine = only(json, reset_keys, ARRAY_LEN(reset_keys)) && q.user.len > 0;
    } else if (str_eq(verb, STR("message"))) {
        q.verb = CONTROL_MESSAGE;
        fine = read_message(json, &q, reason);
    } else if (str_eq(verb, STR("why"))) {
        q.verb = CONTROL_WHY;
        fine = read_why(json, &q, reason);
    } else if (str_eq(verb, STR("queue"))) {
        q.verb = CONTROL_QUEUE;
        fine = read_queue(json, &q, reason);
    }
    if (fine) {
        *question = q;
    }
    return fine;
}
