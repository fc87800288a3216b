#include "control/request.h"

static struct str text_of(const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);
    return json_is_string(value) ? str_from(json_string_value(value), json_string_length(value))
                                 : (struct str){0};
}

static bool read_id(const json_t *object, struct queue_id *id)
{
    struct str text = text_of(object, "id");
    return text.len == 0 || queue_id_parse(text, id);
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

static bool read_selector(const json_t *json, struct queue_selector *s)
{
    s->sender = text_of(json, "sender");
    s->recipient = text_of(json, "recipient");
    s->domain = text_of(json, "domain");
    s->site = text_of(json, "site");
    s->last_error = text_of(json, "error");
    s->older_than.us = json_integer_value(json_object_get(json, "older_us"));
    s->states = (unsigned)json_integer_value(json_object_get(json, "states")) & 7;
    return s->older_than.us >= 0 && read_id(json, &s->id);
}

bool control_question_read(const json_t *json, struct control_question *question,
                           const char **reason)
{
    struct control_question q = {0};
    struct str verb = text_of(json, "verb");
    json_int_t limit = json_integer_value(json_object_get(json, "limit"));
    *reason = "a question is a JSON object with a verb: queue, why or status";
    q.limit = limit > 0 && limit < 1000000 ? (size_t)limit : 0;
    q.address = text_of(json, "address");
    if (str_eq(verb, STR("status"))) {
        q.verb = CONTROL_STATUS;
    } else if (str_eq(verb, STR("why"))) {
        q.verb = CONTROL_WHY;
        *reason = "why asks for an id or an address";
        if (!read_id(json, &q.id) || (q.id.value == 0 && q.address.len == 0)) {
            return false;
        }
    } else if (str_eq(verb, STR("queue"))) {
        q.verb = CONTROL_QUEUE;
        *reason = "queue has the actions list, retry, hold, release, remove, bounce";
        if (!read_action(json, &q.action)) {
            return false;
        }
        *reason = "the selector makes no sense";
        if (!read_selector(json_object_get(json, "selector"), &q.selector)) {
            return false;
        }
    } else {
        return false;
    }
    *question = q;
    return true;
}
